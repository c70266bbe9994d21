"""Runs that might be done next: a grid around those done, or a user's own list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.laws import Law
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.hull import Hull, Hulls
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


def candidate_grid(posterior: Posterior, hulls: Hulls, reach: float) -> Candidates:
    """Sizes, tokens and teachers over the runs' hulls and up to a factor `reach` beyond them.

    Tokens per parameter stay within those of the runs: the most extreme run often has the largest
    expected gain if the law holds there, and there the law is least certain to hold. Teachers stay
    within those of the runs: a better one may not exist. Distilled candidates lie around the
    distilled runs, supervised ones around the supervised. Where the law has a teacher and all runs
    had one, there are supervised candidates around those.
    """
    alone = hulls.supervised or hulls.distilled
    assert alone is not None
    students = [(n, d, np.nan) for n, d in _students(alone, reach)]
    if posterior.law.has_teacher and (taught := hulls.distilled) is not None:
        assert taught.teacher_loss is not None
        teachers = np.round(np.geomspace(*taught.teacher_loss, TEACHERS), 3)
        students += [(n, d, float(t)) for n, d in _students(taught, reach) for t in teachers]
    students.sort(key=lambda each: (each[:2], np.nan_to_num(each[2])))
    rows = np.array(students, float).reshape(-1, 3)
    empty = np.full(len(rows), np.nan)
    return Candidates(Points(rows[:, 0], rows[:, 1], rows[:, 2], empty, empty))


def _students(hull: Hull, reach: float) -> list[tuple[float, float]]:
    """Sizes and tokens on a grid over a hull and up to a factor `reach` beyond it."""
    corners = np.array(hull.points)
    low, high = corners.min(axis=0) - np.log(reach), corners.max(axis=0) + np.log(reach)
    params = _round(np.exp(np.linspace(low[0], high[0], SIZES)))
    tokens = _round(np.exp(np.linspace(low[1], high[1], TOKENS)))
    ratio = corners[:, 1] - corners[:, 0]
    ends = np.exp([ratio.min(), ratio.max()]) * [1 - ROUNDED, 1 + ROUNDED]
    return [
        (float(n), float(d))
        for n in params
        for d in tokens
        if ends[0] <= d / n <= ends[1] and max(hull.factors(float(n), float(d))) <= reach
    ]


def read_candidates(source: pd.DataFrame | str | Path, law: Law | None = None) -> Candidates:
    """Candidates from a table with the columns of a table of runs, less the loss.

    And those that the `law` declares.

    Raises
    ------
    InputError
        Naming every faulty cell.
    """
    frame = frame_of_points(source, law)
    points = of_frame(frame)
    names = tuple(map(str, frame["run"])) if "run" in frame else ()
    return Candidates(points, names)


def _round(values: np.ndarray) -> np.ndarray:
    """To two digits, as people would choose them."""
    return np.array(sorted({float(f"{value:.2g}") for value in values}))
