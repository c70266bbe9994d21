"""Which runs belong together: students of one size, of one teacher, of one training set-up.

A level is a whole number from 0; runs of the same level share whatever a model gives that level.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SAME_SIZE = 0.01  # of a natural logarithm: sizes are read off tables and figures
SAME_TOKENS = 0.02
SAME_LOSS = 1e-4


def clusters(values: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Level of every value (n,), and the middle of every level (levels,), in rising order.

    Neighbours, in order, that differ by at most `within` share a level. NaN values share one more
    level, the last, whose middle is NaN.
    """
    values = np.asarray(values, float)
    level = np.zeros(len(values), int)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    if order.size:
        level[order] = np.concatenate([[0], np.cumsum(np.diff(values[order]) > within)])
    count = int(level[order].max()) + 1 if order.size else 0
    middles = [float(np.median(values[known][level[known] == i])) for i in range(count)]
    if known.size < len(values):
        level[np.isnan(values)] = count
        middles.append(np.nan)
    return level, np.array(middles)


def size_levels(params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level of every student (n,) by size, and the log size of every level."""
    return clusters(np.log(params), SAME_SIZE)


def teacher_levels(frame: pd.DataFrame) -> np.ndarray:
    """Level of every run (n,) by its teacher, known by size and data, or else by its loss."""
    nothing = np.full(len(frame), np.nan)
    keys = []
    for name, within in (
        ("teacher_loss", SAME_LOSS),
        ("teacher_params", SAME_SIZE),
        ("teacher_tokens", SAME_TOKENS),
    ):
        values = frame[name].to_numpy(float) if name in frame else nothing
        keys.append(clusters(np.log(values), within)[0])
    return _joined(*keys)


def condition_levels(params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Level of every run (n,) by the student's size and tokens."""
    return _joined(size_levels(params)[0], clusters(np.log(tokens), SAME_TOKENS)[0])


def _joined(*keys: np.ndarray) -> np.ndarray:
    """One level for every combination of levels that occurs."""
    _, level = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
    return np.asarray(level.reshape(-1))
