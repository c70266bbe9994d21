"""Probabilities by way of quantiles.

Whether a stronger teacher hurts turns from nearly sure to nearly impossible within a few hundredths
of a nat: interpolated between nodes, such a probability would be wrong by tenths. The quantiles of
the quantity behind it (the slope, or the advantage over supervised training) vary smoothly. So
tables store quantiles, and the probability that the quantity is below zero is read off them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayes_distill.reporting.tables import Field, Floats, Table

LEVELS = np.array(
    [0, 0.003, 0.01, 0.03, 0.06, *np.arange(0.1, 0.91, 0.05), 0.94, 0.97, 0.99, 0.997, 1]
)


def quantile_fields(name: str, draws: Floats, shape: tuple[int, ...]) -> dict[str, Field]:
    """Fields ``name.0``, ``name.1``, ... of the quantiles of draws (draws, points).

    Values are clipped to [-1, 1]: they stay on their side of zero, and are stored finely.
    """
    found = np.clip(np.quantile(draws, LEVELS, axis=0), -1, 1)
    return {f"{name}.{i}": Field(values.reshape(shape)) for i, values in enumerate(found)}


def names_of(name: str) -> list[str]:
    """Names of the fields that hold the quantiles of `name`."""
    return [f"{name}.{i}" for i in range(len(LEVELS))]


def probability_below_zero(table: Table, name: str, points: dict[str, Floats]) -> Floats:
    """Probability (points,) that the quantity `name` is below zero."""
    found = table.at(points, names_of(name))
    return share_below_zero(np.stack([found[each] for each in names_of(name)]))


def share_below_zero(quantiles: Floats) -> NDArray[np.float64]:
    """The level at which quantiles (levels, points) pass zero; NaN where there are none."""
    rising = np.maximum.accumulate(quantiles, axis=0)
    below = (rising < 0).sum(axis=0)
    i = np.clip(below, 1, len(LEVELS) - 1)
    where = np.arange(rising.shape[1])
    left, right = rising[i - 1, where], rising[i, where]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.clip(-left / (right - left), 0, 1)
    inside = LEVELS[i - 1] + part * (LEVELS[i] - LEVELS[i - 1])
    share = np.where(below == 0, 0.0, np.where(below == len(LEVELS), 1.0, inside))
    return np.where(np.isnan(quantiles).any(axis=0), np.nan, share)
