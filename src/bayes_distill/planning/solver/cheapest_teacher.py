"""The cheapest teacher of a given loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from bayes_distill._runtime.one_dimensional import bisect, golden_section
from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.compute import TRAINING_PASSES, ForwardFlops
from bayes_distill.laws import Law, Reference
from bayes_distill.planning.solver.batches import in_batches
from bayes_distill.planning.solver.problem import Problem

Floats = NDArray[np.float64]

HALVINGS = 52
SECTIONS = 44


class TeacherOfLoss(NamedTuple):
    """A teacher to find: its loss, what is charged, and where to look; numbers or arrays."""

    loss: Any
    logits: Any  # student tokens for which a forward pass is charged
    training: Any  # charge for each of the teacher's tokens, in forward passes
    log_min_params: Any
    log_max_params: Any
    log_min_tokens: Any
    log_max_tokens: Any


def cheapest_teacher(
    problem: Problem, draw: NDArray[np.intp], teacher_loss: Floats
) -> tuple[Floats, Floats]:
    """Size N_T and tokens D_T (cases,) of the cheapest teacher that reaches `teacher_loss`.

    `draw` (cases,) is the draw of each. The teacher gives logits on the most tokens that the
    limits allow a student; its costs are those that the scenario charges. A loss that no teacher
    within the limits has gives the nearest.
    """
    limits, scenario = problem.limits, problem.scenario
    smallest, largest = limits.teacher_params_range
    teachers = TeacherOfLoss(
        loss=teacher_loss,
        logits=scenario.logits_share * limits.max_tokens,
        training=TRAINING_PASSES * scenario.teacher_share,
        log_min_params=np.log(smallest),
        log_max_params=np.log(largest),
        log_min_tokens=np.log(limits.min_teacher_tokens),
        log_max_tokens=np.log(limits.max_teacher_tokens),
    )
    reference = problem.reference.as_array()
    params, tokens = in_batches(
        lambda c, some: _solve((problem.law, problem.flops), reference, c, some),
        problem.coordinates,
        draw,
        teachers,
    )
    return (
        np.clip(params, smallest, largest),
        np.clip(tokens, limits.min_teacher_tokens, limits.max_teacher_tokens),
    )


@Stored
def _solve(
    law: Law,
    flops: ForwardFlops,
    reference: Array,
    coordinates: Mapping[str, Array],
    teachers: TeacherOfLoss,
) -> tuple[Array, Array]:
    c, p, traced_reference = coordinates, teachers, Reference.traced(reference)
    target = jnp.log(p.loss)

    def reached(size: Array, tokens: Array) -> Array:
        loss = law.log_supervised_loss(c, jnp.exp(size), jnp.exp(tokens), traced_reference)
        return loss <= target

    def tokens_of(size: Array) -> Array:
        return bisect(lambda t: reached(size, t), p.log_min_tokens, p.log_max_tokens, HALVINGS)

    def cost(size: Array) -> Array:
        charged = p.logits + p.training * jnp.exp(tokens_of(size))
        return jnp.log(flops.forward_flops(jnp.exp(size))) + jnp.log(charged)

    # smaller ones do not reach the loss; larger ones reach it with the least tokens, and cost more
    low, high = (
        bisect(
            lambda size, t=tokens: reached(size, t),  # type: ignore[misc]
            p.log_min_params,
            p.log_max_params,
            HALVINGS,
        )
        for tokens in (p.log_max_tokens, p.log_min_tokens)
    )
    valley = golden_section(cost, low, high, SECTIONS)
    candidates = jnp.stack([low, (valley.low + valley.high) / 2, high])
    best = jnp.argmin(jnp.stack([cost(x) for x in candidates]), axis=0)
    size = jnp.take_along_axis(candidates, best[None], axis=0)[0]
    return jnp.exp(size), jnp.exp(tokens_of(size))
