"""Equal-tailed intervals of draws, named as people read them."""

from __future__ import annotations

import numpy as np

from bayes_distill.errors import Fault


def interval_fault(interval: float) -> Fault | None:
    """Say what is wrong with an interval's probability, or ``None``."""
    if 0 < interval < 1:
        return None
    return Fault(
        f"{interval:g} is not a probability between 0 and 1 (0.9 means 90%)", column="interval"
    )


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
