"""The inverse mass matrix that all chains share, estimated window by window from their draws."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np


class Metric(NamedTuple):
    """An inverse mass matrix, and the sums over draws that it is estimated from.

    Parameters
    ----------
    inverse_mass_matrix
        Matrix (sites, sites): an estimate of the covariance of the posterior.
    outer_products
        Sum of the outer products of all draws but the first window's (sites, sites).
    sums
        Sums of the same draws of every chain (chains, sites).
    draws
        Number of these draws of one chain.
    windows
        Number of windows of warm-up so far.
    """

    inverse_mass_matrix: np.ndarray
    outer_products: np.ndarray
    sums: np.ndarray
    draws: np.ndarray
    windows: np.ndarray

    @classmethod
    def first(cls, inverse_mass_matrix: np.ndarray, chains: int) -> Metric:
        """The metric that warm-up begins with: the curvature at a mode."""
        matrix = np.asarray(inverse_mass_matrix, float)
        zero = np.zeros((), int)
        return cls(matrix, np.zeros_like(matrix), np.zeros((chains, len(matrix))), zero, zero)


def refined(metric: Metric, draws: dict[str, np.ndarray]) -> Metric:
    """The metric after a window with these draws, each (chains, draws, ...).

    Its matrix is the covariance within chains of all draws so far. Those of the first window serve
    only until there are others, and only its second half, for chains start at a mode. Draws count
    as many as half of them, for they are correlated; the matrix before counts as two draws a site.
    """
    flat = np.concatenate(
        [np.reshape(leaf, (*leaf.shape[:2], -1)) for leaf in jax.tree.leaves(draws)], axis=2
    )
    from_mode = metric.windows == 0
    if from_mode:
        flat = flat[:, flat.shape[1] // 2 :]
    chains, length, sites = flat.shape
    pooled = metric._replace(
        outer_products=metric.outer_products + np.einsum("cdi,cdj->ij", flat, flat, optimize=True),
        sums=metric.sums + flat.sum(axis=1),
        draws=metric.draws + length,
    )
    scatter = pooled.outer_products - pooled.sums.T @ pooled.sums / pooled.draws
    count = max(int(pooled.draws - 1) * chains, 1)
    weight = 0.5 * count / (0.5 * count + 2 * sites)
    matrix = weight * scatter / count + (1 - weight) * metric.inverse_mass_matrix
    return (metric if from_mode else pooled)._replace(
        inverse_mass_matrix=np.asarray(matrix), windows=metric.windows + 1
    )
