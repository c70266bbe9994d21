"""Coordinates that the runs whiten: of discrepancies, and of the law that they surround.

Given the law's coordinates and all scales, what the runs say of the smooth discrepancy and of the
offsets of sizes is nearly normal: their effects on the loss are linear. So NUTS samples standard
normal numbers v,

    w = mean + L^-T v_w,    u_j = mean_j(w) + v_j / sqrt(d_j),

where L L' is the information about the weights with the offsets integrated out, d that about an
offset, and both means follow from the residuals of the law. Runs count by their weights at a mode
(`linearised`). Offsets of different sizes meet in no run, so the cost is linear in runs and sizes.

Where discrepancies are small the runs know the law well, where they are large they do not: the
law's coordinates and the scales form a funnel. So a supervised law's joint coordinates z are
sampled as z = mean + L_z^-T v_z too, where L_z L_z' is the information about z with all
discrepancies integrated out, of the law made linear at the mode.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import solve_triangular
from numpyro.infer.util import constrain_fn

from bayes_distill.inference.model import (
    Data,
    ModelSpec,
    OfRows,
    mean_loss,
    noise_scale,
    scaling_law_model,
)
from bayes_distill.laws.smooth_discrepancy import STUDENT_SMOOTH
from bayes_distill.posterior.size_offsets import OFFSET

Sites = dict[str, Array]
LAW = "supervised_z"


class _Regression(NamedTuple):
    """Rows as a linear function of weights and offsets, which have normal priors.

    `design` is (rows, combinations), `weight` (rows,) inverse variances, `effect` (rows,) that of
    an offset on its rows and `size` (rows,) its place; `root`, lower, is of the information about
    the weights with the offsets integrated out, `across` (sizes, combinations) what an offset
    shares with the weights, and `d` (sizes,) the information about the offsets.
    """

    design: Array
    weight: Array
    effect: Array
    size: Array
    root: Array
    across: Array
    d: Array

    @classmethod
    def of(
        cls,
        design: Array,
        precision: Array,
        weight: Array,
        effect: Array,
        size: Array,
        of_offsets: Array,
    ) -> _Regression:
        """With the precisions of the priors, (combinations,) and (sizes,)."""
        information = design.T @ (weight[:, None] * design) + jnp.diag(precision)
        if not of_offsets.shape[0]:
            nothing = jnp.zeros((0, design.shape[1]))
            root = jnp.linalg.cholesky(information)
            return cls(design, weight, effect, size, root, nothing, jnp.ones(0))
        d = _by_size(weight * effect**2, size, of_offsets) + of_offsets
        across = _by_size((weight * effect)[:, None] * design, size, of_offsets)
        root = jnp.linalg.cholesky(information - across.T @ (across / d[:, None]))
        return cls(design, weight, effect, size, root, across, d)

    def told(self, rows: Array) -> tuple[Array, Array]:
        """Mean of the weights (combinations, k) of rows (rows, k), and of the offsets (sizes, k).

        That of the offsets is where the weights are zero, times their information.
        """
        weighted = self.weight[:, None] * rows
        of_weights = self.design.T @ weighted
        if not self.d.shape[0]:
            return self._solved(of_weights), jnp.zeros((0, rows.shape[1]))
        offsets = _by_size(self.effect[:, None] * weighted, self.size, self.d)
        return self._solved(of_weights - self.across.T @ (offsets / self.d[:, None])), offsets

    def left(self, rows: Array) -> Array:
        """What the means leave of rows (rows, k), times the weights of the rows."""
        weights, offsets = self.told(rows)
        fitted = self.design @ weights
        if self.d.shape[0]:
            each = (offsets - self.across @ weights) / self.d[:, None]
            fitted = fitted + self.effect[:, None] * each[self.size]
        return self.weight[:, None] * (rows - fitted)

    @property
    def log_volume(self) -> Array:
        """Log of the volume of a unit of v."""
        return -jnp.log(jnp.diag(self.root)).sum() - 0.5 * jnp.log(self.d).sum()

    def _solved(self, vectors: Array) -> Array:
        half = solve_triangular(self.root, vectors, lower=True)
        return solve_triangular(self.root, half, lower=True, trans="T")


def before_a_mode(rows: int, weight: float, coordinates: int) -> dict[str, np.ndarray]:
    """What is assumed before a mode is known: equal weights, and a law that nothing tells of."""
    return {
        "weight": np.full(rows, weight),
        "point": np.zeros(coordinates),
        "mean": np.ones(rows),
        "residual": np.zeros(rows),
        "derivative": np.zeros((rows, coordinates)),
    }


def is_whitened(spec: ModelSpec) -> bool:
    """Whether the model has discrepancies that are sampled in this way."""
    return bool(spec.smooth)


def coloured(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]
) -> tuple[Sites, Array]:
    """Law and discrepancies from whitened ones, with the log of the Jacobian's determinant."""
    found, volume = dict(sites), jnp.zeros(())
    if _whitens_law(spec):
        mean, root = _law(spec, sites, data, hyper)
        found[LAW] = mean + solve_triangular(root, sites[LAW], lower=True, trans="T")
        volume = -jnp.log(jnp.diag(root)).sum()
    regression, residual = _discrepancies(spec, found, data, hyper)
    means, offsets = regression.told(residual[:, None])
    v = jnp.concatenate([sites[f"{name}_z"] for name in spec.smooth])
    weights = means[:, 0] + solve_triangular(regression.root, v, lower=True, trans="T")
    found |= _split(spec, weights, sites)
    if spec.size_offset:
        centre = (offsets[:, 0] - regression.across @ weights) / regression.d
        found[f"{OFFSET}_z"] = centre + sites[f"{OFFSET}_z"] / jnp.sqrt(regression.d)
    return found, volume + regression.log_volume


