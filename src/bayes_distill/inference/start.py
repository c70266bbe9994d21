"""Where chains start, and with which mass matrix: posterior modes and their curvature.

Every chain climbs to a mode of its own from its own draw around the prior, so that a second mode
shows as chains that disagree. The curvature at the best mode is the first mass matrix: warm-up
then refines a good guess instead of finding the scales of some fifteen coordinates from nothing.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from scipy.optimize import minimize

from bayes_distill.inference.density import Hyper, Sites, flat_potential, prior_sampler
from bayes_distill.inference.model import Data, ModelSpec

PRIOR_DRAWS = 256
MAX_ITERATIONS = 500
MIN_CURVATURE = 0.05  # of the potential, per squared unit: no direction is wider than about 4.5


def starting_points(
    spec: ModelSpec, data: Data, hyper: Hyper, chains: int, key: jax.Array
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Unconstrained starting points (chains, ...) and an inverse mass matrix (sites, sites)."""
    key_prior, key_start = jax.random.split(key)
    draws = prior_sampler(spec)(jax.random.split(key_prior, PRIOR_DRAWS), data, hyper)
    draws = jax.device_get(draws)
    example = jax.tree.map(lambda leaf: leaf[0], draws)
    flat = _flatten(draws)
    # scales of what runs share stay at their prior's middle: levels and scale have no mode to
    # climb to but the one where both vanish
    moves: Any = {k: np.full(np.shape(v), k not in spec.spread_sites) for k, v in draws.items()}
    free = _flatten(moves)[0].astype(bool)
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key_start)).tolist())
    value_and_grad, information = flat_potential(spec)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_grad(x, example, data, hyper)
        if not np.isfinite(value):
            return 1e12, np.zeros_like(x)
        return float(value), np.where(free, np.asarray(gradient), 0.0)

    modes = []
    centre, spread = np.median(flat, axis=0), flat.std(axis=0)
    for _ in range(chains):
        x = centre + 0.5 * spread * generator.standard_normal(centre.size)
        x = np.where(free, x, centre)
        options = {"maxiter": MAX_ITERATIONS, "gtol": 1e-3}
        modes.append(minimize(objective, x, jac=True, method="BFGS", options=options))
    best = min(modes, key=lambda mode: mode.fun)
    curvature = np.asarray(information(best.x, example, data, hyper))
    eigenvalues, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    deviations = 1 / np.sqrt(np.maximum(np.abs(eigenvalues), MIN_CURVATURE))
    inverse_mass = (vectors * deviations**2) @ vectors.T
    points = []
    for mode in modes:
        step = vectors @ (deviations * generator.standard_normal(centre.size))
        while objective(mode.x + step)[0] >= 1e12:
            step = step / 2
        points.append(mode.x + step)
    return _unflatten(np.stack(points), draws), inverse_mass


def _flatten(sites: Sites) -> np.ndarray:
    """(draws, ...) sites, in the order of `ravel_pytree`, as one matrix (draws, sites)."""
    leaves = jax.tree.leaves(sites)
    return np.concatenate([np.reshape(leaf, (len(leaf), -1)) for leaf in leaves], axis=1)


def _unflatten(matrix: np.ndarray, like: Sites) -> dict[str, Any]:
    """Inverse of `_flatten`."""
    leaves, tree = jax.tree.flatten(like)
    widths = np.cumsum([int(np.prod(leaf.shape[1:])) for leaf in leaves])[:-1]
    parts = np.split(matrix, widths, axis=1)
    sites: dict[str, Any] = jax.tree.unflatten(
        tree,
        [p.reshape(len(matrix), *leaf.shape[1:]) for p, leaf in zip(parts, leaves, strict=True)],
    )
    return sites
