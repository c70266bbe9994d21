"""Runs above a budget, which are forecast from those below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.runs import Runs

FACTORS = (3.0, 10.0, 30.0)
FLOP = 6  # a parameter and a token


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that are left out together; `held` (runs,) marks them."""

    name: str
    held: np.ndarray

    def __len__(self) -> int:
        return int(self.held.sum())


def compute_of(frame: pd.DataFrame) -> np.ndarray:
    """Training FLOP of runs (runs,), six a parameter and a token."""
    return np.asarray(FLOP * frame["params"].to_numpy(float) * frame["tokens"].to_numpy(float))


def beyond_budgets(table: Runs, factors: Sequence[float]) -> tuple[Group, ...]:
    """Groups of runs above one f-th of the most compute, for every factor f, smallest first.

    Factors that leave no run to fit, or the same runs as one before, make no group.

    Raises
    ------
    InputError
        If a factor is not above 1, or none leaves any runs to fit.
    """
    faults = [
        Fault(f"{factor:g} is no factor above 1", column="factors")
        for factor in factors
        if not factor > 1 or not np.isfinite(factor)
    ]
    if not factors:
        faults.append(Fault("is an empty list", column="factors"))
    if faults:
        raise InputError(faults)
    cost = compute_of(table.frame)
    found: list[Group] = []
    for factor in sorted(set(factors)):
        budget = cost.max() / factor
        dearer = cost > budget
        if dearer.all() or any(np.array_equal(dearer, group.held) for group in found):
            continue
        found.append(Group(f"above {budget:.2g} FLOP", dearer))
    if not found:
        range_ = cost.max() / cost.min()
        raise InputError(
            Fault(
                f"the dearest run of {table.source} costs {range_:.3g} times as much as the "
                "cheapest: no factor leaves cheaper runs to fit",
                column="factors",
            )
        )
    return tuple(found)
