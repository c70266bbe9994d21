"""Tables with a column of losses for each validation set: one table of runs a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bayes_distill._input.text import shown
from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.cell_values import parse_labels
from bayes_distill.runs.column_names import canonical_name, plain_name
from bayes_distill.runs.reading import read_runs, table_cells
from bayes_distill.runs.table import Runs

if TYPE_CHECKING:
    from bayes_distill.laws import Law

PREFIX = "loss_"
ALL = "all"
NOT_LOSSES = {"lossse", "lossstderr", "lossunit"}


def runs_of_losses(
    source: str | Path | pd.DataFrame,
    losses: str | Sequence[str] = ALL,
    *,
    law: Law | None = None,
) -> dict[str, Runs]:
    """Runs with each of several losses, by the name of its column, in the order of the table.

    Parameters
    ----------
    source
        A CSV, Parquet or JSON lines file, or a DataFrame.
    losses
        Names of columns, also as text with commas, or ``all`` for every column ``loss_*``. Runs
        without a loss in a column are left out of its table, with a note.
    law
        As for `read_runs`.

    Raises
    ------
    InputError
        With every fault of the table, and naming columns that it has not.
    """
    cells = table_cells(source)
    if cells.faults:
        raise InputError(list(cells.faults))
    there = [name for name in cells.header if _is_loss(name)]
    stated = losses.split(",") if isinstance(losses, str) else list(losses)
    stated = [name.strip() for name in stated]
    names = there if stated == [ALL] else stated
    if not names:
        none = f"the table has no column {PREFIX}*, one for each loss"
        raise InputError(Fault(none, column="losses"))
    known = {name: place for place, name in reversed(list(enumerate(cells.header)))}
    if missing := [name for name in names if name not in known]:
        present = ", ".join(there) or "none"
        wrong = [f"there is no column {shown(name)} (there are {present})" for name in missing]
        raise InputError([Fault(each, column="losses") for each in wrong])
    kept = [
        place
        for place, name in enumerate(cells.header)
        if not _is_loss(name) and canonical_name(name) != "loss"
    ]
    found, faults = {}, []
    label = "DataFrame" if isinstance(source, pd.DataFrame) else str(source)
    for name in dict.fromkeys(names):
        column = cells.columns[known[name]]
        has = [text is not None for text in parse_labels(column)]
        frame = pd.DataFrame(
            {cells.header[p]: pd.Series(cells.columns[p], dtype=object) for p in kept}
            | {"loss": pd.Series(column, dtype=object)}
        )[has]
        try:
            runs = read_runs(frame.reset_index(drop=True), law=law)
        except InputError as error:
            rows = [place for place, each in enumerate(has) if each]
            faults += [_of_column(fault, name, rows) for fault in error.faults]
            continue
        notes = runs.notes
        if not all(has):
            notes = (*notes, f"{has.count(False)} of {len(has)} runs have no {name}.")
        found[name] = replace(runs, source=f"{label} ({name})", notes=notes)
    if faults:
        raise InputError(list(dict.fromkeys(faults)))
    return found


def _is_loss(name: str) -> bool:
    plain = plain_name(name)
    return name.strip().casefold().startswith(PREFIX) and plain not in NOT_LOSSES


def _of_column(fault: Fault, name: str, rows: Sequence[int]) -> Fault:
    """A fault with the row and the column of the whole table."""
    row = None if fault.row is None else rows[fault.row]
    return replace(fault, row=row, column=name if fault.column == "loss" else fault.column)
