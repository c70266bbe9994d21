"""One allocation problem after the budget identity has removed an unknown.

Of (N_T, D_S, D_T) the identity (eq. 9) fixes D_S. What is left is a unit square: the first
coordinate runs through log N_T, the second through log D_T between the least and the most teacher
tokens that leave the student a number of tokens within its limits. A face is one of two:

- *spending*: the budget is used up;
- *saving*: the student has all the tokens there are, and part of the budget may stay unspent
  (a teacher on which more is spent can be too good for its student).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from bayes_distill.compute import TRAINING_PASSES, ForwardFlops
from bayes_distill.planning.solver.problem import Problem

Floats = NDArray[np.float64]

NEVER = 700.0  # log of more than anything; finite, so that gradients stay finite
FLOOR = 1e-100  # stands for nothing in a logarithm whose second derivative must not overflow


class Allocation(NamedTuple):
    """A problem; every field is a number, or an array over problems (NumPy's, or traced)."""

    log_params: Any  # of the student
    budget: Any
    student_cost: Any  # training the student on one token, as a part of the budget
    logits_charge: Any
    log_training_charge: Any  # of 3 delta_pre; -NEVER where training is free
    min_tokens: Any
    max_tokens: Any
    log_min_teacher_tokens: Any
    log_max_teacher_tokens: Any
    log_min_teacher_params: Any
    log_max_teacher_params: Any
    saving: Any  # bool: which face


class LogAmounts(NamedTuple):
    """Logs of the three unknowns."""

    teacher_params: Array
    teacher_tokens: Array
    student_tokens: Array


def locate(point: Array, allocation: Allocation, flops: ForwardFlops) -> LogAmounts:
    """The allocation at a point of the unit square, shape (2,)."""
    log_low, log_high = allocation.log_min_teacher_params, allocation.log_max_teacher_params
    log_params = log_low + point[0] * (log_high - log_low)
    teacher_flops = flops.forward_flops(jnp.exp(log_params)) / allocation.budget
    per_token = allocation.student_cost + allocation.logits_charge * teacher_flops
    log_per_teacher_token = allocation.log_training_charge + jnp.log(teacher_flops)

    def log_teacher_tokens(student_tokens: Array) -> Array:
        rest = 1.0 - student_tokens * per_token
        tokens = jnp.log(jnp.maximum(rest, FLOOR)) - log_per_teacher_token
        return jnp.clip(
            tokens, allocation.log_min_teacher_tokens, allocation.log_max_teacher_tokens
        )

    training_is_free = allocation.log_training_charge <= -NEVER
    most_left = log_teacher_tokens(allocation.min_tokens)
    least_left = log_teacher_tokens(allocation.max_tokens)
    low = jnp.where(
        allocation.saving | training_is_free, allocation.log_min_teacher_tokens, least_left
    )
    high = jnp.where(
        training_is_free,
        allocation.log_max_teacher_tokens,
        jnp.where(allocation.saving, least_left, most_left),
    )
    log_tokens = low + point[1] * (high - low)
    teacher = jnp.exp(log_per_teacher_token + log_tokens)
    by_identity = jnp.maximum((1.0 - teacher) / per_token, 0.5 * allocation.min_tokens)
    student_tokens = jnp.where(allocation.saving, allocation.max_tokens, by_identity)
    return LogAmounts(log_params, log_tokens, jnp.log(student_tokens))


def teacher_range(
    problem: Problem, budget: Floats, flops_per_token: Floats, *, saving: bool
) -> tuple[Floats, Floats]:
    """Log of the smallest and largest teacher that leave something to choose on a face.

    Parameters
    ----------
    problem
        Scenario, limits and count of FLOPs.
    budget
        FLOPs, any shape.
    flops_per_token
        FLOPs of training the student on one token, of that shape.
    saving
        Which face.

    Returns
    -------
    low, high
        Of the shape of `budget`; where ``low > high`` the face is empty.
    """
    scenario, limits = problem.scenario, problem.limits
    scale = TRAINING_PASSES * scenario.teacher_share
    smallest, largest = limits.teacher_params_range

    def affordable(tokens: float, teacher_tokens: float) -> Floats:
        """Log of the size with which these numbers of tokens use up the budget."""
        rest = budget - flops_per_token * tokens
        charged = scenario.logits_share * tokens + scale * teacher_tokens
        if charged == 0:
            return np.where(rest >= 0, np.inf, -np.inf)
        with np.errstate(over="ignore"):  # a charge may be next to nothing
            return log_params_with(rest / charged, problem.flops)

    tokens = limits.max_tokens if saving else limits.min_tokens
    high = np.minimum(np.log(largest), affordable(tokens, limits.min_teacher_tokens))
    low = np.full(budget.shape, np.log(smallest))
    if not saving:  # below this, the budget cannot be used up
        low = np.maximum(low, affordable(limits.max_tokens, limits.max_teacher_tokens))
    return low, high


def log_params_with(forward_flops: Floats, flops: ForwardFlops) -> Floats:
    """Log of the size whose forward FLOPs per token are given; -inf where they are not positive.

    By bisection: SciPy's root finders take half a second to import, more than most plans take.
    """
    low, high = np.full(forward_flops.shape, -5.0), np.full(forward_flops.shape, 80.0)
    for _ in range(64):
        middle = (low + high) / 2
        above = flops.forward_flops(np.exp(middle)) > forward_flops
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(forward_flops > 0, low, -np.inf)
