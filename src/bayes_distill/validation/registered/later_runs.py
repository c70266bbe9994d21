"""Runs that were done after a forecast, and which of them are of one point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

TEACHER_PART = 0.25
"""Tolerance of a teacher's log loss, over that of log sizes: losses move in a power of sizes."""
SAME_LOSS = 1e-6
TEACHER = ("teacher_loss", "teacher_params", "teacher_tokens")


@dataclass(frozen=True, eq=False)
class LaterRuns:
    """Numbers of a table of runs, each (runs,), and what counts as the same as in a forecast.

    Parameters
    ----------
    names
        Rows of the runs.
    params, tokens, loss, unique_tokens
        As in `Runs`.
    teachers
        Loss, size and tokens of teachers; NaN where there are none.
    arms
        Names of the arms of the runs, by the column that has them.
    tolerance
        Largest difference of log sizes at which a run is of a forecast.
    """

    names: np.ndarray
    params: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray
    unique_tokens: np.ndarray
    teachers: Mapping[str, np.ndarray]
    arms: Mapping[str, np.ndarray]
    tolerance: float

    @staticmethod
    def of(
        frame: pd.DataFrame, tolerance: float, arms: Mapping[str, np.ndarray] | None = None
    ) -> LaterRuns:
        """Numbers of the frame of `Runs`."""
        return LaterRuns(
            frame.index.to_numpy(),
            _column(frame, "params"),
            _column(frame, "tokens"),
            _column(frame, "loss"),
            _column(frame, "unique_tokens"),
            {name: _column(frame, name) for name in TEACHER},
            dict(arms or {}),
            tolerance,
        )

    @property
    def taught(self) -> np.ndarray:
        """Which runs have a teacher, (runs,)."""
        known = [~np.isnan(self.teachers[name]) for name in ("teacher_loss", "teacher_params")]
        return np.asarray(known[0] | known[1])

    def of_size(self, point: Mapping[str, Any]) -> np.ndarray:
        """Which runs have the size, tokens and different tokens of a forecast, (runs,)."""
        asked = float(point["unique_tokens"])
        wanted = point["tokens"] if np.isnan(asked) else min(asked, point["tokens"])
        had = np.where(
            np.isnan(self.unique_tokens), self.tokens, np.minimum(self.unique_tokens, self.tokens)
        )
        apart = [self.params / point["params"], self.tokens / point["tokens"], had / wanted]
        return np.asarray((np.abs(np.log(apart)) <= self.tolerance).all(axis=0))

    def of_teacher(self, point: Mapping[str, Any]) -> np.ndarray:
        """Which runs have the teacher of a forecast, or none where it has none, (runs,)."""
        named = {name: float(point[name]) for name in TEACHER}
        if all(np.isnan(value) for value in named.values()):
            return ~self.taught
        close = {
            name: np.abs(np.log(values / named[name]))
            <= self.tolerance * (TEACHER_PART if name == "teacher_loss" else 1)
            for name, values in self.teachers.items()
        }
        by_size = close["teacher_params"] & close["teacher_tokens"]
        return np.asarray(self.taught & (close["teacher_loss"] | by_size))

    def of_arm(self, by: str | None, arm: str | None) -> np.ndarray:
        """Which runs are of an arm; all of them where none is meant, (runs,)."""
        if arm is None:
            return np.ones(len(self.loss), bool)
        labels = None if by is None else self.arms.get(by)
        none = np.zeros(len(self.loss), bool)
        return none if labels is None else np.asarray(labels == arm)

    def known(self, losses: np.ndarray) -> np.ndarray:
        """Which runs the fit of a forecast had, by the `losses` of its runs near by, (runs,)."""
        near = np.asarray(losses, float)
        if not near.size:
            return np.zeros(len(self.loss), bool)
        return np.asarray((np.abs(self.loss[:, None] / near - 1) <= SAME_LOSS).any(axis=1))


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(float) if name in frame else np.full(len(frame), np.nan)
