"""The best split of a budget between student, logits and teacher, for every draw separately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_distill.compute import TRAINING_PASSES, Architecture, ForwardFlops, Scenario
from bayes_distill.errors import InputError
from bayes_distill.laws import Law, Reference, TeacherLaw
from bayes_distill.planning.checks import refuse_nonsense
from bayes_distill.planning.free_teacher import solve_free_teacher
from bayes_distill.planning.limits import PAIRS, Limits
from bayes_distill.planning.paid_teacher import solve_paid_teacher
from bayes_distill.planning.search import Found

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ON_BOUND = 1e-9  # relative distance at which a solution counts as being on a bound
ARCHITECTURE = Architecture()
NO_LIMITS = Limits()


@dataclass(frozen=True)
class Optimum:
    """Best allocations of every draw at every budget; arrays of shape (draws, budgets).

    Parameters
    ----------
    scenario, params
        Who pays for the teacher; size N_S of the student.
    budget
        C, in FLOPs.
    loss
        The student's loss L_S at the optimum, in the unit of the runs.
    student_tokens
        D_S.
    teacher_params, teacher_tokens, teacher_loss
        N_T, D_T and L_T. All NaN in supervised training. With a free teacher only L_T is
        determined, and the other two are NaN unless limits leave one choice.
    shares
        Parts of the budget for ``student``, ``logits``, ``teacher`` and ``unspent``; they sum to
        one. ``unspent`` is zero unless the student has all the tokens that it may have, and
        spending the rest on the teacher would not make the student better.
    at_bound
        For each of the six bounds of `Limits`, by its name, whether the solution lies on it.
    converged
        Whether the search had settled.
    """

    scenario: Scenario
    params: float
    budget: Floats
    loss: Floats
    student_tokens: Floats
    teacher_params: Floats
    teacher_tokens: Floats
    teacher_loss: Floats
    shares: Mapping[str, Floats]
    at_bound: Mapping[str, Flags]
    converged: Flags


def optimise(
    law: Law,
    coordinates: Mapping[str, ArrayLike],
    reference: Reference,
    params: float,
    budgets: ArrayLike,
    scenario: Scenario,
    limits: Limits = NO_LIMITS,
    flops: ForwardFlops = ARCHITECTURE,
) -> Optimum:
    """Minimise the student's loss (eq. 8, or eq. 1) under the budget (eq. 9), draw by draw.

    Parameters
    ----------
    law
        A law with a teacher, unless `scenario` is supervised training.
    coordinates
        The law's coordinates, each of shape (draws,); numbers are one draw.
    reference
        The law's reference.
    params
        N_S, non-embedding parameters of the student.
    budgets
        C in FLOPs, shape (budgets,), or (draws, budgets) where each draw has its own.
    scenario, limits, flops
        Who pays for the teacher; what a recipe may use; how FLOPs are counted.

    Raises
    ------
    InputError
        If anything is not positive or has the wrong shape, the law knows no teachers, or a budget
        is below the cheapest run within the limits.
    """
    draws = {name: np.atleast_1d(np.asarray(v, float)) for name, v in coordinates.items()}
    count = max((len(v) for v in draws.values()), default=1)
    draws = {name: np.broadcast_to(v, (count,)) for name, v in draws.items()}
    budget = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    refuse_nonsense(law, count, params, budget, scenario, limits, flops)
    budget = np.array(np.broadcast_to(budget, (count, budget.shape[-1])))
    student_flops = float(flops.forward_flops(float(params)))
    draw = np.repeat(np.arange(count), budget.shape[1])
    flat = budget.ravel()

    if not scenario.distils:
        found = _solve_supervised(law, draws, reference, params, student_flops, budget, limits)
    else:
        taught = cast(TeacherLaw, law)
        if scenario.teacher_is_free and not limits.menu:
            tokens = np.minimum(flat / (TRAINING_PASSES * student_flops), limits.max_tokens)
            found = solve_free_teacher(taught, draws, draw, reference, params, tokens, limits)
        else:
            found = solve_paid_teacher(
                taught, draws, draw, reference, params, flat, scenario, limits, flops
            )
    shaped = Found(*(x.reshape(budget.shape) for x in found))
    return Optimum(
        scenario=scenario,
        params=float(params),
        budget=budget,
        shares=_shares(shaped, budget, student_flops, scenario, flops),
        at_bound=_bounds(shaped, limits),
        **shaped._asdict(),
    )


def _solve_supervised(
    law: Law,
    draws: Mapping[str, Floats],
    reference: Reference,
    params: float,
    student_flops: float,
    budget: Floats,
    limits: Limits,
) -> Found:
    """All compute goes to the student's tokens, as far as there are any."""
    tokens = np.minimum(budget / (TRAINING_PASSES * student_flops), limits.max_tokens)
    columns = {name: values[:, None] for name, values in draws.items()}
    loss = np.asarray(law.supervised_loss(columns, params, tokens, reference))
    none = np.full(budget.shape, np.nan)
    return Found(loss, none, none, none, tokens, np.ones(budget.shape, bool))


def _shares(
    found: Found, budget: Floats, student_flops: float, scenario: Scenario, flops: ForwardFlops
) -> dict[str, Floats]:
    student = TRAINING_PASSES * student_flops * found.student_tokens / budget
    logits = teacher = np.zeros(budget.shape)
    if scenario.logits_share > 0 or scenario.teacher_share > 0:
        model = flops.forward_flops(found.teacher_params) / budget
        logits = scenario.logits_share * model * found.student_tokens
        if scenario.teacher_share > 0:
            charge = TRAINING_PASSES * scenario.teacher_share
            teacher = charge * model * found.teacher_tokens
    rest = 1.0 - student - logits - teacher
    # what rounding leaves is not money that somebody could spend
    unspent = np.where(np.abs(rest) < ON_BOUND, 0.0, rest)
    return {"student": student, "logits": logits, "teacher": teacher, "unspent": unspent}


def _bounds(found: Found, limits: Limits) -> dict[str, Flags]:
    values = (found.student_tokens, found.teacher_tokens, found.teacher_params)
    smallest, largest = limits.teacher_params_range
    flags: dict[str, Flags] = {}
    for value, (low, high) in zip(values, PAIRS, strict=True):
        least, most = getattr(limits, low), getattr(limits, high)
        if low == "min_teacher_params":
            least, most = smallest, largest
        flags[low] = value <= least * (1 + ON_BOUND)
        flags[high] = value >= most * (1 - ON_BOUND)
    return flags


__all__ = ["InputError", "Optimum", "optimise"]
