"""Grids of budgets, and draws taken out of a set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.solver.allocation import least_budget
from bayes_distill.planning.solver.limits import Limits

Floats = NDArray[np.float64]


def log_budget_grid(
    params: float,
    budgets: tuple[float, float],
    per_decade: int,
    scenarios: tuple[Scenario, ...],
    limits: Limits,
    flops: ForwardFlops,
) -> Floats:
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
    if not 0 < params < np.inf:
        faults.append(Fault(f"must be a positive number, not {params!r}", column="params"))
    if faults:
        raise InputError(faults)
    student_flops = float(flops.forward_flops(float(params)))
    least = max(least_budget(student_flops, s, limits, flops) for s in scenarios)
    low = max(low, least * (1 + 1e-9))
    if low >= high:
        raise InputError(
            Fault(
                f"nothing below {high:.4g} is feasible; the least is {least:.4g}", column="budget"
            )
        )
    points = max(2, int(np.ceil(np.log10(high / low) * per_decade)) + 1)
    return np.linspace(np.log(low), np.log(high), points)


def pick(draws: Mapping[str, Floats], index: NDArray[np.intp]) -> dict[str, Floats]:
    """Coordinates of some of the draws."""
    return {name: values[index] for name, values in draws.items()}
