"""Coordinates that the runs whiten: of discrepancies, and of the law that they surround.

Given the law's coordinates and all scales, what the runs say of smooth discrepancies and of what
groups of them share is nearly normal: their effects on the loss are nearly linear. So NUTS samples
standard normal numbers v,

    w = mean + L^-T v_w,    u_j = mean_j(w) + v_j / sqrt(d_j),

where L L' is the information about the dense effects with the local ones integrated out, d that
about a local one, and both means follow from the residuals of the law (`linear_effects`,
`regression`). Effects and weights of runs are those at a mode (`linearised`), so that information
and means are sums which are made once a fit: noise and priors scale them, and nothing else of a
draw enters.

Where discrepancies are small the runs know the law well, where they are large they do not: the
law's coordinates and the scales form a funnel. So the joint coordinates z of the supervised law are
sampled as z = mean + L_z^-T v_z too, where L_z L_z' is the information of supervised runs about z
with all effects integrated out, of the law made linear at the mode.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import solve_triangular
from numpyro.infer.util import constrain_fn

from bayes_distill.inference.linear_effects import (
    dense,
    design,
    is_taught,
    local,
    places,
    precisions,
    typical_effects,
    without_effects,
)
from bayes_distill.inference.model import (
    Data,
    ModelSpec,
    OfRows,
    mean_loss,
    noise_scale,
    scaling_law_model,
)
from bayes_distill.inference.regression import Equations, Regression

Sites = dict[str, Array]
LAW = "supervised_z"


def is_whitened(spec: ModelSpec) -> bool:
    """Whether the model has discrepancies that are sampled in this way."""
    return bool(spec.smooth)


def is_law_whitened(spec: ModelSpec) -> bool:
    """Whether the supervised law's coordinates are, too."""
    return is_whitened(spec) and spec.joint_supervised


def before_a_mode(spec: ModelSpec, data: Data, weight: float, coordinates: int) -> dict[str, Any]:
    """What is assumed before a mode is known: equal weights, and a law that nothing tells of."""
    rows = len(data.mask)
    return {
        "weight": np.full(rows, weight),
        "point": np.zeros(coordinates),
        "mean": np.ones(rows),
        "residual": np.zeros(rows),
        "derivative": np.zeros((rows, coordinates)),
        "effects": typical_effects(spec, data) if is_whitened(spec) else {},
    }


class _Fixed(NamedTuple):
    """What coordinates take of the runs, at noise of scale 1.

    `equations` are those of the runs of each noise, and `of_weights` (noises, effects, k),
    `of_offsets` (noises, places, k), `products` (noises, k, k) right sides and products of the
    derivatives and the residual of the law at a mode. `noise` (rows,) says which noise a run has,
    `place` (rows,) which local effect.
    """

    equations: tuple[Equations, ...]
    of_weights: Any
    of_offsets: Any
    products: Any
    noise: Any
    place: Any


def with_equations(spec: ModelSpec, data: Data, hyper: dict[str, Any]) -> dict[str, Any]:
    """Hyperparameters with all that coordinates take of the runs and of a mode.

    Call it again for another mask or mode.
    """
    if not is_whitened(spec):
        return hyper
    at = {name: value for name, value in hyper["linear"].items() if name != "fixed"}
    at["effects"] = {name: np.asarray(value) for name, value in at["effects"].items()}
    mean, residual, derivative, weight = (
        np.asarray(at[name]) for name in ("mean", "residual", "derivative", "weight")
    )
    unit = mean if spec.relative else np.ones_like(mean)
    place, effect, count = places(spec, at["effects"], data, hyper)
    columns = design(spec, at["effects"], data, hyper) / unit[:, None]
    rows = np.column_stack([derivative, residual]) / unit[:, None]
    noises = len(spec.noise_sites)
    # in the order of noise_sites: those of distilled runs first
    noise = np.where(is_taught(data), 0, 1) if noises > 1 else np.zeros(len(mean), int)
    equations, right, products = [], [], []
    for each in range(noises):
        of_runs = np.where(np.asarray(data.mask) & (noise == each), weight, 0.0)
        found = Equations.of(columns, effect / unit, of_runs, place, count)
        equations.append(found)
        right.append(found.right(rows, place))
        products.append(rows.T @ (of_runs[:, None] * rows))
    of_weights, of_offsets = (np.stack(each) for each in zip(*right, strict=True))
    fixed = _Fixed(tuple(equations), of_weights, of_offsets, np.stack(products), noise, place)
    return {**hyper, "linear": {**at, "fixed": fixed}}


class AtScales(NamedTuple):
    """The equations at the scales of a draw, and by what they scale those of each noise."""

    regression: Regression
    by: Array


def at_scales(spec: ModelSpec, sites: Sites, hyper: dict[str, Any]) -> AtScales:
    """Regression of the runs on effects at the scales in `sites`, which are unconstrained."""
    fixed: _Fixed = hyper["linear"]["fixed"]
    scales = {name: jnp.exp(sites[name]) for name in (*spec.noise_sites, *spec.spread_sites)}
    by = jnp.stack([scales[name] ** -2 for name in spec.noise_sites])
    equations = Equations.together(fixed.equations, by)
    regression = Regression.of(
        equations,
        precisions(spec, dense(spec), scales, hyper),
        precisions(spec, local(spec), scales, hyper),
    )
    return AtScales(regression, by)


