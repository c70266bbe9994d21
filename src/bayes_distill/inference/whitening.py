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
from bayes_distill.inference.regression import Equations, Regression
from bayes_distill.laws.smooth_discrepancy import STUDENT_SMOOTH
from bayes_distill.posterior.size_offsets import OFFSET

Sites = dict[str, Array]
LAW = "supervised_z"


def before_a_mode(rows: int, weight: float, coordinates: int) -> dict[str, np.ndarray]:
    """What is assumed before a mode is known: equal weights, and a law that nothing tells of."""
    return {
        "weight": np.full(rows, weight),
        "point": np.zeros(coordinates),
        "mean": np.ones(rows),
        "residual": np.zeros(rows),
        "derivative": np.zeros((rows, coordinates)),
    }


def with_equations(spec: ModelSpec, data: Data, hyper: dict[str, Any]) -> dict[str, Any]:
    """Hyperparameters with all that coordinates of a supervised model take of runs and mode.

    Noise and priors scale these equations, and nothing else of a draw enters them, so that a draw
    costs no sum over runs times combinations squared. Call it again for another mask or mode.
    """
    if not _is_supervised(spec):
        return hyper
    at = {name: np.asarray(value) for name, value in hyper["linear"].items() if name != "fixed"}
    unit = at["mean"] if spec.relative else np.ones_like(at["mean"])
    effect = at["mean"] / unit
    design = np.concatenate([np.asarray(data.smooth[name]) for name in spec.smooth], axis=1)
    weight = np.where(np.asarray(data.mask), at["weight"], 0.0)
    size, sizes = np.asarray(data.offset_size), _offset_count(spec, hyper)
    equations = Equations.of(
        effect[:, None] * design, effect * np.asarray(data.has_offset), weight, size, sizes
    )
    rows = np.column_stack([at["derivative"], at["residual"]]) / unit[:, None]
    right = equations.right(rows, size)
    fixed = _Fixed(equations, *right, rows.T @ (weight[:, None] * rows))
    return {**hyper, "linear": {**hyper["linear"], "fixed": fixed}}


class _Fixed(NamedTuple):
    """Of a supervised model, at noise of scale 1.

    The equations of its runs, their right sides for the derivatives and the residual of the law at
    a mode (combinations, 7) and (sizes, 7), and the weighted products of these rows (7, 7).
    """

    equations: Equations
    of_weights: Any
    of_offsets: Any
    products: Any


def is_whitened(spec: ModelSpec) -> bool:
    """Whether the model has discrepancies that are sampled in this way."""
    return bool(spec.smooth)


def coloured(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]
) -> tuple[Sites, Array]:
    """Law and discrepancies from whitened ones, with the log of the Jacobian's determinant."""
    found, volume = dict(sites), jnp.zeros(())
    supervised = _supervised_regression(spec, sites, hyper) if _is_supervised(spec) else None
    if supervised is not None and spec.joint_supervised:
        mean, root = _law(*supervised, hyper)
        found[LAW] = mean + solve_triangular(root, sites[LAW], lower=True, trans="T")
        volume = -jnp.log(jnp.diag(root)).sum()
    regression, right = _discrepancies(spec, found, data, hyper, supervised)
    v = jnp.concatenate([sites[f"{name}_z"] for name in spec.smooth])
    means = regression.told(right)[:, 0]
    weights = means + solve_triangular(regression.root, v, lower=True, trans="T")
    found |= _split(spec, weights, sites)
    if spec.size_offset:
        centre = regression.offsets(right[1], weights[:, None])[:, 0]
        found[f"{OFFSET}_z"] = centre + sites[f"{OFFSET}_z"] / jnp.sqrt(regression.d)
    return found, volume + regression.log_volume


def whitened(spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]) -> Sites:
    """Inverse of `coloured`."""
    supervised = _supervised_regression(spec, sites, hyper) if _is_supervised(spec) else None
    regression, right = _discrepancies(spec, sites, data, hyper, supervised)
    means = regression.told(right)[:, 0]
    weights = jnp.concatenate([sites[f"{name}_z"] for name in spec.smooth])
    found = sites | _split(spec, regression.root.T @ (weights - means), sites)
    if spec.size_offset:
        centre = regression.offsets(right[1], weights[:, None])[:, 0]
        found[f"{OFFSET}_z"] = (sites[f"{OFFSET}_z"] - centre) * jnp.sqrt(regression.d)
    if supervised is not None and spec.joint_supervised:
        mean, root = _law(*supervised, hyper)
        found[LAW] = root.T @ (sites[LAW] - mean)
    return found


def _is_supervised(spec: ModelSpec) -> bool:
    return is_whitened(spec) and spec.kind == "supervised"


def _split(spec: ModelSpec, vector: Array, like: Sites) -> Sites:
    """A vector of all weights as sites."""
    parts, begun = {}, 0
    for name in spec.smooth:
        count = like[f"{name}_z"].shape[0]
        parts[f"{name}_z"] = vector[begun : begun + count]
        begun += count
    return parts


def _offset_count(spec: ModelSpec, hyper: dict[str, Any]) -> int:
    return hyper["groups"][OFFSET].shape[0] if spec.size_offset else 0


