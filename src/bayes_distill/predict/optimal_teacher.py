"""The best teacher for a student, draw by draw: the minimum of eq. 8 over the teacher's loss."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import batched

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_distill._input.progress import Progress, steps
from bayes_distill._runtime.one_dimensional import golden_section
from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.posterior import Posterior

UNIT = Reference(1.0, 1.0, 1.0)
AHEAD = 16  # students whose programs run before the first result is waited for
GRID = 48
SECTIONS = 12  # golden sections: the bracket of two grid cells shrinks by 320
STEPS = 2  # of Newton's method
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
    progress: Progress | None = None,
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
    progress
        Called with (phase, students done, students in all).
    """
    law, reference = posterior.law, posterior.reference
    assert isinstance(law, TeacherLaw)
    coordinates = _coordinates(posterior)
    lowest = np.asarray(law.irreducible_loss(coordinates, UNIT))
    if strongest is not None:
        lowest = np.maximum(lowest, strongest / reference.loss)
    discrepancies = _discrepancies(posterior, params, tokens)

    def minimise(i: int) -> tuple[Array, ...]:
        return _minimise(
            (law,),
            coordinates
            | {name: np.ascontiguousarray(each[:, i]) for name, each in discrepancies.items()},
            lowest,
            params[i] / reference.params,
            tokens[i] / reference.tokens,
        )

    results: list[tuple[np.ndarray, ...]] = []
    step = steps(progress, "best teachers", len(params))
    for students in batched(range(len(params)), AHEAD):
        results += jax.device_get([minimise(i) for i in students])
        for _ in students:
            step()
    teacher, student, boundary = (np.stack(part, axis=1) for part in zip(*results, strict=True))
    return OptimalTeacher(teacher * reference.loss, student * reference.loss, boundary)


def loss_slope(
    posterior: Posterior, params: np.ndarray, tokens: np.ndarray, teacher_loss: np.ndarray
) -> np.ndarray:
    """dL_S/dL_T (draws, points); negative where a slightly better teacher makes things worse.

    `teacher_loss` is (draws, points).
    """
    law, reference = posterior.law, posterior.reference
    assert isinstance(law, TeacherLaw)
    (slope,) = _slope(
        (law,),
        _coordinates(posterior),
        _discrepancies(posterior, params, tokens),
        teacher_loss / reference.loss,
        params / reference.params,
        tokens / reference.tokens,
    )
    return np.asarray(slope)


def _coordinates(posterior: Posterior) -> dict[str, np.ndarray]:
    return posterior.coordinates


def _discrepancies(
    posterior: Posterior, params: np.ndarray, tokens: np.ndarray
) -> dict[str, np.ndarray]:
    return {name: each.at(params, tokens) for name, each in posterior.discrepancies.items()}


@Stored
def _slope(
    law: TeacherLaw,
    c: dict[str, Array],
    discrepancies: dict[str, Array],
    teacher: Array,
    n: Array,
    d: Array,
) -> Array:
    def one(
        c: dict[str, Array], discrepancies: dict[str, Array], n: Array, d: Array, t: Array
    ) -> Array:
        return law.distilled_loss(c | discrepancies, n, d, t, UNIT)

    over_points = jax.vmap(jax.grad(one, argnums=4), in_axes=(None, 0, 0, 0, 0))
    slope: Array = jax.vmap(over_points, in_axes=(0, 0, None, None, 0))(
        c, discrepancies, n, d, teacher
    )
    return slope


@Stored
def _minimise(
    law: TeacherLaw, c: dict[str, Array], lowest: Array, n: Array, d: Array
) -> tuple[Array, Array, Array]:
    """Coarse grid over log teacher loss, then golden sections and steps of Newton, per draw."""
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
    a, b, middle = golden_section(loss, a, b, SECTIONS)
    # near enough for Newton's method, which does the rest of the digits
    one = jnp.ones_like(middle)

    def slope(x: Array) -> Array:
        derivative: Array = jax.jvp(loss, (x,), (one,))[1]
        return derivative

    inside = middle
    for _ in range(STEPS):
        first, second = jax.jvp(slope, (inside,), (one,))
        step = jnp.where(second > 0, -first / jnp.where(second > 0, second, 1.0), 0.0)
        inside = jnp.clip(inside + step, a, b)
    boundary = loss(low) <= loss(inside)
    log_teacher = jnp.where(boundary, low, inside)
    return jnp.exp(log_teacher)[:, 0], loss(log_teacher)[:, 0], boundary[:, 0]