def coloured_law(
    spec: ModelSpec, sites: Sites, hyper: dict[str, Any], scales: AtScales
) -> tuple[Sites, Array]:
    """Coordinates of the law from whitened ones, with the log of the Jacobian's determinant."""
    if not is_law_whitened(spec):
        return sites, jnp.zeros(())
    mean, root = _law(scales, hyper)
    point = mean + solve_triangular(root, sites[LAW], lower=True, trans="T")
    return sites | {LAW: point}, -jnp.log(jnp.diag(root)).sum()


def whitened_law(spec: ModelSpec, sites: Sites, hyper: dict[str, Any], scales: AtScales) -> Sites:
    """Inverse of `coloured_law`."""
    if not is_law_whitened(spec):
        return sites
    mean, root = _law(scales, hyper)
    return sites | {LAW: root.T @ (sites[LAW] - mean)}


def coloured(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any], scales: AtScales
) -> tuple[Sites, Array]:
    """Effects from whitened ones, with the log of the Jacobian's determinant."""
    regression = scales.regression
    right = _right(spec, sites, data, hyper, scales)
    names, places_of = _sites(dense(spec)), _sites(local(spec))
    v = solve_triangular(regression.root, joined(sites, names), lower=True, trans="T")
    weights = regression.told(right)[:, 0] + v
    found = sites | parted(weights, names, sites)
    if places_of:
        centre = regression.offsets(right[1], weights[:, None])[:, 0]
        offsets = centre + joined(sites, places_of) / jnp.sqrt(regression.d)
        found |= parted(offsets, places_of, sites)
    return found, regression.log_volume


def whitened(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any], scales: AtScales
) -> Sites:
    """Inverse of `coloured`."""
    regression = scales.regression
    right = _right(spec, sites, data, hyper, scales)
    names, places_of = _sites(dense(spec)), _sites(local(spec))
    weights = joined(sites, names)
    means = regression.told(right)[:, 0]
    found = sites | parted(regression.root.T @ (weights - means), names, sites)
    if places_of:
        centre = regression.offsets(right[1], weights[:, None])[:, 0]
        offsets = (joined(sites, places_of) - centre) * jnp.sqrt(regression.d)
        found |= parted(offsets, places_of, sites)
    return found


def without_discrepancies(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]
) -> dict[str, Array]:
    """Values of all sites, from unconstrained ones, with linear effects set to zero."""
    model = partial(scaling_law_model, spec)
    nothing = without_effects(spec, sites)
    values: dict[str, Array] = constrain_fn(
        model, (data, hyper), {}, nothing, return_deterministic=True
    )
    return values


def _law(scales: AtScales, hyper: dict[str, Any]) -> tuple[Array, Array]:
    """Mean (k,) and root of the information (k, k) of the law's coordinates.

    By the law made linear at a mode, see `linearised`. Before a mode is known its derivative is
    zero, and both are those of the prior.
    """
    regression, by = scales
    linear = hyper["linear"]
    fixed: _Fixed = linear["fixed"]
    right = jnp.tensordot(by, fixed.of_weights, 1), jnp.tensordot(by, fixed.of_offsets, 1)
    weights = regression.told(right)
    information = jnp.tensordot(by, fixed.products, 1) - right[0].T @ weights
    if right[1].shape[0]:
        information = information - right[1].T @ regression.offsets(right[1], weights)
    count = linear["point"].shape[0]
    curvature = information[:count, :count] + jnp.eye(count)
    root = jnp.linalg.cholesky((curvature + curvature.T) / 2)
    slope = information[:count, count] - linear["point"]
    step = solve_triangular(root, solve_triangular(root, slope, lower=True), lower=True, trans="T")
    return linear["point"] + step, root


def _right(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any], scales: AtScales
) -> tuple[Array, Array]:
    """Right sides (effects, 1), (places, 1) of the residuals at the law's coordinates in `sites`.

    Effects among the sites are not looked at.
    """
    values = without_discrepancies(spec, sites, data, hyper)
    zero = jnp.zeros_like(data.loss)
    mean = mean_loss(spec, values, data, OfRows(zero, zero, zero))
    by = scales.by[hyper["linear"]["fixed"].noise]
    unit = noise_scale(spec, values, mean, data) * jnp.sqrt(by)  # without the noise's scale
    fixed: _Fixed = hyper["linear"]["fixed"]
    rows = ((data.loss - mean) / unit * by)[:, None]
    every = [each.right(rows, fixed.place) for each in fixed.equations]
    return sum(each[0] for each in every), sum(each[1] for each in every)


def _sites(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}_z" for name in names)


def joined(sites: Sites, names: tuple[str, ...]) -> Array:
    """Sites of these names as one vector."""
    return jnp.concatenate([jnp.zeros(0), *(jnp.atleast_1d(sites[name]) for name in names)])


def parted(vector: Array, names: tuple[str, ...], like: Sites) -> Sites:
    """Inverse of `joined`."""
    parts, begun = {}, 0
    for name in names:
        size = jnp.size(like[name])
        parts[name] = vector[begun : begun + size].reshape(jnp.shape(like[name]))
        begun += size
    return parts
