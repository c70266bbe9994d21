"""Discrepancies in coordinates that the runs whiten.

Given the law's coordinates and all scales, what the runs say of the smooth discrepancy and of the
offsets of sizes is nearly normal: their effects on the loss are linear. So NUTS samples standard
normal numbers v,

    w = mean + L^-T v_w,    u_j = mean_j(w) + v_j / sqrt(d_j),

where L L' is the information about the weights with the offsets integrated out, d that about an
offset, and both means follow from the residuals of the law. Runs of a Student t count by their
Fisher information. Offsets of different sizes meet in no run, so the cost is linear in runs and
sizes.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import solve_triangular
from numpyro.infer.util import constrain_fn

from bayes_distill.inference.model import (
    OFFSET,
    SMOOTH_SITES,
    Data,
    ModelSpec,
    OfRows,
    mean_loss,
    noise_scale,
    scaling_law_model,
)

Sites = dict[str, Array]


class _Normal(NamedTuple):
    """The normal distribution that discrepancies nearly have, given everything else."""

    root: Array  # (combinations, combinations), lower: of the information about the weights
    mean: Array  # (combinations,)
    across: Array  # (sizes, combinations): what an offset shares with the weights
    of_offsets: Array  # (sizes,): mean of the offsets where the weights are zero, times `d`
    d: Array  # (sizes,)

    @property
    def log_volume(self) -> Array:
        """Log of the volume of a unit of v."""
        return -jnp.log(jnp.diag(self.root)).sum() - 0.5 * jnp.log(self.d).sum()


def is_whitened(spec: ModelSpec) -> bool:
    """Whether the model has discrepancies that are sampled in this way."""
    return bool(spec.smooth or spec.size_offset)


def coloured(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]
) -> tuple[Sites, Array]:
    """Discrepancies from whitened ones, with the log of the Jacobian's determinant."""
    normal = _normal(spec, sites, data, hyper)
    found = dict(sites)
    weights = jnp.zeros(0)
    if spec.smooth:
        v = jnp.concatenate([sites[f"{name}_z"] for name in spec.smooth])
        weights = normal.mean + solve_triangular(normal.root, v, lower=True, trans="T")
        found |= _split(spec, weights, sites)
    if spec.size_offset:
        centre = (normal.of_offsets - normal.across @ weights) / normal.d
        found[f"{OFFSET}_z"] = centre + sites[f"{OFFSET}_z"] / jnp.sqrt(normal.d)
    return found, normal.log_volume


def whitened(spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]) -> Sites:
    """Inverse of `coloured`."""
    normal = _normal(spec, sites, data, hyper)
    found = dict(sites)
    weights = jnp.zeros(0)
    if spec.smooth:
        weights = jnp.concatenate([sites[f"{name}_z"] for name in spec.smooth])
        found |= _split(spec, normal.root.T @ (weights - normal.mean), sites)
    if spec.size_offset:
        centre = (normal.of_offsets - normal.across @ weights) / normal.d
        found[f"{OFFSET}_z"] = (sites[f"{OFFSET}_z"] - centre) * jnp.sqrt(normal.d)
    return found


def _split(spec: ModelSpec, vector: Array, like: Sites) -> Sites:
    """A vector of all weights as sites."""
    parts, begun = {}, 0
    for name in spec.smooth:
        count = like[f"{name}_z"].shape[0]
        parts[f"{name}_z"] = vector[begun : begun + count]
        begun += count
    return parts


def _normal(spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]) -> _Normal:
    """The normal distribution at the law's coordinates and the scales among `sites`.

    `sites` are unconstrained; discrepancies among them are not looked at.
    """
    own = [*(f"{name}_z" for name in spec.smooth), *([f"{OFFSET}_z"] if spec.size_offset else [])]
    nothing = sites | {name: jnp.zeros_like(sites[name]) for name in own}
    model = partial(scaling_law_model, spec)
    values = constrain_fn(model, (data, hyper), {}, nothing, return_deterministic=True)
    zero = jnp.zeros_like(data.loss)

    def loss(of_rows: OfRows) -> Array:
        return mean_loss(spec, values, data, of_rows)

    def effect(part: str) -> Array:
        """By how much a run's loss changes with one of its discrepancies (rows,)."""
        none = OfRows(zero, zero, zero)
        one = none._replace(**{part: jnp.ones_like(zero)})
        return jax.jvp(loss, (none,), (one,))[1]

    mean = loss(OfRows(zero, zero, zero))
    scale = noise_scale(spec, values, mean, data)
    weight = jnp.where(data.mask, hyper["groups"]["information"] / scale**2, 0.0)
    residual = data.loss - mean
    of_student = effect("student")
    columns, variances = [jnp.zeros((zero.shape[0], 0))], [jnp.zeros(0)]
    for name in spec.smooth:
        if name == SMOOTH_SITES[0]:
            rows = of_student[:, None] * data.smooth
            if spec.predicts_teachers:
                rows = rows + effect("teacher")[:, None] * data.teacher_smooth
        else:
            rows = effect("excess")[:, None] * data.student_smooth
        columns.append(rows)
        variances.append(jnp.full(rows.shape[1], values[f"{name}_sd"] ** 2))
    design, variance = jnp.concatenate(columns, axis=1), jnp.concatenate(variances)
    information = design.T @ (weight[:, None] * design) + jnp.diag(1 / variance)
    told = design.T @ (weight * residual)
    if not spec.size_offset:
        root = jnp.linalg.cholesky(information)
        return _Normal(root, _solved(root, told), jnp.zeros((0, 0)), jnp.zeros(0), jnp.ones(0))
    exists = hyper["groups"][OFFSET]
    own_effect = of_student * data.has_offset
    sizes = exists.shape[0]

    def by_size(rows: Array) -> Array:
        return jax.ops.segment_sum(rows, data.offset_size, num_segments=sizes)

    prior = jnp.where(exists == 1, values[f"{OFFSET}_sd"] ** -2, 1.0)
    d = by_size(weight * own_effect**2) + prior
    across = by_size((weight * own_effect)[:, None] * design)
    of_offsets = by_size(weight * own_effect * residual)
    root = jnp.linalg.cholesky(information - across.T @ (across / d[:, None]))
    centre = _solved(root, told - across.T @ (of_offsets / d))
    return _Normal(root, centre, across, of_offsets, d)


def _solved(root: Array, vector: Array) -> Array:
    return solve_triangular(root, solve_triangular(root, vector, lower=True), lower=True, trans="T")
