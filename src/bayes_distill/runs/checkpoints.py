"""Rows that are checkpoints of one run: its name repeats at one size and growing tokens."""

from __future__ import annotations

import pandas as pd

from bayes_distill._input.text import named
from bayes_distill.runs.grouping import size_groups, teacher_groups


def with_checkpoint_groups(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Give the checkpoints of a run its name as their group, where the table names no groups.

    Rows are checkpoints if they have one name, size and teacher, and different tokens. What is
    left out by `group` then leaves out whole runs.

    Parameters
    ----------
    frame
        Canonical frame of sound runs.

    Returns
    -------
    tuple
        The frame, and what users should read about it.
    """
    needed = {"run", "params", "tokens"}
    if len(frame) < 2 or not needed <= set(frame.columns) or not frame["run"].notna().any():
        return frame, []
    keys = pd.DataFrame(
        {
            "run": frame["run"],
            "size": size_groups(frame["params"].to_numpy(float))[0],
            "teacher": teacher_groups(frame),
        },
        index=frame.index,
    )
    tokens = frame["tokens"].groupby([keys[name] for name in keys]).transform("nunique")
    again = (tokens > 1) & frame["run"].notna()
    if not again.any():
        return frame, []
    runs = list(dict.fromkeys(frame.loc[again, "run"].astype(str)))
    note = (
        f"Run names repeat: {int(again.sum())} rows are checkpoints of "
        f"{len(runs)} run{'s' if len(runs) > 1 else ''} ({named(runs, 3)}). "
        "A checkpoint before the end of a decaying schedule is not a run on fewer tokens."
    )
    if "group" in frame and frame["group"].notna().any():
        return frame, [f"{note} The groups are those of the table."]
    grouped = frame.assign(group=frame["run"].where(frame["run"].notna(), None).astype(object))
    together = '`leave_out="group"` leaves them out together'
    return grouped, [f"{note} They are treated as one run's: {together}."]
