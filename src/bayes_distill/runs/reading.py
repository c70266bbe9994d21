"""Reading a table of runs from any source: to `Runs`, or to every fault that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill._input.text import named
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.runs.cell_values import parse_cells, parse_labels
from bayes_distill.runs.column_names import (
    COLUMN_NAMES,
    EPOCHS,
    FLOPS,
    ResolvedColumns,
    resolve_columns,
)
from bayes_distill.runs.corrections import NAMED_NOTES, correct, sibling_note
from bayes_distill.runs.data_quality import quality_notes
from bayes_distill.runs.datasets import DATASETS, fetch
from bayes_distill.runs.formats import Cells, frame_cells, read_cells
from bayes_distill.runs.schema import OPTIONAL, describe_derived, validate
from bayes_distill.runs.table import LABELS, NUMERIC, REQUIRED, Runs, Skipped
from bayes_distill.runs.trackers.tracker_runs import (
    from_cells,
    is_export,
    is_store,
    without_password,
)
from bayes_distill.runs.unique_tokens import with_unique_tokens

if TYPE_CHECKING:
    from bayes_distill.runs.trackers.mapping import RunsMapping

    MappingSource = RunsMapping | Mapping[str, Any] | str | Path

Source = str | Path | pd.DataFrame | Runs


@dataclass(frozen=True, slots=True)
class ExaminedTable:
    """A table and all that is wrong or odd with it.

    Parameters
    ----------
    rows
        Number of runs in the table; 0 if it could not be read.
    sound
        The runs without a fault, as a canonical frame; may be empty.
    source, notes
        As in `Runs`.
    faults
        Those of the whole table first, then row by row.
    columns
        What the table calls each column that is used, by canonical name.
    skipped
        Runs of a tracker that are left out, by row.
    """

    rows: int
    sound: pd.DataFrame
    source: str
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]
    columns: dict[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()


def read_runs(
    source: Source, *, corrections: bool = True, mapping: MappingSource | None = None
) -> Runs:
    """Read and check a table of runs.

    Parameters
    ----------
    source
        Path of a CSV, Parquet or JSON lines file, name of a named table, a DataFrame, or the
        address of an MLflow store (``mlflow:sqlite:///mlflow.db#EXPERIMENT``).
        `Runs` are passed through.
    corrections
        Whether the known faults of a named table are corrected.
    mapping
        What an experiment tracker calls the columns, and which of its runs are used: a TOML file
        or the same as a dictionary. With it, and for every MLflow store and Weights & Biases
        export, runs that cannot be used are skipped.

    Raises
    ------
    InputError
        With every fault of the table at once: row (from 0), column, problem.
    """
    if isinstance(source, Runs):
        if mapping is not None:
            raise InputError(Fault("runs that were read already take none", column="mapping"))
        return source
    examined = examine(source, corrections=corrections, mapping=mapping)
    if examined.faults:
        raise InputError(examined.faults)
    return Runs(examined.sound, examined.source, examined.notes, examined.skipped)


def examine(
    source: str | Path | pd.DataFrame,
    *,
    corrections: bool = True,
    required: Sequence[str] = REQUIRED,
    mapping: MappingSource | None = None,
) -> ExaminedTable:
    """Read a table without giving up at the first fault, nor at the last.

    `required` are the columns that it needs; `read_runs` and `check` are built on this.
    """
    label = "DataFrame" if isinstance(source, pd.DataFrame) else without_password(str(source))
    try:
        opened = _open(source, required, mapping)
    except InputError as error:
        nothing = pd.DataFrame({name: pd.Series(dtype=float) for name in REQUIRED})
        return ExaminedTable(0, nothing, label, (), error.faults)
    cells, columns = opened.cells, opened.columns
    frame, faults = _canonical(cells, columns, required, opened.rows)
    faulty_rows = {fault.row for fault in faults}
    sound = frame.loc[~frame.index.isin(faulty_rows)]
    notes = [*opened.notes]
    if columns.unused:
        names = named([name or "(no name)" for name in columns.unused])
        notes.append(f"Columns that are not used: {names}.")
    if label in DATASETS:
        sound, corrected = correct(label, sound, corrections)
        notes += [*corrected, *NAMED_NOTES.get(label, ())]
    elif opened.path is not None:
        notes += sibling_note(opened.path)
    if None not in faulty_rows:
        notes += quality_notes(sound)
    position = columns.position
    used = {name: cells.header[position[name]] for name in COLUMN_NAMES if name in position}
    return ExaminedTable(
        opened.total, sound, label, tuple(notes), tuple(faults), used, tuple(opened.skipped)
    )


@dataclass(frozen=True, slots=True)
class _TableCells:
    """Cells whose columns are known, with the number of each row among `total`."""

    cells: Cells
    columns: ResolvedColumns
    rows: Sequence[int]
    total: int
    path: Path | None = None
    skipped: Sequence[Skipped] = ()
    notes: Sequence[str] = ()


def _open(
    source: str | Path | pd.DataFrame, required: Sequence[str], mapping: MappingSource | None
) -> _TableCells:
    store = is_store(source)
    if mapping is None and not store:
        cells, path = _open_table(source)
        if "loss" not in required or not is_export(cells):  # else they are points, not runs
            columns = resolve_columns(cells.header, required)
            return _TableCells(cells, columns, range(len(cells)), len(cells), path)
    # pydantic and the tracker are not for those who only have a table
    from bayes_distill.runs.trackers.mapping import RunsMapping, read_mapping
    from bayes_distill.runs.trackers.run_selection import select_runs

    faults: list[Fault] = []
    plan, path = RunsMapping(), None
    unreadable: tuple[Fault, ...] = ()
    with collected(faults):
        plan = RunsMapping() if mapping is None else read_mapping(mapping)
        if mapping is not None and str(source) in DATASETS:
            faults.append(Fault(f"the named data {source} take none", column="mapping"))
    with collected(faults):
        if store:
            from bayes_distill.runs.trackers.mlflow_store import read_store

            tracker = read_store(str(source), plan.extremes)
        else:
            cells, path = _open_table(source)
            tracker, unreadable = from_cells(cells), cells.faults
    if faults:
        raise InputError(faults)
    selected = select_runs(tracker, plan, required)
    skipped = {skip.row for skip in selected.skipped}
    return _TableCells(
        replace(selected.cells, faults=tuple(f for f in unreadable if f.row not in skipped)),
        selected.columns,
        selected.rows,
        len(tracker),
        path,
        selected.skipped,
        (*tracker.notes, *selected.notes),
    )


def _open_table(source: str | Path | pd.DataFrame) -> tuple[Cells, Path | None]:
    if isinstance(source, pd.DataFrame):
        return frame_cells(source), None
    if not isinstance(source, (str, Path)):
        kind = type(source).__name__
        raise InputError(f"a table of runs is a path, a name or a DataFrame, not {kind}")
    if str(source) in DATASETS:
        path = fetch(str(source))
        return read_cells(path), path
    path = Path(source)
    try:
        return read_cells(path), path
    except InputError as error:
        if path.suffix or _exists(path):
            raise
        raise InputError(f"{error}; {_misspelt(str(source))}") from None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        return False


def _misspelt(name: str) -> str:
    there_are = f"the named data are {', '.join(DATASETS)}"
    return did_you_mean(name, DATASETS, there_are, what="the named data", cutoff=0.5)


def _canonical(
    cells: Cells, columns: ResolvedColumns, required: Sequence[str], rows: Sequence[int]
) -> tuple[pd.DataFrame, list[Fault]]:
    """Canonical frame of all rows, with NaN where a cell is at fault, and all faults in order."""
    index = pd.Index(np.asarray(rows, dtype=np.int64), name="row")
    unreadable = {fault.row for fault in cells.faults}
    labels = {name: cells.header[place] for name, place in columns.position.items()}
    faults: list[Fault] = []
    numbers: dict[str, pd.Series[float]] = {}
    wanted = {*required, *OPTIONAL, FLOPS}  # a design may have losses: they are ignored
    for name in (*NUMERIC, FLOPS, EPOCHS):
        if name in columns.position and name in wanted:
            example = "a loss such as 2.31" if "loss" in name else "1.8B, 300M or 2e20"
            values, problems = parse_cells(cells.columns[columns.position[name]], example)
            numbers[name] = pd.Series(values, index=index)
            faults += [Fault(problem, rows[at], labels[name]) for at, problem in problems.items()]
    faults += _without_known(validate(pd.DataFrame(numbers, index=index), labels), faults)
    if FLOPS in numbers:
        flops = numbers.pop(FLOPS)
        labels["tokens"] = labels[FLOPS]
        if "params" in numbers:
            numbers["tokens"], derived = _tokens_from_flops(
                flops, numbers["params"], faults, labels
            )
            faults += derived
    numbers, more = with_unique_tokens(numbers, labels)
    faults += _without_known(more, faults)
    faults = [fault for fault in faults if fault.row not in unreadable]
    place = {label: columns.position.get(name, -1) for name, label in labels.items()}
    rowwise = [*cells.faults, *faults]
    rowwise.sort(key=lambda f: (f.row or 0, place.get(f.column or "", -1)))
    frame = pd.DataFrame({n: numbers[n] for n in NUMERIC if n in numbers}, index=index)
    for name in LABELS:
        if name in columns.position:
            names = parse_labels(cells.columns[columns.position[name]])
            frame[name] = pd.Series(names, index=index)
    return frame, [*columns.faults, *rowwise]


def _without_known(faults: list[Fault], known: list[Fault]) -> list[Fault]:
    """Drop faults of cells that have one already."""
    cells = {(fault.row, fault.column) for fault in known}
    return [fault for fault in faults if (fault.row, fault.column) not in cells]


def _tokens_from_flops(
    flops: pd.Series[float], params: pd.Series[float], known: list[Fault], labels: dict[str, str]
) -> tuple[pd.Series[float], list[Fault]]:
    """Tokens = FLOPs / (6 params), and the faults of those whose parts have none."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        tokens = flops / (6.0 * params)
    parts = {labels["params"], labels[FLOPS]}
    bad = [fault.row for fault in known if fault.column in parts]
    tokens = tokens.mask(tokens.index.isin(bad))
    implausible = validate(pd.DataFrame({"tokens": tokens}), labels, may_be_empty=["tokens"])
    faults = [
        replace(f, problem=describe_derived(flops[f.row], tokens[f.row]))
        for f in implausible
        if f.row is not None
    ]
    return tokens, faults
