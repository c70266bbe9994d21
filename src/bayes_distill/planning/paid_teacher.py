"""A teacher that costs something: its size and tokens compete with the student for the budget."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import TRAINING_PASSES, ForwardFlops, Scenario
from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.planning.cheapest import cheapest_teacher
from bayes_distill.planning.lanes import NEVER, Lane, teacher_range
from bayes_distill.planning.limits import Limits
from bayes_distill.planning.search import Found, allocate

Floats = NDArray[np.float64]

SAME_LOSS = 1e-10  # relative; below this a recipe that leaves budget unspent is as good


def solve_paid_teacher(
    law: TeacherLaw,
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    reference: Reference,
    params: float,
    budget: Floats,
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
) -> Found:
    """Best allocations for budgets (problems,) that are known to be feasible."""
    menu = limits.menu or (None,)
    best: Found | None = None
    for size in menu:
        narrowed = limits if size is None else _only(limits, size)
        spending, saving = (
            _solve_sheet(
                law, coordinates, draw, reference, params, budget, scenario, narrowed, flops,
                saving=saving,
            )
            for saving in (False, True)
        )  # fmt: skip
        if np.isfinite(saving.loss).any() and not scenario.teacher_is_free:
            saving = _spend_least(
                saving, law, coordinates, draw, reference, budget, scenario, narrowed, flops
            )
        better = saving.loss <= spending.loss * (1 + SAME_LOSS)
        found = _where(better, saving, spending)
        # of equally good sizes the smallest wins, which comes first
        best = found if best is None else _where(found.loss < best.loss, found, best)
    assert best is not None
    return best


def _only(limits: Limits, size: float) -> Limits:
    return Limits(
        limits.min_tokens, limits.max_tokens,
        limits.min_teacher_tokens, limits.max_teacher_tokens,
        size, size,
    )  # fmt: skip


def _solve_sheet(
    law: TeacherLaw,
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    reference: Reference,
    params: float,
    budget: Floats,
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
    *,
    saving: bool,
) -> Found:
    """Solve on one sheet (see `lanes`); the loss is infinite where the sheet is empty."""
    student_flops = float(flops.forward_flops(float(params)))
    low, high = teacher_range(budget, student_flops, scenario, limits, flops, saving=saving)
    there = np.flatnonzero(low <= high)
    empty = np.full(budget.shape, np.nan)
    nothing = Found(
        np.full(budget.shape, np.inf), empty, empty, empty, empty, np.ones(budget.shape, bool)
    )
    if there.size == 0:
        return nothing
    charge = TRAINING_PASSES * scenario.teacher_share
    some = budget[there]

    def same(value: float) -> Floats:
        return np.asarray(value, dtype=np.float64)

    lanes = Lane(
        log_params=np.log(same(params)),
        budget=some,
        student_cost=TRAINING_PASSES * student_flops / some,
        logits_charge=same(scenario.logits_share),
        log_training_charge=np.log(same(charge)) if charge > 0 else same(-NEVER),
        min_tokens=same(limits.min_tokens),
        max_tokens=same(limits.max_tokens),
        log_min_teacher_tokens=np.log(same(limits.min_teacher_tokens)),
        log_max_teacher_tokens=np.log(same(limits.max_teacher_tokens)),
        log_min_teacher_params=low[there],
        log_max_teacher_params=high[there],
        saving=np.asarray(saving),
    )
    one_size = limits.min_teacher_params == limits.max_teacher_params
    found = allocate(coordinates, draw[there], lanes, law, reference, flops, one_size=one_size)
    found = _tidy(found, some, student_flops, scenario, limits, flops, saving=saving)
    return Found(*(_put(old, there, new) for old, new in zip(nothing, found, strict=True)))


def _tidy(
    found: Found,
    budget: Floats,
    student_flops: float,
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
    *,
    saving: bool,
) -> Found:
    """Undo the rounding of logarithms: bounds hold exactly, and so does the identity."""
    smallest, largest = limits.teacher_params_range
    size = np.clip(found.teacher_params, smallest, largest)
    taught = np.clip(found.teacher_tokens, limits.min_teacher_tokens, limits.max_teacher_tokens)
    tokens = found.student_tokens
    if not saving:
        model = flops.forward_flops(size)
        training = TRAINING_PASSES * scenario.teacher_share * model * taught
        each = TRAINING_PASSES * student_flops + scenario.logits_share * model
        tokens = (budget - training) / each
    tokens = np.clip(tokens, limits.min_tokens, limits.max_tokens)
    return found._replace(teacher_params=size, teacher_tokens=taught, student_tokens=tokens)


def _spend_least(
    found: Found,
    law: TeacherLaw,
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    reference: Reference,
    budget: Floats,
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
) -> Found:
    """Replace teachers on the saving sheet by the cheapest that are as good.

    There the loss depends on the teacher's loss alone, so sizes and tokens lie in a flat valley.
    """
    there = np.flatnonzero(np.isfinite(found.loss))
    # budgets that leave money unspent share their teacher: solve once for each of these
    keys = np.stack([draw[there], np.round(np.log(found.teacher_loss[there]), 9)])
    _, first, inverse = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    which = there[first]
    size, taught = cheapest_teacher(
        law, coordinates, draw[which], reference, found.teacher_loss[which], scenario, limits, flops
    )
    size, taught = size[inverse.ravel()], taught[inverse.ravel()]
    model = flops.forward_flops(size)
    each_token = scenario.logits_share * limits.max_tokens
    cost = model * (each_token + TRAINING_PASSES * scenario.teacher_share * taught)
    student_flops_left = budget[there] - cost
    del student_flops_left
    return found._replace(
        teacher_params=_put(found.teacher_params, there, size),
        teacher_tokens=_put(found.teacher_tokens, there, taught),
    )


def _put[T: (Floats, NDArray[np.bool_])](old: T, where: NDArray[np.intp], new: T) -> T:
    out = old.copy()
    out[where] = new
    return out


def _where(condition: NDArray[np.bool_], this: Found, other: Found) -> Found:
    return Found(*(np.where(condition, a, b) for a, b in zip(this, other, strict=True)))
