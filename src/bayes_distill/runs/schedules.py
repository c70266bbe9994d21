"""Checkpoints before the end of a decay: they are no runs on fewer tokens, and are kept out.

A column of the table says how the learning rate of a run went. Under ``cosine``, ``linear`` and the
like it falls to the end, so that a loss measured before is higher than that of a run planned to
end there. Under ``constant`` and ``wsd`` (warmup, stable, decay) every row counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bayes_distill._input.text import named
from bayes_distill.runs.cell_values import parse_labels
from bayes_distill.runs.checkpoints import NO_RUN, run_groups
from bayes_distill.runs.column_names import plain_name
from bayes_distill.runs.table import Skipped

COLUMNS = ("schedule", "lrschedule", "lrscheduler", "lrschedulertype", "learningrateschedule")
"""What the column is called, plainly written, behind the last dot, colon or slash of its name."""
DECAYING = ("cosine", "linear", "poly", "exponential", "step", "decay")
COUNTING = ("constant", "wsd", "warmupstabledecay", "trapezoid", "inversesqrt", "stable")
"""Beginnings or parts of names, plainly written; those that count are looked for first."""
MODELLED = ("schedule", "decayed", "planned_tokens")
"""Inputs of a law that say where in its schedule a checkpoint is: then all rows count."""


def schedule_column(names: Iterable[str]) -> str | None:
    """The first of some columns that names schedules."""
    return next((n for n in names if plain_name(re.split(r"[.:/]", n)[-1]) in COLUMNS), None)


def decays(label: str | None) -> bool | None:
    """Whether learning rates fall to the end of a schedule of this name; ``None`` if not known."""
    name = plain_name(label or "")
    if any(each in name for each in COUNTING):
        return False
    return True if any(each in name for each in DECAYING) else None


def without_unfinished(
    frame: pd.DataFrame, columns: Mapping[str, Sequence[object]], rows: pd.Index
) -> tuple[pd.DataFrame, list[Skipped], list[str], str | None]:
    """Keep out checkpoints before the end of a decay.

    Parameters
    ----------
    frame
        Canonical frame of sound runs.
    columns
        Other columns of the table, by name.
    rows
        Rows that the cells of `columns` are of.

    Returns
    -------
    tuple
        The frame without these rows; the rows, with the reason; what users should read about it;
        and the name of the column, if there is one.
    """
    column = schedule_column(columns)
    if column is None:
        return frame, [], [], None
    labels = pd.Series(parse_labels(columns[column]), index=rows, dtype=object)
    labels = labels.reindex(frame.index)
    group = run_groups(frame)
    if (group == NO_RUN).all():
        return frame, [], [], column
    tokens = frame["tokens"].to_numpy(float)
    ends = np.array(tokens)
    for each in range(group.max(initial=NO_RUN) + 1):
        ends[group == each] = tokens[group == each].max()
    falls = np.array([decays(label) is True for label in labels], bool)
    out = (group != NO_RUN) & falls & (tokens < ends)
    unknown = [
        str(label) if label else "(empty)"
        for label, of_run in zip(labels, group, strict=True)
        if of_run != NO_RUN and decays(label) is None
    ]
    notes = []
    if unknown:
        notes.append(
            f"{len(unknown)} checkpoints of runs of an unknown schedule "
            f"({named(list(dict.fromkeys(unknown)), 3)}) count as runs on fewer tokens: name it "
            "cosine, linear, constant or wsd"
        )
    skipped = [
        Skipped(
            int(row),
            str(run),
            f"a checkpoint before the end of its {labels[row]} schedule, not a run on fewer tokens",
        )
        for row, run in frame.loc[out, "run"].items()
    ]
    if skipped:
        runs = len({run.run for run in skipped})
        notes.append(
            f"{len(skipped)} checkpoints of {runs} run{'s' if runs > 1 else ''} are kept out: they "
            f"are before the end of a decay ({named(sorted(set(labels[out])), 3)}), and not runs "
            "on fewer tokens"
        )
    return frame.loc[~out], skipped, notes, column
