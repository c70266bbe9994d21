"""Runs that might be done next: a grid around those done, or a user's own list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.posterior import Posterior
from bayes_distill.posterior.hull import Hull
from bayes_distill.predict.points import Points, frame_of_points, of_frame

SIZES, TOKENS, TEACHERS = 10, 12, 5
ROUNDED = 0.1  # what rounding to two digits may do to a ratio


@dataclass(frozen=True)
class Candidates:
    """Runs to choose from; `names` are the user's, or empty."""

    points: Points
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points)


def candidate_grid(posterior: Posterior, hull: Hull, reach: float) -> Candidates:
    """Sizes, tokens and teachers over the runs' hull and up to a factor `reach` beyond it.

    Tokens per parameter stay within those of the runs: the most extreme run often has the largest
    expected gain if the law holds there, and there the law is least certain to hold. Teachers stay
    within those of the runs: a better one may not exist. Where the law has a teacher, supervised
    runs are among the candidates too.
    """
    corners = np.array(hull.points)
    low, high = corners.min(axis=0) - np.log(reach), corners.max(axis=0) + np.log(reach)
    params = _round(np.exp(np.linspace(low[0], high[0], SIZES)))
    tokens = _round(np.exp(np.linspace(low[1], high[1], TOKENS)))
    ratio = corners[:, 1] - corners[:, 0]
    ends = np.exp([ratio.min(), ratio.max()]) * [1 - ROUNDED, 1 + ROUNDED]
    sizes = [
        (n, d)
        for n in params
        for d in tokens
        if ends[0] <= d / n <= ends[1] and max(hull.factors(float(n), float(d))) <= reach
    ]
    teachers = [np.nan]
    if posterior.law.has_teacher and hull.teacher_loss is not None:
        teachers += list(np.round(np.geomspace(*hull.teacher_loss, TEACHERS), 3))
    rows = np.array([(n, d, t) for n, d in sizes for t in teachers], float).reshape(-1, 3)
    empty = np.full(len(rows), np.nan)
    return Candidates(Points(rows[:, 0], rows[:, 1], rows[:, 2], empty, empty))


def read_candidates(source: pd.DataFrame | str | Path) -> Candidates:
    """Candidates from a table with the columns of a table of runs, less the loss.

    Raises
    ------
    InputError
        Naming every faulty cell.
    """
    frame = frame_of_points(source)
    points = of_frame(frame)
    names = tuple(map(str, frame["run"])) if "run" in frame else ()
    return Candidates(points, names)


def _round(values: np.ndarray) -> np.ndarray:
    """To two digits, as people would choose them."""
    return np.array(sorted({float(f"{value:.2g}") for value in values}))
