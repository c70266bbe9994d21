"""The cheapest teacher of a given loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.compute import TRAINING_PASSES, ForwardFlops, Scenario
from bayes_distill.laws import Law, Reference
from bayes_distill.planning.solver.batched_search import in_batches
from bayes_distill.planning.solver.limits import Limits

Floats = NDArray[np.float64]

HALVINGS = 52
SECTIONS = 44
GOLDEN = (5**0.5 - 1) / 2


class Wanted(NamedTuple):
    """A teacher to find: its loss, what is charged, and where to look; numbers or arrays."""

    loss: Any
    logits: Any  # student tokens for which a forward pass is charged
    training: Any  # charge for each of the teacher's tokens, in forward passes
    log_min_params: Any
    log_max_params: Any
    log_min_tokens: Any
    log_max_tokens: Any


def cheapest_teacher(
    law: Law,
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    reference: Reference,
    teacher_loss: Floats,
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
) -> tuple[Floats, Floats]:
    """Size N_T and tokens D_T (problems,) of the cheapest teacher that reaches `teacher_loss`.

    The teacher gives logits on the most tokens that the limits allow a student; its costs are
    those that `scenario` charges. A loss that no teacher within the limits has gives the nearest.
    """
    smallest, largest = limits.teacher_params_range
    problems = Wanted(
        loss=teacher_loss,
        logits=scenario.logits_share * limits.max_tokens,
        training=TRAINING_PASSES * scenario.teacher_share,
        log_min_params=np.log(smallest),
        log_max_params=np.log(largest),
        log_min_tokens=np.log(limits.min_teacher_tokens),
        log_max_tokens=np.log(limits.max_teacher_tokens),
    )
    at = reference.as_array()
    params, tokens = in_batches(
        lambda c, p: _solve((law, flops), at, c, p), coordinates, draw, problems
    )
    return (
        np.clip(params, smallest, largest),
        np.clip(tokens, limits.min_teacher_tokens, limits.max_teacher_tokens),
    )


@Stored
def _solve(
    law: Law, flops: ForwardFlops, at: Array, coordinates: Mapping[str, Array], problems: Wanted
) -> tuple[Array, Array]:
    c, p, reference = coordinates, problems, Reference.traced(at)
    target = jnp.log(p.loss)

    def log_loss(size: Array, tokens: Array) -> Array:
        return law.log_supervised_loss(c, jnp.exp(size), jnp.exp(tokens), reference)

    def tokens_of(size: Array) -> Array:
        return _crossing(lambda t: log_loss(size, t) <= target, p.log_min_tokens, p.log_max_tokens)

    def cost(size: Array) -> Array:
        charged = p.logits + p.training * jnp.exp(tokens_of(size))
        return jnp.log(flops.forward_flops(jnp.exp(size))) + jnp.log(charged)

    # smaller ones do not reach the loss; larger ones reach it with the least tokens, and cost more
    low, high = (
        _crossing(
            lambda size, t=tokens: log_loss(size, t) <= target,  # type: ignore[misc]
            p.log_min_params,
            p.log_max_params,
        )
        for tokens in (p.log_max_tokens, p.log_min_tokens)
    )

    def shrink(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        left, right = ends
        inner_left, inner_right = (
            right - GOLDEN * (right - left),
            left + GOLDEN * (right - left),
        )
        keep_left = cost(inner_left) <= cost(inner_right)
        return jnp.where(keep_left, left, inner_left), jnp.where(keep_left, inner_right, right)

    left, right = jax.lax.fori_loop(0, SECTIONS, shrink, (low, high))
    candidates = jnp.stack([low, (left + right) / 2, high])
    best = jnp.argmin(jnp.stack([cost(x) for x in candidates]), axis=0)
    size = jnp.take_along_axis(candidates, best[None], axis=0)[0]
    return jnp.exp(size), jnp.exp(tokens_of(size))


def _crossing(reached: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Least value in [low, high] at which an increasing condition holds; `high` if nowhere."""

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        left, right = ends
        middle = (left + right) / 2
        yes = reached(middle)
        return jnp.where(yes, left, middle), jnp.where(yes, middle, right)

    ends = jnp.broadcast_arrays(*jnp.broadcast_arrays(low, high))
    left, right = jax.lax.fori_loop(0, HALVINGS, halve, (ends[0], ends[1]))
    return jnp.where(reached(left), left, right)