def whitened(spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]) -> Sites:
    """Inverse of `coloured`."""
    regression, residual = _discrepancies(spec, sites, data, hyper)
    means, offsets = regression.told(residual[:, None])
    weights = jnp.concatenate([sites[f"{name}_z"] for name in spec.smooth])
    found = sites | _split(spec, regression.root.T @ (weights - means[:, 0]), sites)
    if spec.size_offset:
        centre = (offsets[:, 0] - regression.across @ weights) / regression.d
        found[f"{OFFSET}_z"] = (sites[f"{OFFSET}_z"] - centre) * jnp.sqrt(regression.d)
    if _whitens_law(spec):
        mean, root = _law(spec, sites, data, hyper)
        found[LAW] = root.T @ (sites[LAW] - mean)
    return found


def _whitens_law(spec: ModelSpec) -> bool:
    return spec.kind == "supervised" and spec.joint_supervised


def _split(spec: ModelSpec, vector: Array, like: Sites) -> Sites:
    """A vector of all weights as sites."""
    parts, begun = {}, 0
    for name in spec.smooth:
        count = like[f"{name}_z"].shape[0]
        parts[f"{name}_z"] = vector[begun : begun + count]
        begun += count
    return parts


def _by_size(rows: Array, size: Array, like: Array) -> Array:
    return jax.ops.segment_sum(rows, size, num_segments=like.shape[0])


def _law(spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]) -> tuple[Array, Array]:
    """Mean (6,) and root of the information (6, 6) of the law's coordinates, given the scales.

    By the law made linear at a mode, see `linearised`. Before a mode is known its derivative is
    zero, and both are those of the prior.
    """
    at = hyper["linear"]
    scales = {name: jnp.exp(sites[name]) for name in (*spec.noise_sites, *spec.spread_sites)}
    scale = noise_scale(spec, scales, at["mean"], data)
    ones = jnp.ones_like(at["mean"])
    regression = _regression(spec, scales, scale, at["mean"], 0 * ones, 0 * ones, data, hyper)
    left = regression.left(jnp.column_stack([at["derivative"], at["residual"]]))
    information = at["derivative"].T @ left
    count = at["point"].shape[0]
    curvature = information[:, :count] + jnp.eye(count)
    root = jnp.linalg.cholesky((curvature + curvature.T) / 2)
    slope = information[:, count] - at["point"]
    step = solve_triangular(root, solve_triangular(root, slope, lower=True), lower=True, trans="T")
    return at["point"] + step, root


def _discrepancies(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]
) -> tuple[_Regression, Array]:
    """Regression of the runs on discrepancies at the law's coordinates and the scales in `sites`.

    And the residuals of the law (rows,). `sites` are unconstrained; discrepancies among them are
    not looked at.
    """
    values = without_discrepancies(spec, sites, data, hyper)
    zero = jnp.zeros_like(data.loss)

    def loss(of_rows: OfRows) -> Array:
        return mean_loss(spec, values, data, of_rows)

    def effect(part: str) -> Array:
        """By how much a run's loss changes with one of its discrepancies (rows,)."""
        none = OfRows(zero, zero, zero)
        one = none._replace(**{part: jnp.ones_like(zero)})
        change: Array = jax.jvp(loss, (none,), (one,))[1]
        return change

    mean = loss(OfRows(zero, zero, zero))
    scale = noise_scale(spec, values, mean, data)
    # a supervised loss is multiplied by the exponential of its discrepancy
    of_student = mean if spec.kind == "supervised" else effect("student")
    of_teacher = effect("teacher") if spec.predicts_teachers else zero
    of_excess = effect("excess") if STUDENT_SMOOTH in spec.smooth else zero
    regression = _regression(spec, values, scale, of_student, of_teacher, of_excess, data, hyper)
    return regression, data.loss - mean


def without_discrepancies(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]
) -> dict[str, Array]:
    """Values of all sites, from unconstrained ones, with discrepancies set to zero."""
    own = [*(f"{name}_z" for name in spec.smooth), *([f"{OFFSET}_z"] if spec.size_offset else [])]
    nothing = sites | {name: jnp.zeros_like(sites[name]) for name in own}
    model = partial(scaling_law_model, spec)
    values: dict[str, Array] = constrain_fn(
        model, (data, hyper), {}, nothing, return_deterministic=True
    )
    return values


def _regression(
    spec: ModelSpec,
    scales: dict[str, Array],
    scale: Array,
    of_student: Array,
    of_teacher: Array,
    of_excess: Array,
    data: Data,
    hyper: dict[str, Any],
) -> _Regression:
    """With the effects (rows,) of a discrepancy of the student, its teacher and its excess."""
    weight = jnp.where(data.mask, hyper["linear"]["weight"] / scale**2, 0.0)
    columns, precisions = [], []
    for name in spec.smooth:
        if name == STUDENT_SMOOTH:
            rows = of_excess[:, None] * data.smooth[name]
        else:
            rows = of_student[:, None] * data.smooth[name]
            if spec.predicts_teachers:
                rows = rows + of_teacher[:, None] * data.teacher_smooth[name]
        columns.append(rows)
        precisions.append(jnp.full(rows.shape[1], scales[f"{name}_sd"] ** -2))
    of_offsets = jnp.zeros(0)
    if spec.size_offset:
        exists = hyper["groups"][OFFSET]
        of_offsets = jnp.where(exists == 1, scales[f"{OFFSET}_sd"] ** -2, 1.0)
    return _Regression.of(
        jnp.concatenate(columns, axis=1),
        jnp.concatenate(precisions),
        weight,
        of_student * data.has_offset,
        data.offset_size,
        of_offsets,
    )
