"""Reading a table of runs from any source: to `Runs`, or to every fault that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill._input.text import named
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.runs.canonical import canonical_frame
from bayes_distill.runs.checkpoints import with_checkpoint_groups
from bayes_distill.runs.column_names import (
    COLUMN_NAMES,
    ResolvedColumns,
    resolve_columns,
)
from bayes_distill.runs.corrections import NAMED_NOTES, correct, sibling_note
from bayes_distill.runs.counts import NON_EMBEDDING, Counted, counted
from bayes_distill.runs.data_quality import quality_notes
from bayes_distill.runs.datasets import DATASETS, fetch
from bayes_distill.runs.formats import Cells, frame_cells, read_cells
from bayes_distill.runs.inputs import (
    NOT_READ,
    input_columns,
    needed_columns,
    with_own_names,
)
from bayes_distill.runs.nesting import flattened
from bayes_distill.runs.schedules import MODELLED, schedule_column, without_unfinished
from bayes_distill.runs.table import REQUIRED, Runs, Skipped, input_names
from bayes_distill.runs.trackers.tracker_runs import (
    WANDB,
    TrackerRuns,
    from_cells,
    is_export,
    is_store,
    without_password,
)

if TYPE_CHECKING:
    from bayes_distill.laws import Law
    from bayes_distill.runs.trackers.mapping import RunsMapping

    MappingSource = RunsMapping | Mapping[str, Any] | str | Path
    ColumnsSource = Mapping[str, Any] | str

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
    other
        Cells of the columns that are not used, with the index of `sound`.
    """

    rows: int
    sound: pd.DataFrame
    source: str
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]
    columns: dict[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    other: pd.DataFrame = field(default_factory=pd.DataFrame)


def read_runs(
    source: Source,
    *,
    corrections: bool = True,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    law: Law | None = None,
) -> Runs:
    """Read and check a table of runs.

    Parameters
    ----------
    source
        Path of a CSV, Parquet or JSON lines file, name of a named table, a DataFrame, or the
        address of an MLflow store (``mlflow:sqlite:///mlflow.db#EXPERIMENT``) or of a project of
        Weights & Biases (``wandb:ENTITY/PROJECT``).
        `Runs` are passed through.
    corrections
        Whether the known faults of a named table are corrected.
    mapping
        What an experiment tracker calls the columns, and which of its runs are used: a TOML file
        or the same as a dictionary. With it, and for every MLflow store and every table with the
        states of runs or with nested cells, runs that cannot be used are skipped.
    columns
        Columns of a mapping, ahead of those of `mapping`: a dictionary, or text such as
        ``"params=config.n*1e6,loss=val/loss"``.
    law
        The law that the runs are for (`Card.scaling_law`): columns that it declares are kept, and
        of size and tokens only those that it reads are needed.

    Raises
    ------
    InputError
        With every fault of the table at once: row (from 0), column, problem.
    """
    return read_with_others(
        source, corrections=corrections, mapping=mapping, columns=columns, law=law
    )[0]


def read_with_others(
    source: Source,
    *,
    corrections: bool = True,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    law: Law | None = None,
) -> tuple[Runs, pd.DataFrame]:
    """Runs as from `read_runs`, and the cells of the columns that are not used, by row.

    Runs that were read already have none of these.
    """
    if isinstance(source, Runs):
        given = [n for n, v in (("mapping", mapping), ("columns", columns)) if v is not None]
        if given:
            none = "runs that were read already take none"
            raise InputError([Fault(none, column=name) for name in given])
        return source, pd.DataFrame(index=source.frame.index)
    examined = examine(source, corrections=corrections, mapping=mapping, columns=columns, law=law)
    if examined.faults:
        raise InputError(examined.faults)
    inputs = input_names(examined.sound)
    runs = Runs(examined.sound, examined.source, examined.notes, examined.skipped, inputs)
    return runs, examined.other


def examine(
    source: str | Path | pd.DataFrame,
    *,
    corrections: bool = True,
    required: Sequence[str] = REQUIRED,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    law: Law | None = None,
) -> ExaminedTable:
    """Read a table without giving up at the first fault, nor at the last.

    `required` are the columns that it needs, of which a law may not read all; `read_runs` and
    `check` are built on this.
    """
    label = "DataFrame" if isinstance(source, pd.DataFrame) else without_password(str(source))
    try:
        if law is not None:
            required = needed_columns(required, law)
        opened = _open(source, required, mapping, columns, law)
    except InputError as error:
        nothing = pd.DataFrame({name: pd.Series(dtype=float) for name in REQUIRED})
        return ExaminedTable(0, nothing, label, (), error.faults)
    cells, resolved = opened.cells, opened.columns
    frame, faults = canonical_frame(cells, resolved, required, opened.rows)
    other = dict(opened.other)
    unused = list(resolved.unused)
    unfinished: list[Skipped] = []
    own: tuple[str, ...] = ()
    if law is not None:
        extra, more, taken = input_columns(law, other, opened.rows, "loss" in required)
        faults += more
        frame = frame.join(extra)
        own = tuple(map(str, extra))
        other = {name: column for name, column in other.items() if name not in taken}
        unused = [name for name in unused if name not in taken]
        for name in {"params", "tokens"} - set(required) - set(frame):
            frame[name] = NOT_READ
    unused = [name for name in unused if name not in opened.counted]
    faulty_rows = {fault.row for fault in faults}
    sound = frame.loc[~frame.index.isin(faulty_rows)]
    notes = [*opened.notes]
    unused = [name for name in unused if schedule_column([name or ""]) is None]
    if unused:
        names = named([name or "(no name)" for name in unused])
        notes.append(f"Columns that are not used: {names}.")
    if label in DATASETS:
        sound, corrected = correct(label, sound, corrections)
        notes += [*corrected, *NAMED_NOTES.get(label, ())]
    elif opened.path is not None:
        notes += sibling_note(opened.path)
    beside = pd.DataFrame(other, index=frame.index, dtype=object)
    if None not in faulty_rows:
        if "loss" in required:
            modelled = {each.name for each in law.extra_inputs} if law is not None else set()
            scheduled = None
            if modelled.isdisjoint(MODELLED):
                sound, unfinished, said, scheduled = without_unfinished(sound, other, frame.index)
                notes += said
            sound, grouped = with_checkpoint_groups(sound, scheduled is not None)
            notes += grouped
        if not own and {"params", "tokens"} <= set(required):  # of other laws these are no oddities
            notes += quality_notes(sound, beside)
    position = resolved.position
    used = {name: cells.header[position[name]] for name in COLUMN_NAMES if name in position}
    return ExaminedTable(
        opened.total,
        sound,
        label,
        tuple(notes),
        tuple(faults),
        used,
        (*opened.skipped, *unfinished),
        beside.loc[sound.index],
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
    other: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """Cells of the columns that are not used."""
    counted: Sequence[str] = ()
    """Columns from which params were computed."""


def _open(
    source: str | Path | pd.DataFrame,
    required: Sequence[str],
    mapping: MappingSource | None,
    inline: ColumnsSource | None,
    law: Law | None = None,
) -> _TableCells:
    store = is_store(source)
    if mapping is None and inline is None and not store:
        cells, path = _open_table(source)
        if law is not None:
            cells = replace(cells, header=with_own_names(cells.header, law))
        nested = flattened(cells)
        of_counts = Counted(cells)
        if "params" in required and nested is None:
            counts = NON_EMBEDDING if law is None else law.counts
            of_counts = counted(cells, counts, of_runs="loss" in required)
            cells = of_counts.cells
        # points are no runs: they have no states
        if nested is None and ("loss" not in required or not is_export(cells)):
            columns = resolve_columns(cells.header, required)
            used = set(columns.position.values())
            other = {n: c for p, (n, c) in enumerate(_named(cells)) if p not in used}
            columns = replace(columns, faults=(*columns.faults, *of_counts.faults))
            return _TableCells(
                cells,
                columns,
                range(len(cells)),
                len(cells),
                path,
                notes=of_counts.notes,
                other=other,
                counted=of_counts.used,
            )
    # pydantic and the tracker are not for those who only have a table
    from bayes_distill.runs.trackers.mapping import RunsMapping, with_columns
    from bayes_distill.runs.trackers.run_selection import select_runs

    faults: list[Fault] = []
    plan, path = RunsMapping(), None
    unreadable: tuple[Fault, ...] = ()
    with collected(faults):
        plan = with_columns(mapping, inline) or RunsMapping()
        for name, value in (("mapping", mapping), ("columns", inline)):
            if value is not None and str(source) in DATASETS:
                faults.append(Fault(f"the named data {source} take none", column=name))
    with collected(faults):
        tracker, path, unreadable = open_tracker(source, plan.extremes)
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
        selected.other,
    )


def open_tracker(
    source: str | Path | pd.DataFrame, extremes: Iterable[tuple[str, str]] = ()
) -> tuple[TrackerRuns, Path | None, tuple[Fault, ...]]:
    """Runs of a store, or of a table taken as one; the path of a table, and its unreadable rows.

    `extremes` are the metrics of a store of which the min or max is needed, as for `read_store`.
    """
    if is_store(source):
        if str(source).startswith(WANDB):
            from bayes_distill.runs.trackers.wandb_project import read_project

            return read_project(str(source), extremes), None, ()
        from bayes_distill.runs.trackers.mlflow_store import read_store

        return read_store(str(source), extremes), None, ()
    cells, path = _open_table(source)
    cells = flattened(cells) or cells
    return from_cells(cells), path, cells.faults


def table_cells(source: str | Path | pd.DataFrame) -> Cells:
    """Cells of a table as they are written.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    return _open_table(source)[0]


def _named(cells: Cells) -> list[tuple[str, list[object]]]:
    """Columns with their names, each name once: the second ``lr`` is called ``lr.1``."""
    seen: dict[str, int] = {}
    named = []
    for name, column in zip(cells.header, cells.columns, strict=True):
        again = seen.get(name, 0)
        seen[name] = again + 1
        named.append((f"{name}.{again}" if again else name, column))
    return named


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
