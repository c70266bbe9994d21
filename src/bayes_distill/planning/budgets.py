"""Grids of budgets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.solver.problem import Problem, least_budget


def log_budget_grid(
    problem: Problem,
    budgets: tuple[float, float],
    per_decade: int,
    scenarios: tuple[Scenario, ...],
) -> NDArray[np.float64]:
    """Logs of budgets between two, at which all of `scenarios` are feasible.

    Raises
    ------
    InputError
        If the range is empty or nothing in it is feasible; the message says what would be.
    """
    low, high = budgets
    faults = []
    if not (0 < low < high < np.inf):
        faults.append(
            Fault(f"must rise from a positive number, not {low!r} to {high!r}", column="budget")
        )
    if not per_decade >= 1:
        faults.append(Fault(f"must be at least 1, not {per_decade!r}", column="per_decade"))
    if not ((problem.sizes > 0) & np.isfinite(problem.sizes)).all():
        faults.append(Fault(f"must be a positive number, not {problem.params!r}", column="params"))
    if faults:
        raise InputError(faults)
    least = max(
        float(least_budget(problem.sizes, s, problem.limits, problem.flops).max())
        for s in scenarios
    )
    low = max(low, least * (1 + 1e-9))
    if low >= high:
        raise InputError(
            Fault(
                f"nothing below {high:.4g} is feasible; the least is {least:.4g}", column="budget"
            )
        )
    points = max(2, int(np.ceil(np.log10(high / low) * per_decade)) + 1)
    return np.linspace(np.log(low), np.log(high), points)
