"""The best split of a budget between student, logits and teacher, for every draw separately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_distill.compute import TRAINING_PASSES, Architecture, ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import Law, Reference, TeacherLaw
from bayes_distill.planning.checks import refuse_nonsense
from bayes_distill.planning.solver.batched_search import Found
from bayes_distill.planning.solver.free_teacher import solve_free_teacher
from bayes_distill.planning.solver.limits import PAIRS, Limits
from bayes_distill.planning.solver.paid_teacher import Task, solve_paid_teacher

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
        Whether the search had converged.
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
    shaped, budget = _solve(
        law, coordinates, reference, params, budgets, scenario, limits, flops, recipe=True
    )
    student_flops = float(flops.forward_flops(float(params)))
    return Optimum(
        scenario=scenario,
        params=float(params),
        budget=budget,
        shares=_shares(shaped, budget, student_flops, scenario, flops),
        at_bound=_bounds(shaped, limits),
        **shaped._asdict(),
    )


def optimal_loss(
    law: Law,
    coordinates: Mapping[str, ArrayLike],
    reference: Reference,
    params: float,
    budgets: ArrayLike,
    scenario: Scenario,
    limits: Limits = NO_LIMITS,
    flops: ForwardFlops = ARCHITECTURE,
) -> Floats:
    """The losses that `optimise` finds, shape (draws, budgets), without making recipes of them.

    Raises
    ------
    InputError
        As `optimise` does.
    """
    found, _ = _solve(
        law, coordinates, reference, params, budgets, scenario, limits, flops, recipe=False
    )
    return found.loss


def _solve(
    law: Law,
    coordinates: Mapping[str, ArrayLike],
    reference: Reference,
    params: float,
    budgets: ArrayLike,
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
    *,
    recipe: bool,
) -> tuple[Found, Floats]:
    """Solutions and budgets, of shape (draws, budgets)."""
    draws = as_draws(coordinates)
    count = len(next(iter(draws.values())))
    budget = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    refuse_nonsense(law, count, params, budget, scenario, limits, flops)
    budget = np.array(np.broadcast_to(budget, (count, budget.shape[-1])))
    student_flops = float(flops.forward_flops(float(params)))
    if not scenario.distils:
        return _solve_supervised(
            law, draws, reference, params, student_flops, budget, limits
        ), budget
    taught = cast(TeacherLaw, law)
    draw, flat = np.repeat(np.arange(count), budget.shape[1]), budget.ravel()
    if scenario.teacher_is_free and not limits.menu:
        tokens = np.minimum(flat / (TRAINING_PASSES * student_flops), limits.max_tokens)
        found = solve_free_teacher(taught, draws, draw, reference, params, tokens, limits)
    else:
        task = Task(taught, draws, reference, params, scenario, limits, flops, draw, flat)
        found = solve_paid_teacher(task, recipe=recipe)
    return found.map(lambda x: x.reshape(budget.shape)), budget


def as_draws(coordinates: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Coordinates as arrays of one shape (draws,).

    Raises
    ------
    InputError
        Naming the coordinates that have another shape than the rest; if there are none at all.
    """
    arrays = {name: np.atleast_1d(np.asarray(v, float)) for name, v in coordinates.items()}
    if not arrays:
        raise InputError(Fault("there are no coordinates", column="coordinates"))
    count = max(v.shape[0] for v in arrays.values())
    faults = [
        Fault(f"must have shape ({count},), not {v.shape}", column=name)
        for name, v in arrays.items()
        if v.shape not in ((count,), (1,))
    ]
    if count == 0:
        faults = [Fault("there are no draws", column="coordinates")]
    if faults:
        raise InputError(faults)
    return {name: np.broadcast_to(v, (count,)) for name, v in arrays.items()}


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
