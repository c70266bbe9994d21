"""The best split of a budget between student, logits and teacher, for every draw separately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_distill.compute import TRAINING_PASSES, Scenario
from bayes_distill.planning.solver.checks import refuse_unsolvable
from bayes_distill.planning.solver.free_teacher import solve_free_teacher
from bayes_distill.planning.solver.limits import PAIRS, Limits
from bayes_distill.planning.solver.paid_teacher import Cases, solve_paid_teacher
from bayes_distill.planning.solver.problem import Problem
from bayes_distill.planning.solver.solutions import Solutions

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ON_BOUND = 1e-9  # relative distance at which a solution counts as being on a bound


@dataclass(frozen=True, eq=False)
class Optimum:
    """Best allocations of every draw at every budget; arrays of shape (draws, budgets).

    Parameters
    ----------
    scenario, params
        Who pays for the teacher; size N_S of the student, (draws,) where each draw has its own.
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
    params: float | Floats
    budget: Floats
    loss: Floats
    student_tokens: Floats
    teacher_params: Floats
    teacher_tokens: Floats
    teacher_loss: Floats
    shares: Mapping[str, Floats]
    at_bound: Mapping[str, Flags]
    converged: Flags

    @property
    def sizes(self) -> Floats:
        """N_S of every draw and budget, (draws, budgets)."""
        return np.broadcast_to(np.reshape(self.params, (-1, 1)), self.loss.shape)


def optimise(problem: Problem, budgets: ArrayLike) -> Optimum:
    """Minimise the student's loss (eq. 8, or eq. 1) under the budget (eq. 9), draw by draw.

    Parameters
    ----------
    problem
        Law and draws, student, scenario, limits and count of FLOPs.
    budgets
        C in FLOPs, shape (budgets,), or (draws, budgets) where each draw has its own.

    Raises
    ------
    InputError
        If anything is not positive or has the wrong shape, the law knows no teachers, or a budget
        is below the cheapest run within the limits.
    """
    solutions, budget = _solve(problem, budgets, recipe=True)
    return Optimum(
        scenario=problem.scenario,
        params=problem.params,
        budget=budget,
        shares=_shares(problem, solutions, budget),
        at_bound=_bounds(solutions, problem.limits),
        **solutions._asdict(),
    )


def optimal_loss(problem: Problem, budgets: ArrayLike) -> Floats:
    """The losses that `optimise` finds, shape (draws, budgets), without making recipes of them.

    Raises
    ------
    InputError
        As `optimise` does.
    """
    solutions, _ = _solve(problem, budgets, recipe=False)
    return solutions.loss


def _solve(problem: Problem, budgets: ArrayLike, *, recipe: bool) -> tuple[Solutions, Floats]:
    """Solutions and budgets, of shape (draws, budgets)."""
    count, scenario, limits = problem.n_draws, problem.scenario, problem.limits
    budget = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    refuse_unsolvable(problem, budget)
    budget = np.array(np.broadcast_to(budget, (count, budget.shape[-1])))
    if not scenario.distils:
        return _solve_supervised(problem, budget), budget
    draw, flat = np.repeat(np.arange(count), budget.shape[1]), budget.ravel()
    if scenario.teacher_is_free and not limits.menu:
        tokens = np.minimum(flat / problem.flops_per_token[draw], limits.max_tokens)
        solutions = solve_free_teacher(problem, draw, tokens)
    else:
        solutions = solve_paid_teacher(Cases(problem, draw, flat), recipe=recipe)
    return solutions.map(lambda x: x.reshape(budget.shape)), budget


def _solve_supervised(problem: Problem, budget: Floats) -> Solutions:
    """All compute goes to the student's tokens, as far as there are any."""
    tokens = np.minimum(budget / problem.flops_per_token[:, None], problem.limits.max_tokens)
    columns = {name: values[:, None] for name, values in problem.coordinates.items()}
    sizes = problem.sizes[:, None]
    loss = problem.law.supervised_loss(columns, sizes, tokens, problem.reference)
    none = np.full(budget.shape, np.nan)
    return Solutions(np.asarray(loss), none, none, none, tokens, np.ones(budget.shape, bool))


def _shares(problem: Problem, solutions: Solutions, budget: Floats) -> dict[str, Floats]:
    scenario = problem.scenario
    student = problem.flops_per_token[:, None] * solutions.student_tokens / budget
    logits = teacher = np.zeros(budget.shape)
    if scenario.logits_share > 0 or scenario.teacher_share > 0:
        model = problem.flops.forward_flops(solutions.teacher_params) / budget
        logits = scenario.logits_share * model * solutions.student_tokens
        if scenario.teacher_share > 0:
            charge = TRAINING_PASSES * scenario.teacher_share
            teacher = charge * model * solutions.teacher_tokens
    rest = 1.0 - student - logits - teacher
    # what rounding leaves is not money that somebody could spend
    unspent = np.where(np.abs(rest) < ON_BOUND, 0.0, rest)
    return {"student": student, "logits": logits, "teacher": teacher, "unspent": unspent}


def _bounds(solutions: Solutions, limits: Limits) -> dict[str, Flags]:
    values = (solutions.student_tokens, solutions.teacher_tokens, solutions.teacher_params)
    smallest, largest = limits.teacher_params_range
    flags: dict[str, Flags] = {}
    for value, (low, high) in zip(values, PAIRS, strict=True):
        least, most = getattr(limits, low), getattr(limits, high)
        if low == "min_teacher_params":
            least, most = smallest, largest
        flags[low] = value <= least * (1 + ON_BOUND)
        flags[high] = value >= most * (1 - ON_BOUND)
    return flags
