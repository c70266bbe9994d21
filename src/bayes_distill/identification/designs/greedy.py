"""Runs one after another: the one that adds most, or most for its cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the cost that a gain is divided by; the best of these designs is taken."""
MOST_RUNS = 500
NOTHING = 1e-4  # of the first gain: what adds less is noise of the draws


class Picked(NamedTuple):
    """A run of a design: its place among the candidates, and what it adds."""

    candidate: int
    gain: float


def greedy(
    gains: Callable[[], np.ndarray],
    take: Callable[[int], None],
    cost: np.ndarray,
    budget: float,
    most: int,
    power: float,
) -> list[Picked]:
    """Choose candidates until the budget is spent, `most` are chosen, or none adds anything.

    Parameters
    ----------
    gains
        Gains (candidates,) beside what was taken.
    take
        Called with each candidate that is chosen.
    cost
        Of each candidate, (candidates,).
    budget
        Of all of them together.
    most
        Number of runs at most.
    power
        Gains are compared divided by the cost to this power.
    """
    picked: list[Picked] = []
    free = np.ones(len(cost), bool)
    left, first = budget, 0.0
    relative = (cost / cost.max()) ** power
    while len(picked) < min(most, MOST_RUNS):
        within = free & (cost <= left * (1 + 1e-12))
        if not within.any():
            break
        gain = gains()
        place = int(np.where(within, gain / relative, -np.inf).argmax())
        best = float(gain[place])
        first = max(first, best)
        if not best > NOTHING * first:
            break
        take(place)
        free[place] = False
        left -= float(cost[place])
        picked.append(Picked(place, best))
    return picked
