"""What a plan cannot be asked, found before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import Law, TeacherLaw
from bayes_distill.planning.solver.allocation import least_budget
from bayes_distill.planning.solver.limits import Limits


def refuse_nonsense(
    law: Law,
    draws: int,
    params: float,
    budgets: NDArray[np.float64],
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
) -> None:
    """Raise `InputError`, with every fault, unless each budget has a solution within the limits."""
    faults = list(_faults(law, draws, params, budgets, scenario, limits, flops))
    if faults:
        raise InputError(faults)


def _faults(
    law: Law,
    draws: int,
    params: float,
    budgets: NDArray[np.float64],
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
) -> Iterator[Fault]:
    if scenario.distils and not isinstance(law, TeacherLaw):
        yield Fault(
            f"the law {law.name!r} knows no teachers: only supervised training can be planned",
            column="scenario",
        )
    if budgets.ndim > 2 or (budgets.ndim == 2 and budgets.shape[0] not in (1, draws)):
        yield Fault(
            f"must have shape (budgets,) or ({draws}, budgets), not {budgets.shape}",
            column="budget",
        )
    if budgets.size == 0:
        yield Fault("must hold at least one", column="budget")
    sizes_make_sense = 0 < params < np.inf
    if not sizes_make_sense:
        yield Fault(f"must be a positive number, not {params!r}", column="params")
    bad = ~((budgets > 0) & np.isfinite(budgets))
    if bad.any():
        wrong = sorted({f"{b:g}" for b in budgets[bad]})
        yield Fault(f"must be positive numbers, not {', '.join(wrong)}", column="budget")
    if not sizes_make_sense:
        return
    least = least_budget(float(flops.forward_flops(float(params))), scenario, limits, flops)
    short = np.unique(budgets[~bad & (budgets < least)])
    if short.size:
        shown = ", ".join(f"{b:.4g}" for b in short[:5]) + (", ..." if short.size > 5 else "")
        yield Fault(
            f"{shown} FLOPs cannot pay for a student of {params:.4g} parameters in the scenario "
            f"{scenario.name!r} within the limits; the least that can is {least:.4g}",
            column="budget",
        )
