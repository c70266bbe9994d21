"""The best teacher for a student, draw by draw: the minimum of eq. 8 over the teacher's loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.posterior import Posterior

UNIT = Reference(1.0, 1.0, 1.0)
GRID = 96
REFINEMENTS = 40  # golden sections: the bracket of two grid cells shrinks by 1e8
GOLDEN = (np.sqrt(5) - 1) / 2
UPPER = 1.5  # times the supervised loss: far beyond, a student only copies a teacher that is worse


@dataclass(frozen=True)
class OptimalTeacher:
    """Per draw and student (draws, students): the best teacher's loss and what it gives.

    `boundary` marks draws where every stronger teacher is better, down to the strongest one
    allowed: there the loss is that of the strongest.
    """

    teacher_loss: np.ndarray
    student_loss: np.ndarray
    boundary: np.ndarray


def optimal_teacher(
    posterior: Posterior,
    params: np.ndarray,
    tokens: np.ndarray,
    strongest: float | None = None,
) -> OptimalTeacher:
    """Minimise the student's loss over the teacher's.

    Parameters
    ----------
    posterior
        Of a law with a teacher.
    params, tokens
        Students (students,).
    strongest
        Lowest teacher loss to be had; by default each draw's irreducible loss E, which is an
        infinite teacher on infinite data.
    """
    law, reference = posterior.law, posterior.reference
    assert isinstance(law, TeacherLaw)
    coordinates = _coordinates(posterior)
    lowest = np.asarray(law.irreducible_loss(coordinates, UNIT))
    if strongest is not None:
        lowest = np.maximum(lowest, strongest / reference.loss)
    own = {name: each.at(params, tokens) for name, each in posterior.departures.items()}
    found = [
        jax.device_get(
            _minimise(
                law,
                coordinates | {name: jnp.asarray(values[:, i]) for name, values in own.items()},
                jnp.asarray(lowest),
                params[i] / reference.params,
                tokens[i] / reference.tokens,
            )
        )
        for i in range(len(params))
    ]
    teacher, student, boundary = (np.stack(part, axis=1) for part in zip(*found, strict=True))
    return OptimalTeacher(teacher * reference.loss, student * reference.loss, boundary)


def loss_slope(
    posterior: Posterior, params: np.ndarray, tokens: np.ndarray, teacher_loss: np.ndarray
) -> np.ndarray:
    """dL_S/dL_T (draws, points); negative where a slightly better teacher makes things worse.

    `teacher_loss` is (draws, points).
    """
    law, reference = posterior.law, posterior.reference
    assert isinstance(law, TeacherLaw)
    own = {name: each.at(params, tokens) for name, each in posterior.departures.items()}
    return np.asarray(
        _slope(
            law,
            _coordinates(posterior),
            own,
            params / reference.params,
            tokens / reference.tokens,
            teacher_loss / reference.loss,
        )
    )


def _coordinates(posterior: Posterior) -> dict[str, Array]:
    return {name: jnp.asarray(posterior.draws[name]) for name in posterior.law.coordinate_names}


@partial(jax.jit, static_argnums=0)
def _slope(
    law: TeacherLaw,
    c: dict[str, Array],
    own: dict[str, Array],
    n: Array,
    d: Array,
    teacher: Array,
) -> Array:
    def one(c: dict[str, Array], own: dict[str, Array], n: Array, d: Array, t: Array) -> Array:
        return law.distilled_loss(c | own, n, d, t, UNIT)

    over_points = jax.vmap(jax.grad(one, argnums=4), in_axes=(None, 0, 0, 0, 0))
    slope: Array = jax.vmap(over_points, in_axes=(0, 0, None, None, 0))(c, own, n, d, teacher)
    return slope


@partial(jax.jit, static_argnums=0)
def _minimise(
    law: TeacherLaw, c: dict[str, Array], lowest: Array, n: Array, d: Array
) -> tuple[Array, Array, Array]:
    """Coarse grid over log teacher loss, then golden sections around its best cell, per draw."""
    columns = {name: value[:, None] for name, value in c.items()}

    def loss(log_teacher: Array) -> Array:
        return law.distilled_loss(columns, n, d, jnp.exp(log_teacher), UNIT)

    low = jnp.log(lowest)[:, None]
    high = jnp.maximum(
        law.log_supervised_loss(columns, n, d, UNIT) + jnp.log(UPPER), low + jnp.log(UPPER)
    )
    nodes = low + (high - low) * jnp.linspace(0, 1, GRID)
    best = jnp.argmin(loss(nodes), axis=1, keepdims=True)
    a = jnp.take_along_axis(nodes, jnp.maximum(best - 1, 0), axis=1)
    b = jnp.take_along_axis(nodes, jnp.minimum(best + 1, GRID - 1), axis=1)

    def section(_: int, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        a, b = bracket
        left, right = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        keep_left = loss(left) < loss(right)
        return jnp.where(keep_left, a, left), jnp.where(keep_left, right, b)

    a, b = jax.lax.fori_loop(0, REFINEMENTS, section, (a, b))
    inside = (a + b) / 2
    boundary = loss(low) <= loss(inside)
    log_teacher = jnp.where(boundary, low, inside)
    return jnp.exp(log_teacher)[:, 0], loss(log_teacher)[:, 0], boundary[:, 0]
