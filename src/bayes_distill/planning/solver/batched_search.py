"""The compiled searches: many problems at once, in batches of a few fixed sizes.

A search is three programs: a grid, Newton steps, and what the loss is made of at the end. Each is
compiled once for a size of batch; charges, limits, budgets, student sizes and the reference are
traced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.compute import ForwardFlops
from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.planning.solver.allocation import Lane, locate
from bayes_distill.planning.solver.newton import Objective, Refined, grid_starts, refine

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Coordinates = Mapping[str, Any]

BATCHES = (32, 256, 1024)
"""Sizes that problems are padded to, so that other numbers of them do not compile again."""

SIZES, TOKENS, LOSSES = 16, 12, 96  # grid points along each unknown
STARTS = 3
ROUNDS = (12, 24, 48, 200)
"""Newton steps before the problems that have converged are taken out of the batch."""


class Problem(NamedTuple):
    """A family of objectives on the unit square.

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


class Found(NamedTuple):
    """Solutions; arrays over problems. Sizes and tokens are counts, losses in the runs' unit."""

    loss: Floats
    teacher_loss: Floats
    teacher_params: Floats
    teacher_tokens: Floats
    student_tokens: Floats
    converged: Flags

    def map(self, change: Callable[[Any], Any]) -> Found:
        """The same change made to every array."""
        return Found(*(change(x) for x in self))

    def where(self, condition: Flags, other: Found) -> Found:
        """These solutions where `condition` holds, and the others elsewhere."""
        return Found(*(np.where(condition, a, b) for a, b in zip(self, other, strict=True)))


class FreeTeacher(NamedTuple):
    """A student whose teacher may have any loss between two; numbers or arrays over problems."""

    log_params: Any
    log_tokens: Any
    log_min_teacher_params: Any
    log_max_teacher_params: Any
    log_min_teacher_tokens: Any
    log_max_teacher_tokens: Any


def allocate(
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    lanes: Lane,
    problem: Problem,
    *,
    one_size: bool,
) -> Found:
    """Solve allocation problems: `draw` (problems,) says which draw each lane belongs to.

    With `one_size` each lane has one teacher size, and only its tokens are searched.
    """
    point, converged = _search(coordinates, draw, lanes, problem, one_size=one_size)
    loss, teacher_loss, size, taught, tokens = in_batches(
        lambda *given: _describe(*problem.split(*given)), coordinates, draw, lanes, point
    )
    return Found(loss, teacher_loss, size, taught, tokens, converged)


def choose_teacher_loss(
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    students: FreeTeacher,
    problem: Problem,
) -> tuple[Floats, Floats, Floats, Flags]:
    """Best teacher loss of each student, the teacher being free; arrays over problems.

    Returns
    -------
    loss, teacher_loss
        L_S and L_T.
    position
        0 where the strongest teacher allowed is the best, 1 where the weakest is.
    converged
        Whether the search had converged.
    """
    point, converged = _search(coordinates, draw, students, problem, one_size=False)
    loss, teacher_loss = in_batches(
        lambda *given: _describe(*problem.split(*given)), coordinates, draw, students, point
    )
    return loss, teacher_loss, point[:, 0], converged


def _search(
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    lanes: Lane | FreeTeacher,
    problem: Problem,
    *,
    one_size: bool,
) -> tuple[Floats, Flags]:
    """Best points (problems, 2), and whether the search for each had converged."""
    (points,) = in_batches(
        lambda *given: _begin(*problem.split(*given, grid=(one_size, SIZES, TOKENS, LOSSES))),
        coordinates,
        draw,
        lanes,
    )
    values, converged = np.full(points.shape[:2], np.inf), np.zeros(points.shape[:2], bool)
    free = np.array([not one_size, isinstance(lanes, Lane)])
    lanes = type(lanes)(*(np.broadcast_to(np.asarray(x), draw.shape) for x in lanes))
    for turn, iterations in enumerate(ROUNDS):
        leading = np.take_along_axis(converged, np.argmin(values, axis=1)[:, None], axis=1)[:, 0]
        # what is still higher after many steps only crawls, and will not overtake
        done = leading if turn > 1 else converged.all(axis=1)
        rest = np.flatnonzero(~done)
        if rest.size == 0:
            break
        points[rest], values[rest], converged[rest] = in_batches(
            lambda *given, limit=iterations: _continue(*problem.split(*given, free, limit)),
            coordinates,
            draw[rest],
            type(lanes)(*(x[rest] for x in lanes)),
            points[rest],
        )
    best = np.arange(len(points)), np.argmin(values, axis=1)
    return points[best], converged[best]