def _law(regression: Regression, by: Array, hyper: dict[str, Any]) -> tuple[Array, Array]:
    """Mean (6,) and root of the information (6, 6) of the law's coordinates.

    Given the regression on discrepancies at some scales, see `_supervised_regression`. By the law
    made linear at a mode, see `linearised`. Before a mode is known its derivative is zero, and both
    are those of the prior.
    """
    point, fixed = hyper["linear"]["point"], hyper["linear"]["fixed"]
    right = by * fixed.of_weights, by * fixed.of_offsets
    weights = regression.told(right)
    information = by * fixed.products - right[0].T @ weights
    if right[1].shape[0]:
        information = information - right[1].T @ regression.offsets(right[1], weights)
    count = point.shape[0]
    curvature = information[:count, :count] + jnp.eye(count)
    root = jnp.linalg.cholesky((curvature + curvature.T) / 2)
    slope = information[:count, count] - point
    step = solve_triangular(root, solve_triangular(root, slope, lower=True), lower=True, trans="T")
    return point + step, root


def _supervised_regression(
    spec: ModelSpec, sites: Sites, hyper: dict[str, Any]
) -> tuple[Regression, Array]:
    """Regression of supervised runs at the scales in `sites`, and by what it scales equations."""
    scales = {name: jnp.exp(sites[name]) for name in (*spec.noise_sites, *spec.spread_sites)}
    equations: Equations = hyper["linear"]["fixed"].equations
    by = scales[spec.noise_sites[0]] ** -2
    ends = np.cumsum([0, *_counts(spec, hyper)])
    precision = jnp.concatenate(
        [
            jnp.full(end - begin, scales[f"{name}_sd"] ** -2)
            for name, begin, end in zip(spec.smooth, ends[:-1], ends[1:], strict=True)
        ]
    )
    return Regression.of(equations.scaled(by), precision, _of_offsets(spec, scales, hyper)), by


def _counts(spec: ModelSpec, hyper: dict[str, Any]) -> list[int]:
    """Numbers of combinations of the weights of every smooth discrepancy."""
    return [hyper["groups"][f"{name}_directions"].shape[1] for name in spec.smooth]


def _of_offsets(spec: ModelSpec, scales: dict[str, Array], hyper: dict[str, Any]) -> Array:
    """Precisions (sizes,) of the prior on offsets; padding has a standard normal one."""
    if not spec.size_offset:
        return jnp.zeros(0)
    return jnp.where(hyper["groups"][OFFSET] == 1, scales[f"{OFFSET}_sd"] ** -2, 1.0)


def _discrepancies(
    spec: ModelSpec,
    sites: Sites,
    data: Data,
    hyper: dict[str, Any],
    supervised: tuple[Regression, Array] | None,
) -> tuple[Regression, tuple[Array, Array]]:
    """Regression of the runs on discrepancies at the law's coordinates and the scales in `sites`.

    And its right sides for the residuals of the law, (combinations, 1) and (sizes, 1). `sites` are
    unconstrained; discrepancies among them are not looked at. `supervised` is what
    `_supervised_regression` gives, of a model of supervised runs.
    """
    values = without_discrepancies(spec, sites, data, hyper)
    zero = jnp.zeros_like(data.loss)

    def loss(of_rows: OfRows) -> Array:
        return mean_loss(spec, values, data, of_rows)

    mean = loss(OfRows(zero, zero, zero))
    scale = noise_scale(spec, values, mean, data)
    rows = (data.loss - mean)[:, None]
    if supervised is not None:
        regression, by = supervised
        unit = scale * jnp.sqrt(by)
        of_weights, of_offsets = hyper["linear"]["fixed"].equations.right(
            rows / unit[:, None], data.offset_size
        )
        return regression, (by * of_weights, by * of_offsets)

    def effect(part: str) -> Array:
        """By how much a run's loss changes with one of its discrepancies (rows,)."""
        none = OfRows(zero, zero, zero)
        one = none._replace(**{part: jnp.ones_like(zero)})
        change: Array = jax.jvp(loss, (none,), (one,))[1]
        return change

    of_student = effect("student")
    of_teacher = effect("teacher") if spec.predicts_teachers else zero
    of_excess = effect("excess") if STUDENT_SMOOTH in spec.smooth else zero
    design, precision = _design(spec, values, of_student, of_teacher, of_excess, data)
    equations = Equations.of(
        design,
        of_student * data.has_offset,
        jnp.where(data.mask, hyper["linear"]["weight"] / scale**2, 0.0),
        data.offset_size,
        _offset_count(spec, hyper),
    )
    regression = Regression.of(equations, precision, _of_offsets(spec, values, hyper))
    return regression, equations.right(rows, data.offset_size)


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


def _design(
    spec: ModelSpec,
    scales: dict[str, Array],
    of_student: Array,
    of_teacher: Array,
    of_excess: Array,
    data: Data,
) -> tuple[Array, Array]:
    """Change of every loss with every weight (rows, combinations), and precisions of their priors.

    From the effects (rows,) of a discrepancy of the student, its teacher and its excess.
    """
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
    return jnp.concatenate(columns, axis=1), jnp.concatenate(precisions)
