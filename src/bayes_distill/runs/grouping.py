"""Which runs belong together: students of one size, of one teacher, of one training set-up.

A group is a whole number from 0; runs of one group share whatever a model samples for it. (The
column ``group`` of a table, a label of the user's, is something else.)
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SAME_SIZE = 0.01  # of a natural logarithm: sizes are read off tables and figures
SAME_TOKENS = 0.02
SAME_LOSS = 1e-4


def clusters(values: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Group of every value (n,), and the median of every group (groups,), in rising order.

    Neighbours, in order, that differ by at most `within` are in one group. NaN values are in one
    more group, the last, whose median is NaN.
    """
    values = np.asarray(values, float)
    group = np.zeros(len(values), int)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    if order.size:
        group[order] = np.concatenate([[0], np.cumsum(np.diff(values[order]) > within)])
    count = int(group[order].max()) + 1 if order.size else 0
    medians = [float(np.median(values[known][group[known] == i])) for i in range(count)]
    if known.size < len(values):
        group[np.isnan(values)] = count
        medians.append(np.nan)
    return group, np.array(medians)


def size_groups(params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group of every student (n,) by size, and the log size of every group."""
    return clusters(np.log(params), SAME_SIZE)


def teacher_groups(frame: pd.DataFrame) -> np.ndarray:
    """Group of every run (n,) by its teacher, known by size and data, or else by its loss."""
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


def condition_groups(params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Group of every run (n,) by the student's size and tokens."""
    return _joined(size_groups(params)[0], clusters(np.log(tokens), SAME_TOKENS)[0])


def _joined(*keys: np.ndarray) -> np.ndarray:
    """One group for every combination of groups that occurs."""
    _, group = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
    return np.asarray(group.reshape(-1))
