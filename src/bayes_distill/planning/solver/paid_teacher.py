"""A teacher that costs something: its size and tokens compete with the student for the budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import TRAINING_PASSES
from bayes_distill.laws import TeacherLaw
from bayes_distill.planning.solver.allocation import NEVER, Allocation, teacher_range
from bayes_distill.planning.solver.batched_search import Family, allocate
from bayes_distill.planning.solver.cheapest_teacher import cheapest_teacher
from bayes_distill.planning.solver.free_teacher import solve_free_teacher
from bayes_distill.planning.solver.problem import Problem
from bayes_distill.planning.solver.solutions import Solutions, put

Floats = NDArray[np.float64]

SAME_LOSS = 1e-10  # relative; below this a recipe that leaves budget unspent is as good


@dataclass(frozen=True, eq=False)
class Cases:
    """One problem for many draws and budgets.

    Parameters
    ----------
    problem
        What they have in common.
    draw, budget
        Draw and budget (FLOPs) of each, shapes (cases,).
    """

    problem: Problem
    draw: NDArray[np.intp]
    budget: Floats


def solve_paid_teacher(cases: Cases, *, recipe: bool) -> Solutions:
    """Best allocations for budgets that are known to be feasible; arrays (cases,).

    Without `recipe` only losses are wanted, and teachers need not be the cheapest of their loss.
    """
    menu = cases.problem.limits.menu
    if not menu:
        return _solve_sizes(cases, recipe)
    best = Solutions.none(cases.budget.shape)
    for size in menu:
        with_size = replace(cases, problem=cases.problem.with_teacher_of(size))
        solutions = _solve_sizes(with_size, recipe)
        # of equally good sizes the smallest stays
        best = solutions.where(solutions.loss < best.loss, best)
    return best


def _solve_sizes(cases: Cases, recipe: bool) -> Solutions:
    """The better of the two faces (see `allocation`); the loss is infinite where both are empty."""
    everywhere = np.ones(cases.budget.shape, bool)
    saving = _solve_face(cases, everywhere, saving=True)
    solved = np.isfinite(saving.loss)
    unbeaten = solved.copy()
    unbeaten[solved] = saving.loss[solved] <= _least_loss(cases, solved) * (1 + SAME_LOSS)
    if recipe and solved.any() and not cases.problem.scenario.teacher_is_free:
        saving = _spend_least(cases, saving, np.flatnonzero(solved))
    # where a student with all tokens has its best teacher, spending more is no use
    spending = _solve_face(cases, ~unbeaten, saving=False)
    return saving.where(saving.loss <= spending.loss * (1 + SAME_LOSS), spending)


def _solve_face(cases: Cases, wanted: NDArray[np.bool_], *, saving: bool) -> Solutions:
    """Solve on one face where `wanted`; the loss is infinite elsewhere and on an empty face."""
    problem = cases.problem
    scenario, limits = problem.scenario, problem.limits
    each = problem.flops_per_token[cases.draw]
    low, high = teacher_range(problem, cases.budget, each, saving=saving)
    where = np.flatnonzero(wanted & (low <= high))
    nothing = Solutions.none(cases.budget.shape)
    if where.size == 0:
        return nothing
    charge = TRAINING_PASSES * scenario.teacher_share
    budget = cases.budget[where]
    allocations = Allocation(
        log_params=np.log(problem.sizes[cases.draw[where]]),
        budget=budget,
        student_cost=each[where] / budget,
        logits_charge=scenario.logits_share,
        log_training_charge=np.log(charge) if charge > 0 else -NEVER,
        min_tokens=limits.min_tokens,
        max_tokens=limits.max_tokens,
        log_min_teacher_tokens=np.log(limits.min_teacher_tokens),
        log_max_teacher_tokens=np.log(limits.max_teacher_tokens),
        log_min_teacher_params=low[where],
        log_max_teacher_params=high[where],
        saving=saving,
    )
    solutions = allocate(
        problem.coordinates,
        cases.draw[where],
        allocations,
        Family(cast(TeacherLaw, problem.law), problem.reference, problem.flops),
        one_size=limits.min_teacher_params == limits.max_teacher_params,
    )
    return nothing.put(where, _tidy(problem, budget, each[where], solutions, saving=saving))


def _tidy(
    problem: Problem, budget: Floats, each: Floats, solutions: Solutions, *, saving: bool
) -> Solutions:
    """Undo the rounding of logarithms: bounds hold exactly, and so does the identity.

    `each` (cases,) is what training a student costs per token.
    """
    limits, scenario = problem.limits, problem.scenario
    smallest, largest = limits.teacher_params_range
    size = np.clip(solutions.teacher_params, smallest, largest)
    teacher_tokens = np.clip(
        solutions.teacher_tokens, limits.min_teacher_tokens, limits.max_teacher_tokens
    )
    tokens = solutions.student_tokens
    if not saving:
        model = problem.flops.forward_flops(size)
        training = TRAINING_PASSES * scenario.teacher_share * model * teacher_tokens
        tokens = (budget - training) / (each + scenario.logits_share * model)
    tokens = np.clip(tokens, limits.min_tokens, limits.max_tokens)
    return solutions._replace(
        teacher_params=size, teacher_tokens=teacher_tokens, student_tokens=tokens
    )


def _least_loss(cases: Cases, which: NDArray[np.bool_]) -> Floats:
    """What students could reach in some of the cases, with all tokens and any teacher for free."""
    draws, inverse = np.unique(cases.draw[which], return_inverse=True)
    if draws.size == 0:
        return np.empty(0)
    tokens = np.full(draws.shape, float(cases.problem.limits.max_tokens))
    return solve_free_teacher(cases.problem, draws, tokens).loss[inverse]


def _spend_least(cases: Cases, solutions: Solutions, where: NDArray[np.intp]) -> Solutions:
    """Replace teachers on the saving face by the cheapest that are as good.

    There the loss depends on the teacher's loss alone, so sizes and tokens lie in a flat valley.
    """
    # budgets that leave money unspent share their teacher: solve once for each of these
    keys = np.stack([cases.draw[where], np.round(np.log(solutions.teacher_loss[where]), 9)])
    _, first, inverse = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    some = where[first]
    size, tokens = cheapest_teacher(cases.problem, cases.draw[some], solutions.teacher_loss[some])
    inverse = inverse.ravel()
    return solutions._replace(
        teacher_params=put(solutions.teacher_params, where, size[inverse]),
        teacher_tokens=put(solutions.teacher_tokens, where, tokens[inverse]),
    )
