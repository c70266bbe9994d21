"""P-values: of a statistic among replicated ones, and adjusted for their number."""

from __future__ import annotations

import numpy as np

TAIL = 0.1  # share of the replicated values whose excesses a tail is fitted to
ENOUGH = 100  # replicated values beyond a value: their share will do
HEAVIEST = 0.5  # shape of a generalised Pareto distribution, at most


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p values for their number (Holm 1979): valid whatever their dependence."""
    order = np.argsort(p_values)
    factors = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def p_above(value: float, replicated: np.ndarray) -> float:
    """Probability of a replicated value above `value`, far beyond what was replicated too.

    It is the share of the replicated values, if enough of them are larger. Beyond, it follows a
    generalised Pareto distribution of what exceeds their 90% quantile, fitted by moments (Hosking
    and Wallis 1987, section 3) with a shape of at least zero: a tail is never taken as lighter than
    exponential.

    Parameters
    ----------
    value
        The statistic of the real runs.
    replicated
        Those of replicated runs, (replications,).
    """
    edge = float(np.quantile(replicated, 1 - TAIL))
    excess = replicated[replicated > edge] - edge
    larger = int((replicated >= value).sum())
    if value <= edge or larger >= ENOUGH or not len(excess) or excess.std() == 0:
        return (1 + larger) / (1 + len(replicated))
    ratio = float(excess.mean() ** 2 / excess.var())
    shape = min(max((1 - ratio) / 2, 0.0), HEAVIEST)
    scale = float(excess.mean()) * (1 - shape)
    share = len(excess) / len(replicated)
    beyond = (value - edge) / scale
    tail = np.exp(-beyond) if shape < 1e-6 else (1 + shape * beyond) ** (-1 / shape)
    return float(share * tail)


def p_either_side(value: float, replicated: np.ndarray) -> float:
    """Twice the smaller of the probabilities above and below, at most 1."""
    return min(1.0, 2 * min(p_above(value, replicated), p_above(-value, -replicated)))
