"""Quantities by which real runs and replicated ones are compared.

Each is a function of residuals (draws, runs) that are standard normal if the draw is right: how
many residual scales a loss lies above the curve, transformed from the likelihood's distribution to
the normal one (`Likelihood.normal_scores`), so that single outliers do not dominate. A law that is
wrong shows as residuals that depend on something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

SAME_SIZE = 0.01  # of the logarithm: sizes within 1% are one size
BINS = 8
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Quantity:
    """One test quantity: `statistic` maps residuals (draws, runs) to numbers (draws,).

    `if_larger` and `if_smaller` say what it means if the real runs have more or less of it than
    replicated ones.
    """

    name: str
    meaning: str
    if_larger: str
    if_smaller: str
    statistic: Statistic


def quantities_for(frame: pd.DataFrame) -> list[Quantity]:
    """Test quantities that these runs allow: a trend needs values that vary, and so on."""
    found = [
        Quantity(
            "largest_residual",
            "largest residual, as a standard normal",
            "single runs lie further off than the noise allows: look at the flagged runs",
            "the likelihood expects wilder runs than there are: its tails are heavy for these",
            lambda r: np.abs(r).max(axis=1),
        )
    ]
    sizes = _sizes(frame["params"].to_numpy(float))
    if 1 < len(np.unique(sizes)) <= len(sizes) / 2:
        found.append(
            Quantity(
                "same_size",
                "share of squared residuals that runs of one student size have in common",
                "runs of one size are off together: bands for a new size are too narrow",
                "runs of one size differ less from the curve than noise would have it",
                lambda r: _explained(r, sizes),
            )
        )
    for name in ("params", "tokens", "teacher_loss"):
        if name not in frame:
            continue
        values = frame[name].to_numpy(float)
        known = np.isfinite(values)
        if len(np.unique(values[known])) < 3:
            continue
        x, spoken = np.log(values[known]), name.replace("_", " ")
        found += [
            Quantity(
                f"trend_{name}",
                f"correlation of residuals with log {spoken}",
                f"residuals rise with {spoken}: forecasts beyond the runs are off",
                f"residuals fall with {spoken}: forecasts beyond the runs are off",
                partial(_correlation, known=known, x=x),
            ),
            Quantity(
                f"pattern_{name}",
                f"share of squared residuals that follows {spoken}, in bins",
                f"the law bends otherwise than the runs along {spoken}",
                f"residuals are more even along {spoken} than noise would be",
                partial(_pattern, known=known, groups=_bins(x)),
            ),
        ]
    return found


def below_teacher(frame: pd.DataFrame) -> Quantity | None:
    """Share of students below their measured teacher; a function of losses, not of residuals."""
    if "teacher_loss" not in frame:
        return None
    teacher = frame["teacher_loss"].to_numpy(float)
    known = np.isfinite(teacher)
    if not known.any():
        return None
    return Quantity(
        "below_teacher",
        "share of students that end below their teacher",
        "students beat (weak) teachers more often than the law allows",
        "students beat their teachers less often than the noise of this fit would have it",
        lambda losses: (losses[:, known] < teacher[known]).mean(axis=1),
    )


def _explained(residuals: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Share of the sum of squares that the groups' means make up, (draws,)."""
    member = (groups[:, None] == np.unique(groups)).astype(float)
    between = ((residuals @ member) ** 2 / member.sum(axis=0)).sum(axis=1)
    return np.asarray(between / (residuals**2).sum(axis=1))


def _pattern(residuals: np.ndarray, known: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return _explained(residuals[:, known], groups)


def _correlation(residuals: np.ndarray, known: np.ndarray, x: np.ndarray) -> np.ndarray:
    mine = residuals[:, known]
    centred = mine - mine.mean(axis=1, keepdims=True)
    along = (x - x.mean()) / np.linalg.norm(x - x.mean())
    return np.asarray(centred @ along / np.linalg.norm(centred, axis=1))


def _sizes(params: np.ndarray) -> np.ndarray:
    order = np.argsort(params)
    steps = np.diff(np.log(params[order]), prepend=np.log(params[order[0]])) > SAME_SIZE
    labels = np.empty(len(params), int)
    labels[order] = np.cumsum(steps)
    return labels


def _bins(x: np.ndarray) -> np.ndarray:
    """Labels of about equally full bins; equal values share a bin."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, x, side="right")
