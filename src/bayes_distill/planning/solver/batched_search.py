"""The compiled searches of many problems.

A search is three programs: a grid, Newton steps, and what the loss is made of at the end. Each is
compiled once for a size of batch; charges, limits, budgets, student sizes and the reference are
traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.compute import ForwardFlops
from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.planning.solver.allocation import Allocation, locate
from bayes_distill.planning.solver.batches import in_batches
from bayes_distill.planning.solver.newton import Objective, Refined, grid_starts, refine
from bayes_distill.planning.solver.solutions import Solutions

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Coordinates = Mapping[str, Any]

SIZES, TOKENS, LOSSES = 16, 12, 96  # grid points along each unknown
STARTS = 3
ROUNDS = (12, 24, 48, 200)
"""Newton steps before the cases that have converged are taken out of the batch."""


class Family(NamedTuple):
    """A family of objectives on the unit square, one for every draw and allocation.

    Parameters
    ----------
    law, reference
        The law and its reference.
    flops
        How FLOPs are counted; ``None`` where the teacher is free and the unknown is its loss.
    """

    law: TeacherLaw
    reference: Reference
    flops: ForwardFlops | None

    def split(self, *arrays: Any, grid: tuple[int, ...] = ()) -> tuple[Any, ...]:
        """What a stored program takes: what it is compiled for, the reference, and `arrays`.

        The reference is traced, so that posteriors of other runs compile nothing anew.
        """
        return (self.law, self.flops, *grid), self.reference.as_array(), *arrays


class FreeTeacher(NamedTuple):
    """A student whose teacher may have any loss between two; numbers or arrays over cases."""

    log_params: Any
    log_tokens: Any
    log_min_teacher_params: Any
    log_max_teacher_params: Any
    log_min_teacher_tokens: Any
    log_max_teacher_tokens: Any


Case = Allocation | FreeTeacher
"""One problem, of one draw and budget."""


def allocate(
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    allocations: Allocation,
    family: Family,
    *,
    one_size: bool,
) -> Solutions:
    """Solve allocations: `draw` (cases,) says which draw each belongs to.

    With `one_size` each has one teacher size, and only its tokens are searched.
    """
    point, converged = _search(coordinates, draw, allocations, family, one_size=one_size)
    loss, teacher_loss, teacher_params, teacher_tokens, student_tokens = in_batches(
        lambda *arrays: _describe(*family.split(*arrays)), coordinates, draw, allocations, point
    )
    return Solutions(loss, teacher_loss, teacher_params, teacher_tokens, student_tokens, converged)


def choose_teacher_loss(
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    students: FreeTeacher,
    family: Family,
) -> tuple[Floats, Floats, Floats, Flags]:
    """Best teacher loss of each student, the teacher being free; arrays over cases.

    Returns
    -------
    loss, teacher_loss
        L_S and L_T.
    position
        0 where the strongest teacher allowed is the best, 1 where the weakest is.
    converged
        Whether the search had converged.
    """
    point, converged = _search(coordinates, draw, students, family, one_size=False)
    loss, teacher_loss = in_batches(
        lambda *arrays: _describe(*family.split(*arrays)), coordinates, draw, students, point
    )
    return loss, teacher_loss, point[:, 0], converged


def _search(
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    cases: Case,
    family: Family,
    *,
    one_size: bool,
) -> tuple[Floats, Flags]:
    """Best points (cases, 2), and whether the search for each had converged."""
    (points,) = in_batches(
        lambda *arrays: _begin(*family.split(*arrays, grid=(one_size, SIZES, TOKENS, LOSSES))),
        coordinates,
        draw,
        cases,
    )
    values, converged = np.full(points.shape[:2], np.inf), np.zeros(points.shape[:2], bool)
    free = np.array([not one_size, isinstance(cases, Allocation)])
    cases = type(cases)(*(np.broadcast_to(np.asarray(x), draw.shape) for x in cases))
    for turn, iterations in enumerate(ROUNDS):
        leading = np.take_along_axis(converged, np.argmin(values, axis=1)[:, None], axis=1)[:, 0]
        # what is still higher after many steps only crawls, and will not overtake
        done = leading if turn > 1 else converged.all(axis=1)
        rest = np.flatnonzero(~done)
        if rest.size == 0:
            break
        points[rest], values[rest], converged[rest] = in_batches(
            lambda *arrays, limit=iterations: _continue(*family.split(*arrays, free, limit)),
            coordinates,
            draw[rest],
            type(cases)(*(x[rest] for x in cases)),
            points[rest],
        )
    best = np.arange(len(points)), np.argmin(values, axis=1)
    return points[best], converged[best]


def _losses(c: Coordinates, case: Case, point: Array, family: Family) -> tuple[Array, Array]:
    """Loss of the student and of its teacher at a point of the unit square."""
    law, reference, flops = family
    if isinstance(case, FreeTeacher):
        strongest, weakest = (
            law.log_supervised_loss(c, jnp.exp(size), jnp.exp(tokens), reference)
            for size, tokens in (
                (case.log_max_teacher_params, case.log_max_teacher_tokens),
                (case.log_min_teacher_params, case.log_min_teacher_tokens),
            )
        )
        teacher = jnp.exp(strongest + point[0] * (weakest - strongest))
        tokens = case.log_tokens
    else:
        assert flops is not None
        amounts = locate(point, case, flops)
        teacher = law.supervised_loss(
            c, jnp.exp(amounts.teacher_params), jnp.exp(amounts.teacher_tokens), reference
        )
        tokens = amounts.student_tokens
    params = jnp.exp(case.log_params)
    return law.distilled_loss(c, params, jnp.exp(tokens), teacher, reference), teacher


def _objective(c: Coordinates, case: Case, family: Family) -> Objective:
    return lambda point: _losses(c, case, point, family)[0] / family.reference.loss


@Stored
def _begin(
    law: TeacherLaw,
    flops: ForwardFlops | None,
    one_size: bool,
    sizes: int,
    tokens: int,
    losses: int,
    reference: Array,
    coordinates: Coordinates,
    cases: Case,
) -> Array:
    """Where to start, shape (cases, starts, 2)."""
    family = Family(law, Reference.traced(reference), flops)
    first, second = jnp.linspace(0.0, 1.0, sizes), jnp.linspace(0.0, 1.0, tokens)
    # closer together towards 1, where the teacher leaves the student little
    second = second * (2.0 - second)
    if one_size:
        first = jnp.zeros(1)
    if isinstance(cases, FreeTeacher):
        # closer together towards the strongest teachers, which are those that students have
        first, second = jnp.linspace(0.0, 1.0, losses) ** 1.5, jnp.zeros(1)
    return jax.vmap(
        lambda c, case: grid_starts(_objective(c, case, family), first, second, STARTS)
    )(coordinates, cases)


@Stored
def _continue(
    law: TeacherLaw,
    flops: ForwardFlops | None,
    reference: Array,
    coordinates: Coordinates,
    cases: Case,
    points: Array,
    free: Array,
    iterations: Array,
) -> Refined:
    """Newton steps from points (cases, starts, 2)."""
    family = Family(law, Reference.traced(reference), flops)

    def solve(c: Coordinates, case: Case, starts: Array) -> Refined:
        objective = _objective(c, case, family)
        return jax.vmap(lambda start: refine(objective, start, free, iterations))(starts)

    return jax.vmap(solve)(coordinates, cases, points)


@Stored
def _describe(
    law: TeacherLaw,
    flops: ForwardFlops | None,
    reference: Array,
    coordinates: Coordinates,
    cases: Case,
    points: Array,
) -> tuple[Array, ...]:
    """Both losses, and N_T, D_T and D_S where they are unknowns, at points (cases, 2)."""
    family = Family(law, Reference.traced(reference), flops)

    def describe(c: Coordinates, case: Case, point: Array) -> tuple[Array, ...]:
        losses = _losses(c, case, point, family)
        if isinstance(case, FreeTeacher) or flops is None:
            return losses
        return (*losses, *(jnp.exp(x) for x in locate(point, case, flops)))

    return jax.vmap(describe)(coordinates, cases, points)
