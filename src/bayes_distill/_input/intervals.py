"""Equal-tailed intervals of draws, named as people read them."""

from __future__ import annotations

import numpy as np

from bayes_distill.errors import Fault

LARGEST_SEED = 2**62
"""Beyond it there is no place in 64 bits for a seed and what is added to it."""


def interval_fault(interval: float) -> Fault | None:
    """Say what is wrong with an interval's probability, or ``None``."""
    if 0 < interval < 1:
        return None
    return Fault(
        f"{interval:g} is not a probability between 0 and 1 (0.9 means 90%)", column="interval"
    )


def seed_faults(seed: int) -> list[Fault]:
    """What is wrong with a seed, as a list to which others are added."""
    if seed < 0:
        return [Fault(f"{seed} is less than 0", column="seed")]
    if seed > LARGEST_SEED:
        return [Fault(f"{seed} is more than {LARGEST_SEED}", column="seed")]
    return []


def equal_tailed(draws: np.ndarray, interval: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end, over the first axis, of the interval that leaves equal tails."""
    lower, upper = np.quantile(draws, [(1 - interval) / 2, (1 + interval) / 2], axis=0)
    return lower, upper


def mean_of(draws: np.ndarray) -> np.ndarray:
    """Mean over the first axis, exact where all draws are the same: 2.0 must not become 1.9999."""
    mean: np.ndarray = draws.mean(axis=0)
    return np.where((draws == draws[0]).all(axis=0), draws[0], mean)


def number(value: float) -> float | None:
    """A float for JSON, which has no NaN and no infinity."""
    return float(value) if np.isfinite(value) else None


def draws_faults(draws: int, least: int = 1) -> list[Fault]:
    """Fault of a number of draws that is too small, as a list to which others are added."""
    return [] if draws >= least else [Fault(f"{draws} is less than {least}", column="draws")]
