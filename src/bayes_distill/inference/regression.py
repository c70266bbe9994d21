"""Runs as a linear function of weights of discrepancies and of offsets of sizes.

A run has every weight, and the offset of one size at most. Offsets of different sizes therefore
meet in no run: they are integrated out one by one, and the cost is linear in runs and sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import solve_triangular


class Equations(NamedTuple):
    """Normal equations of rows on weights and offsets, of which each row has one.

    `gram` is (combinations, combinations), `across` (sizes, combinations), `square` (sizes,);
    `design` (rows, combinations) and `effect` (rows,) are those of the rows times their weights.
    """

    gram: Any
    across: Any
    square: Any
    design: Any
    effect: Any

    @classmethod
    def of(cls, design: Any, effect: Any, weight: Any, size: Any, sizes: int) -> Equations:
        """Of rows with inverse variances `weight`, and offsets at places `size` of `sizes`."""
        weighted, of_offset = weight[:, None] * design, weight * effect
        return cls(
            design.T @ weighted,
            _by_size(of_offset[:, None] * design, size, sizes),
            _by_size(of_offset * effect, size, sizes),
            weighted,
            of_offset,
        )

    def right(self, rows: Any, size: Any) -> tuple[Any, Any]:
        """Right sides (combinations, k) and (sizes, k) for rows (rows, k)."""
        sizes = self.square.shape[0]
        return self.design.T @ rows, _by_size(self.effect[:, None] * rows, size, sizes)

    @classmethod
    def together(cls, parts: Sequence[Equations], by: Any) -> Equations:
        """Of all rows of the parts, whose weights are `by` (parts,) times as large."""
        return cls(
            *(
                sum(b * each for b, each in zip(by, of_one, strict=True))
                for of_one in zip(*parts, strict=True)
            )
        )


class Regression(NamedTuple):
    """Solution of normal equations with normal priors on weights and offsets.

    `root`, lower, is of the information about the weights with the offsets integrated out,
    `across` (sizes, combinations) what an offset shares with the weights, and `d` (sizes,) the
    information about the offsets.
    """

    root: Array
    across: Array
    d: Array

    @classmethod
    def of(cls, equations: Equations, precision: Array, of_offsets: Array) -> Regression:
        """With the precisions of the priors, (combinations,) and (sizes,)."""
        information = equations.gram + jnp.diag(precision)
        d = equations.square + of_offsets
        across = equations.across
        if d.shape[0]:
            information = information - across.T @ (across / d[:, None])
        return cls(jnp.linalg.cholesky(information), across, d)

    def told(self, right: tuple[Array, Array]) -> Array:
        """Mean of the weights (combinations, k) for right sides."""
        of_weights, of_offsets = right
        if self.d.shape[0]:
            of_weights = of_weights - self.across.T @ (of_offsets / self.d[:, None])
        half = solve_triangular(self.root, of_weights, lower=True)
        return solve_triangular(self.root, half, lower=True, trans="T")

    def offsets(self, right: Array, weights: Array) -> Array:
        """Mean of the offsets (sizes, k) at weights (combinations, k)."""
        return (right - self.across @ weights) / self.d[:, None]

    @property
    def log_volume(self) -> Array:
        """Log of the volume of a unit of v."""
        return -jnp.log(jnp.diag(self.root)).sum() - 0.5 * jnp.log(self.d).sum()


def _by_size(rows: Any, size: Any, sizes: int) -> Any:
    """Sums (sizes, ...) of the rows of each size, in NumPy for arrays of NumPy."""
    if not sizes:
        return rows[:0]
    if isinstance(rows, np.ndarray):
        sums = np.zeros((sizes, *rows.shape[1:]))
        np.add.at(sums, size, rows)
        return sums
    return jax.ops.segment_sum(rows, size, num_segments=sizes)
