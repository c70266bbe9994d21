"""Rows that share the luck of a run: checkpoints of one, or the same run of several recipes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill._input.text import named
from bayes_distill.runs.grouping import size_groups, teacher_groups

NO_RUN = -1
PAIR = "pair"
"""Column of a frame (not of a user's table) that names rows which share their luck otherwise."""


def run_groups(frame: pd.DataFrame) -> np.ndarray:
    """Which run every row (n,) is a checkpoint of, from 0; -1 for those that are a run each.

    Rows are checkpoints of one run if they have one name, size and teacher, and different tokens.
    With a column `PAIR` the rows of each of its labels share their luck, and no others do.

    Parameters
    ----------
    frame
        Canonical frame of sound runs.
    """
    found = np.full(len(frame), NO_RUN)
    if PAIR in frame:
        pairs = frame[PAIR].reset_index(drop=True)
        rows = np.flatnonzero(pairs.duplicated(keep=False) & pairs.notna())
        found[rows] = pairs.iloc[rows].groupby(pairs.iloc[rows], sort=False).ngroup().to_numpy()
        return found
    needed = {"run", "params", "tokens"}
    if len(frame) < 2 or not needed <= set(frame.columns) or not frame["run"].notna().any():
        return found
    keys = pd.DataFrame(
        {
            "run": frame["run"].to_numpy(object),
            "size": size_groups(frame["params"].to_numpy(float))[0],
            "teacher": teacher_groups(frame),
        }
    )
    tokens = frame["tokens"].reset_index(drop=True)
    several = tokens.groupby([keys[name] for name in keys]).transform("nunique") > 1
    rows = np.flatnonzero(several & keys["run"].notna())
    found[rows] = keys.iloc[rows].groupby(list(keys), sort=False).ngroup().to_numpy()
    return found


def run_labels(frame: pd.DataFrame) -> np.ndarray:
    """Which run every row (n,) is of, as `run_groups`, with a number of its own for single runs."""
    groups = run_groups(frame)
    first = groups.max(initial=NO_RUN) + 1
    return np.where(groups == NO_RUN, first + np.arange(len(groups)), groups)


def with_checkpoint_groups(
    frame: pd.DataFrame, scheduled: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """Give the checkpoints of a run its name as their group, where the table names no groups.

    What is left out by `group` then leaves out whole runs.

    Parameters
    ----------
    frame
        Canonical frame of sound runs.
    scheduled
        Whether a column of the table says how learning rates went.

    Returns
    -------
    tuple
        The frame, and what users should read about it.
    """
    again = run_groups(frame) != NO_RUN
    if not again.any():
        return frame, []
    runs = list(dict.fromkeys(frame.loc[again, "run"].astype(str)))
    note = (
        f"Run names repeat: {int(again.sum())} rows are checkpoints of "
        f"{len(runs)} run{'s' if len(runs) > 1 else ''} ({named(runs, 3)}), which share its luck."
    )
    if not scheduled:
        note += (
            " A checkpoint before the end of a decaying schedule is not a run on fewer tokens: a "
            "column schedule (cosine, constant, ...) keeps such rows out."
        )
    if "group" in frame and frame["group"].notna().any():
        return frame, [f"{note} The groups are those of the table."]
    grouped = frame.assign(group=frame["run"].where(frame["run"].notna(), None).astype(object))
    together = '`leave_out="group"` leaves them out together'
    return grouped, [f"{note} They are treated as one run's: {together}."]
