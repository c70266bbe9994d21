"""The compiled searches: many problems at once, in batches of a few fixed sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from bayes_distill.compute import ForwardFlops
from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.planning.lanes import Lane, locate
from bayes_distill.planning.newton import minimise

BATCHES = (32, 256, 2048)
"""Sizes that problems are padded to, so that other numbers of them do not compile again."""

SIZES, TOKENS, STARTS = 16, 12, 3
LOSSES = 96


class Found(NamedTuple):
    """Solutions; arrays over problems. Sizes and tokens are counts, losses in the runs' unit."""

    loss: NDArray[np.float64]
    teacher_loss: NDArray[np.float64]
    teacher_params: NDArray[np.float64]
    teacher_tokens: NDArray[np.float64]
    student_tokens: NDArray[np.float64]
    converged: NDArray[np.bool_]


def _grid(points: int) -> Array:
    """Fractions from 0 to 1, closer together towards 1, where the student's tokens run out."""
    t = jnp.linspace(0.0, 1.0, points)
    return t * (2.0 - t)


@partial(jax.jit, static_argnames=("law", "reference", "flops", "one_size"))
def _allocate(
    coordinates: Mapping[str, Array],
    lanes: Lane,
    law: TeacherLaw,
    reference: Reference,
    flops: ForwardFlops,
    one_size: bool,
) -> tuple[Array, ...]:
    sizes = jnp.zeros(1) if one_size else jnp.linspace(0.0, 1.0, SIZES)
    free = jnp.asarray([not one_size, True])

    def solve(c: Mapping[str, Array], lane: Lane) -> tuple[Array, ...]:
        def losses(point: Array) -> tuple[Array, Array]:
            place = locate(point, lane, flops)
            teacher = law.supervised_loss(
                c, jnp.exp(place.teacher_params), jnp.exp(place.teacher_tokens), reference
            )
            tokens = jnp.exp(place.student_tokens)
            student = law.distilled_loss(c, jnp.exp(lane.log_params), tokens, teacher, reference)
            return student, teacher

        best = minimise(
            lambda point: losses(point)[0] / reference.loss, sizes, _grid(TOKENS), free, STARTS
        )
        place = locate(best.point, lane, flops)
        return (*losses(best.point), *(jnp.exp(x) for x in place), best.converged)

    return jax.vmap(solve)(coordinates, lanes)


@partial(jax.jit, static_argnames=("law", "reference"))
def _choose_teacher_loss(
    coordinates: Mapping[str, Array],
    problems: Mapping[str, Array],
    law: TeacherLaw,
    reference: Reference,
) -> tuple[Array, ...]:
    def solve(c: Mapping[str, Array], p: Mapping[str, Array]) -> tuple[Array, ...]:
        strongest = law.log_supervised_loss(c, p["max_params"], p["max_tokens"], reference)
        weakest = law.log_supervised_loss(c, p["min_params"], p["min_tokens"], reference)

        def losses(point: Array) -> tuple[Array, Array]:
            teacher = jnp.exp(strongest + point[0] * (weakest - strongest))
            student = law.distilled_loss(c, p["params"], p["tokens"], teacher, reference)
            return student, teacher

        t = jnp.linspace(0.0, 1.0, LOSSES)
        best = minimise(
            # denser near the strongest teacher, which is where students are taught
            lambda point: losses(point)[0] / reference.loss, t**1.5, jnp.zeros(1),
            jnp.asarray([True, False]), STARTS,
        )  # fmt: skip
        return (*losses(best.point), best.point[0] <= 0, best.point[0] >= 1, best.converged)

    return jax.vmap(solve)(coordinates, problems)


def allocate(
    coordinates: Mapping[str, NDArray[np.float64]],
    draw: NDArray[np.intp],
    lanes: Lane,
    law: TeacherLaw,
    reference: Reference,
    flops: ForwardFlops,
    *,
    one_size: bool,
) -> Found:
    """Solve allocation problems: `draw` (problems,) says which draw each lane belongs to.

    With `one_size` each lane has one teacher size, and only its tokens are searched.
    """
    outputs = in_batches(
        lambda c, p: _allocate(c, Lane(**p), law, reference, flops, one_size),
        coordinates,
        draw,
        lanes._asdict(),
    )
    loss, teacher_loss, *place, converged = outputs
    return Found(loss, teacher_loss, *place, converged.astype(bool))


class FreeTeacher(NamedTuple):
    """Best teacher losses when the teacher costs nothing; arrays over problems."""

    loss: NDArray[np.float64]
    teacher_loss: NDArray[np.float64]
    strongest: NDArray[np.bool_]  # the strongest teacher allowed is the best
    weakest: NDArray[np.bool_]
    converged: NDArray[np.bool_]


def choose_teacher_loss(
    coordinates: Mapping[str, NDArray[np.float64]],
    draw: NDArray[np.intp],
    problems: Mapping[str, NDArray[np.float64]],
    law: TeacherLaw,
    reference: Reference,
) -> FreeTeacher:
    """Best teacher loss for a student of `params` on `tokens`, the teacher being free.

    `problems` holds, each of shape (problems,): params, tokens and the least and most that the
    teacher may have: min_params, max_params, min_tokens, max_tokens.
    """
    outputs = in_batches(
        lambda c, p: _choose_teacher_loss(c, p, law, reference), coordinates, draw, problems
    )
    loss, teacher_loss, strongest, weakest, converged = outputs
    return FreeTeacher(
        loss, teacher_loss, *(x.astype(bool) for x in (strongest, weakest, converged))
    )


def in_batches(
    solve: Callable[[dict[str, Any], dict[str, Any]], tuple[Array, ...]],
    coordinates: Mapping[str, NDArray[np.float64]],
    draw: NDArray[np.intp],
    problems: Mapping[str, Any],
) -> list[NDArray[Any]]:
    """Run a compiled search over all problems, padding the last batch with copies of one."""
    count = len(draw)
    size = next((b for b in BATCHES if b >= count), BATCHES[-1])
    spread = {
        name: np.broadcast_to(np.asarray(values), (count,)) for name, values in problems.items()
    }
    pieces = []
    for start in range(0, count, size):
        index = np.minimum(np.arange(start, start + size), count - 1)
        c = {name: values[draw[index]] for name, values in coordinates.items()}
        found = solve(c, {name: values[index] for name, values in spread.items()})
        pieces.append([np.asarray(x)[: count - start] for x in found])
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
