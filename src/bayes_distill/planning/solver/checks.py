"""What makes a problem unsolvable, found before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import TeacherLaw
from bayes_distill.planning.solver.problem import Problem


def refuse_unsolvable(problem: Problem, budget: NDArray[np.float64]) -> None:
    """Raise `InputError`, with every fault, unless each budget has a solution within the limits."""
    faults = list(_faults(problem, budget))
    if faults:
        raise InputError(faults)


def _faults(problem: Problem, budget: NDArray[np.float64]) -> Iterator[Fault]:
    params, scenario, draws = problem.params, problem.scenario, problem.n_draws
    if scenario.distils and not isinstance(problem.law, TeacherLaw):
        yield Fault(
            f"the law {problem.law.name!r} knows no teachers: only supervised training can be "
            "planned",
            column="scenario",
        )
    if budget.ndim > 2 or (budget.ndim == 2 and budget.shape[0] not in (1, draws)):
        yield Fault(
            f"must have shape (budgets,) or ({draws}, budgets), not {budget.shape}",
            column="budget",
        )
    if budget.size == 0:
        yield Fault("must hold at least one", column="budget")
    params_positive = bool(((problem.sizes > 0) & np.isfinite(problem.sizes)).all())
    if not params_positive:
        yield Fault(f"must be a positive number, not {params!r}", column="params")
    positive = (budget > 0) & np.isfinite(budget)
    if not positive.all():
        wrong = sorted({f"{b:g}" for b in budget[~positive]})
        yield Fault(f"must be positive numbers, not {', '.join(wrong)}", column="budget")
    if not params_positive:
        return
    if budget.ndim > 2 or (budget.ndim == 2 and budget.shape[0] not in (1, draws)):
        return
    each = np.broadcast_to(budget, (draws, budget.shape[-1]))
    least = problem.least_budget[:, None]
    is_short = (each > 0) & (each < least)
    short = np.unique(each[is_short])
    if short.size:
        shown = ", ".join(f"{b:.4g}" for b in short[:5]) + (", ..." if short.size > 5 else "")
        draw = int(is_short.any(axis=1).argmax())
        yield Fault(
            f"{shown} FLOPs cannot pay for a student of {problem.sizes[draw]:.4g} parameters in "
            f"the scenario {scenario.name!r} within the limits; the least that can is "
            f"{least[draw, 0]:.4g}",
            column="budget",
        )