def _losses(
    c: Coordinates, lane: Lane | FreeTeacher, point: Array, problem: Problem
) -> tuple[Array, Array]:
    """Loss of the student and of its teacher at a point of the unit square."""
    law, reference, flops = problem
    if isinstance(lane, FreeTeacher):
        strongest, weakest = (
            law.log_supervised_loss(c, jnp.exp(size), jnp.exp(tokens), reference)
            for size, tokens in (
                (lane.log_max_teacher_params, lane.log_max_teacher_tokens),
                (lane.log_min_teacher_params, lane.log_min_teacher_tokens),
            )
        )
        teacher = jnp.exp(strongest + point[0] * (weakest - strongest))
        tokens = lane.log_tokens
    else:
        assert flops is not None
        place = locate(point, lane, flops)
        teacher = law.supervised_loss(
            c, jnp.exp(place.teacher_params), jnp.exp(place.teacher_tokens), reference
        )
        tokens = place.student_tokens
    params = jnp.exp(lane.log_params)
    return law.distilled_loss(c, params, jnp.exp(tokens), teacher, reference), teacher


def _objective(c: Coordinates, lane: Lane | FreeTeacher, problem: Problem) -> Objective:
    return lambda point: _losses(c, lane, point, problem)[0] / problem.reference.loss


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
    lanes: Lane | FreeTeacher,
) -> Array:
    """Where to start, shape (problems, starts, 2)."""
    problem = Problem(law, Reference.traced(reference), flops)
    first, second = jnp.linspace(0.0, 1.0, sizes), jnp.linspace(0.0, 1.0, tokens)
    # closer together towards 1, where the teacher leaves the student little
    second = second * (2.0 - second)
    if one_size:
        first = jnp.zeros(1)
    if isinstance(lanes, FreeTeacher):
        # closer together towards the strongest teachers, which are those that students have
        first, second = jnp.linspace(0.0, 1.0, losses) ** 1.5, jnp.zeros(1)
    return jax.vmap(
        lambda c, lane: grid_starts(_objective(c, lane, problem), first, second, STARTS)
    )(coordinates, lanes)


@Stored
def _continue(
    law: TeacherLaw,
    flops: ForwardFlops | None,
    reference: Array,
    coordinates: Coordinates,
    lanes: Lane | FreeTeacher,
    points: Array,
    free: Array,
    iterations: Array,
) -> Refined:
    """Newton steps from points (problems, starts, 2)."""
    problem = Problem(law, Reference.traced(reference), flops)

    def solve(c: Coordinates, lane: Lane | FreeTeacher, starts: Array) -> Refined:
        objective = _objective(c, lane, problem)
        return jax.vmap(lambda start: refine(objective, start, free, iterations))(starts)

    return jax.vmap(solve)(coordinates, lanes, points)


@Stored
def _describe(
    law: TeacherLaw,
    flops: ForwardFlops | None,
    reference: Array,
    coordinates: Coordinates,
    lanes: Lane | FreeTeacher,
    points: Array,
) -> tuple[Array, ...]:
    """Both losses, and N_T, D_T and D_S where they are unknowns, at points (problems, 2)."""
    problem = Problem(law, Reference.traced(reference), flops)

    def describe(c: Coordinates, lane: Lane | FreeTeacher, point: Array) -> tuple[Array, ...]:
        losses = _losses(c, lane, point, problem)
        if isinstance(lane, FreeTeacher) or flops is None:
            return losses
        return (*losses, *(jnp.exp(x) for x in locate(point, lane, flops)))

    return jax.vmap(describe)(coordinates, lanes, points)


def in_batches[P: tuple[Any, ...]](
    solve: Callable[..., tuple[Array, ...]],
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    problems: P,
    *arrays: NDArray[Any],
) -> list[NDArray[Any]]:
    """Run a compiled program over all problems, padding the last batch with copies of one.

    Parameters
    ----------
    solve
        Takes coordinates, problems and `arrays` of one of the sizes in `BATCHES`.
    coordinates
        Arrays (draws,).
    draw
        Which draw each problem belongs to, shape (problems,).
    problems
        A named tuple of arrays that broadcast to (problems,).
    arrays
        More arrays over problems, of any further shape.
    """
    count = len(draw)
    size = next((b for b in BATCHES if b >= count), BATCHES[-1])
    spread = [np.broadcast_to(np.asarray(values), (count,)) for values in problems]

    def batch(start: int) -> tuple[Array, ...]:
        index = np.minimum(np.arange(start, start + size), count - 1)
        c = {name: values[draw[index]] for name, values in coordinates.items()}
        some = type(problems)(*(values[index] for values in spread))
        return solve(c, some, *(x[index] for x in arrays))

    pieces = [[np.asarray(x) for x in batch(start)] for start in range(0, count, size)]
    return [np.concatenate(parts)[:count] for parts in zip(*pieces, strict=True)]
