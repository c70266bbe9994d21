"""A teacher that costs something: its size and tokens compete with the student for the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import TRAINING_PASSES, ForwardFlops, Scenario
from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.planning.solver.allocation import NEVER, Lane, teacher_range
from bayes_distill.planning.solver.batched_search import Found, Problem, allocate
from bayes_distill.planning.solver.cheapest_teacher import cheapest_teacher
from bayes_distill.planning.solver.free_teacher import solve_free_teacher
from bayes_distill.planning.solver.limits import Limits

Floats = NDArray[np.float64]

SAME_LOSS = 1e-10  # relative; below this a recipe that leaves budget unspent is as good


@dataclass(frozen=True)
class Task:
    """What all problems of one call have in common, and their budgets.

    Parameters
    ----------
    law, reference, params, scenario, limits, flops
        As `optimise` takes them.
    coordinates
        Arrays (draws,).
    draw, budget
        Draw and budget (FLOPs) of each problem, shapes (problems,).
    """

    law: TeacherLaw
    coordinates: Mapping[str, Floats]
    reference: Reference
    params: float
    scenario: Scenario
    limits: Limits
    flops: ForwardFlops
    draw: NDArray[np.intp]
    budget: Floats

    @property
    def student_flops(self) -> float:
        """Forward FLOPs of the student per token."""
        return float(self.flops.forward_flops(float(self.params)))

    def only(self, size: float) -> Task:
        """The same with one teacher size."""
        limits = replace(
            self.limits, min_teacher_params=size, max_teacher_params=size, teacher_sizes=()
        )
        return replace(self, limits=limits)


def solve_paid_teacher(task: Task, *, recipe: bool) -> Found:
    """Best allocations for budgets that are known to be feasible; arrays over problems.

    Without `recipe` only losses are wanted, and teachers need not be the cheapest of their loss.
    """
    menu = task.limits.menu
    if not menu:
        return _solve_sizes(task, recipe)
    best = _solve_sizes(task.only(menu[0]), recipe)
    for size in menu[1:]:
        found = _solve_sizes(task.only(size), recipe)
        # of equally good sizes the smallest stays
        best = found.where(found.loss < best.loss, best)
    return best


def _solve_sizes(task: Task, recipe: bool) -> Found:
    """The better of the two sheets (see `lanes`); the loss is infinite where both are empty."""
    everywhere = np.ones(task.budget.shape, bool)
    saving = _solve_sheet(task, everywhere, saving=True)
    there = np.isfinite(saving.loss)
    unbeaten = there.copy()
    unbeaten[there] = saving.loss[there] <= _least_loss(task, there) * (1 + SAME_LOSS)
    if recipe and there.any() and not task.scenario.teacher_is_free:
        saving = _spend_least(task, saving, there)
    # where a student with all tokens has its best teacher, spending more is no use
    spending = _solve_sheet(task, ~unbeaten, saving=False)
    return saving.where(saving.loss <= spending.loss * (1 + SAME_LOSS), spending)


def _solve_sheet(task: Task, wanted: NDArray[np.bool_], *, saving: bool) -> Found:
    """Solve on one sheet where `wanted`; the loss is infinite elsewhere and on an empty sheet."""
    scenario, limits, flops = task.scenario, task.limits, task.flops
    low, high = teacher_range(
        task.budget, task.student_flops, scenario, limits, flops, saving=saving
    )
    there = np.flatnonzero(wanted & (low <= high))
    empty = np.full(task.budget.shape, np.nan)
    converged = np.ones(task.budget.shape, bool)
    nothing = Found(np.full(empty.shape, np.inf), empty, empty, empty, empty, converged)
    if there.size == 0:
        return nothing
    charge = TRAINING_PASSES * scenario.teacher_share
    budget = task.budget[there]
    lanes = Lane(
        log_params=np.log(task.params),
        budget=budget,
        student_cost=TRAINING_PASSES * task.student_flops / budget,
        logits_charge=scenario.logits_share,
        log_training_charge=np.log(charge) if charge > 0 else -NEVER,
        min_tokens=limits.min_tokens,
        max_tokens=limits.max_tokens,
        log_min_teacher_tokens=np.log(limits.min_teacher_tokens),
        log_max_teacher_tokens=np.log(limits.max_teacher_tokens),
        log_min_teacher_params=low[there],
        log_max_teacher_params=high[there],
        saving=saving,
    )
    found = _tidy(
        task,
        budget,
        allocate(
            task.coordinates,
            task.draw[there],
            lanes,
            Problem(task.law, task.reference, flops),
            one_size=limits.min_teacher_params == limits.max_teacher_params,
        ),
        saving=saving,
    )
    return Found(*(_put(old, there, new) for old, new in zip(nothing, found, strict=True)))


def _tidy(task: Task, budget: Floats, found: Found, *, saving: bool) -> Found:
    """Undo the rounding of logarithms: bounds hold exactly, and so does the identity."""
    limits, scenario = task.limits, task.scenario
    smallest, largest = limits.teacher_params_range
    size = np.clip(found.teacher_params, smallest, largest)
    taught = np.clip(found.teacher_tokens, limits.min_teacher_tokens, limits.max_teacher_tokens)
    tokens = found.student_tokens
    if not saving:
        model = task.flops.forward_flops(size)
        training = TRAINING_PASSES * scenario.teacher_share * model * taught
        each = TRAINING_PASSES * task.student_flops + scenario.logits_share * model
        tokens = (budget - training) / each
    tokens = np.clip(tokens, limits.min_tokens, limits.max_tokens)
    return found._replace(teacher_params=size, teacher_tokens=taught, student_tokens=tokens)


def _least_loss(task: Task, there: NDArray[np.bool_]) -> Floats:
    """What the student could reach where `there`, with all tokens and any teacher for nothing."""
    draws, inverse = np.unique(task.draw[there], return_inverse=True)
    if draws.size == 0:
        return np.empty(0)
    tokens = np.full(draws.shape, float(task.limits.max_tokens))
    found = solve_free_teacher(
        task.law, task.coordinates, draws, task.reference, task.params, tokens, task.limits
    )
    return found.loss[inverse]


def _spend_least(task: Task, found: Found, where: NDArray[np.bool_]) -> Found:
    """Replace teachers on the saving sheet by the cheapest that are as good.

    There the loss depends on the teacher's loss alone, so sizes and tokens lie in a flat valley.
    """
    there = np.flatnonzero(where)
    # budgets that leave money unspent share their teacher: solve once for each of these
    keys = np.stack([task.draw[there], np.round(np.log(found.teacher_loss[there]), 9)])
    _, first, inverse = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    which = there[first]
    size, taught = cheapest_teacher(
        task.law,
        task.coordinates,
        task.draw[which],
        task.reference,
        found.teacher_loss[which],
        task.scenario,
        task.limits,
        task.flops,
    )
    inverse = inverse.ravel()
    return found._replace(
        teacher_params=_put(found.teacher_params, there, size[inverse]),
        teacher_tokens=_put(found.teacher_tokens, there, taught[inverse]),
    )


def _put(old: NDArray[Any], where: NDArray[np.intp], new: NDArray[Any]) -> NDArray[Any]:
    out = old.copy()
    out[where] = new
    return out
