"""Selecting the runs of a tracker that can be used, and the columns of the table they make."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.cell_values import parse_cells, parse_labels
from bayes_distill.runs.column_names import EPOCHS, FLOPS, ResolvedColumns, canonical_name
from bayes_distill.runs.formats import Cells
from bayes_distill.runs.schema import OPTIONAL
from bayes_distill.runs.table import NUMERIC, Skipped
from bayes_distill.runs.trackers.mapping import Column, RunsMapping, Scalar
from bayes_distill.runs.trackers.states import COLUMNS, is_wanted
from bayes_distill.runs.trackers.tracker_runs import TrackerRuns, alias_of, is_nan, plain_value

TrackerColumns = dict[str, tuple[str, list[object]]]
"""What the tracker calls a column, and its cells, by canonical name."""


@dataclass(frozen=True, slots=True)
class SelectedRuns:
    """Usable runs of a tracker as cells, and those that are skipped.

    Parameters
    ----------
    cells, columns
        The canonical columns of the runs that are used.
    rows
        Number of each of them among all runs.
    skipped
        The others, by row.
    notes
        What users should read about the selection.
    other
        The tracker's other values of the runs that are used, by name.
    """

    cells: Cells
    columns: ResolvedColumns
    rows: list[int]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    other: dict[str, list[object]]


def select_runs(
    tracker: TrackerRuns, mapping: RunsMapping, required: Sequence[str]
) -> SelectedRuns:
    """Resolve the columns of a tracker's runs and leave out the runs that cannot be used.

    A run is skipped if its state is not wanted, a value that every run needs is missing, a value
    was logged as NaN or infinite, it fails a condition of `mapping`, or a newer run of the same
    name, size, tokens and teacher replaces it. Any other bad value is a fault of the table, because
    it speaks of a wrong name or unit.

    Raises
    ------
    InputError
        Naming every name of `mapping` that the tracker does not have, and every column that is
        needed and missing.
    """
    faults: list[Fault] = []
    columns = _mapped_columns(tracker, mapping.columns, faults)
    columns |= _columns_by_alias(tracker, mapping.columns, required, faults)
    conditions = _conditions(tracker, mapping, faults)
    if faults:
        raise InputError(faults)
    if "run" not in columns and any(tracker.names):
        columns["run"] = ("run name", list(tracker.names))
    names = parse_labels(columns["run"][1]) if "run" in columns else tracker.names
    needed = [FLOPS if n == "tokens" and n not in columns else n for n in required]
    reasons = {
        row: reason
        for row in range(len(tracker))
        if (reason := _skip_reason(tracker, mapping, columns, conditions, needed, row)) is not None
    }
    if mapping.keep.duplicates == "newest":
        reasons |= _replaced(
            tracker, columns, names, [r for r in range(len(names)) if r not in reasons]
        )
    rows = [row for row in range(len(tracker)) if row not in reasons]
    skipped = tuple(Skipped(row, names[row], reasons[row]) for row in sorted(reasons))
    labels = [label for label, _ in columns.values()]
    cells = Cells(labels, [[values[row] for row in rows] for _, values in columns.values()])
    no_rows = () if rows else (_none_left(len(tracker), reasons.values()),)
    resolved = ResolvedColumns({name: at for at, name in enumerate(columns)}, (), no_rows)
    notes = (_summary(len(tracker), reasons.values()),) if rows and skipped else ()
    other = {
        name: [plain_value(column[row], "last") for row in rows]
        for name, column in tracker.cells.items()
        if name not in tracker.about_runs and not any(name in label for label in labels)
    }
    return SelectedRuns(cells, resolved, rows, skipped, notes, other)


def _mapped_columns(
    tracker: TrackerRuns, columns: Mapping[str, Column], faults: list[Fault]
) -> TrackerColumns:
    """Columns that the mapping names."""
    mapped: TrackerColumns = {}
    for name, column in columns.items():
        key = f"columns.{name}"
        if column.constant is not None:
            mapped[name] = (column.describe(), [column.constant] * len(tracker))
            continue
        parts, labels = [], []
        for part in column.names:
            full = _full_name(tracker, part, key, faults)
            if full is None:
                continue
            values = tracker.values(full, column.value)
            if values is None:
                faults.append(
                    Fault(
                        f"the {column.value} of {part!r} is not known: an export holds one value "
                        f"of a metric; export a column {full}.{column.value} too, or use the last",
                        column=key,
                    )
                )
            else:
                parts.append(values)
                labels.append(full)
        if len(parts) == len(column.names):
            plain = len(parts) == 1 and column.scale == 1
            label = column.describe(labels)
            mapped[name] = (label, parts[0] if plain else _product(parts, column.scale))
    return mapped


def _columns_by_alias(
    tracker: TrackerRuns,
    mapped: Mapping[str, Column],
    required: Sequence[str],
    faults: list[Fault],
) -> TrackerColumns:
    """Columns that the mapping leaves to their aliases."""
    places: dict[str, list[str]] = {}
    for full in tracker.cells:
        canonical = canonical_name(alias_of(full))
        if canonical is not None and canonical not in mapped and canonical != "run":
            places.setdefault(canonical, []).append(full)
    if "tokens" in mapped or FLOPS in mapped:
        places.pop("tokens", None)
        places.pop(FLOPS, None)
    elif "tokens" in places:
        places.pop(FLOPS, None)
    if "unique_tokens" in mapped or EPOCHS in mapped:
        places.pop("unique_tokens", None)
        places.pop(EPOCHS, None)
    elif "unique_tokens" in places:
        places.pop(EPOCHS, None)
    for name, names in places.items():
        if len(names) > 1:
            listed = " and ".join(names)
            advice = f'choose one in a mapping, such as [columns] {name} = "{names[0]}"'
            faults.append(Fault(f"{listed} all mean {name}: {advice}", column=name))
    present = {*mapped, *places}
    for name in required:
        if name not in present and not (name == "tokens" and FLOPS in present):
            listed = ", ".join(full for full in tracker.cells if not full.startswith("tag:mlflow."))
            faults.append(
                Fault(
                    f"no value of the runs is known by this name or an alias: name one in a "
                    f'mapping, such as [columns] {name} = "..." (the runs have {listed or "none"})',
                    column=name,
                )
            )
    for one, other in (("teacher_params", "teacher_tokens"), ("teacher_tokens", "teacher_params")):
        if one in present and other not in present:
            faults.append(Fault(f"is missing, but there is {one}: give both", column=other))
    return {
        name: (names[0], tracker.values(names[0], "last") or []) for name, names in places.items()
    }


def _full_name(tracker: TrackerRuns, name: str, key: str, faults: list[Fault]) -> str | None:
    """Full name that `name` stands for; a fault if there is none, or more than one."""
    full = tracker.find(name)
    if not full:
        faults.append(Fault(f"no run has {name!r}: {tracker.suggest(name)}", column=key))
    elif len(full) > 1:
        faults.append(Fault(f"{name!r} may mean {' or '.join(full)}: write one", column=key))
    return full[0] if len(full) == 1 else None


def _product(parts: list[list[object]], scale: float) -> list[object]:
    """Product of the parts times the scale; a cell that is empty or no number stays as it is."""
    numbers = [parse_cells(part) for part in parts]
    result: list[object] = []
    for row in range(len(parts[0])):
        bad = [
            part[row]
            for part, (values, problems) in zip(parts, numbers, strict=True)
            if row in problems or np.isnan(values[row])
        ]
        result.append(bad[0] if bad else scale * math.prod(float(v[row]) for v, _ in numbers))
    return result


def _conditions(
    tracker: TrackerRuns, mapping: RunsMapping, faults: list[Fault]
) -> list[tuple[str, list[object], tuple[Scalar, ...]]]:
    """Name, cells and allowed values of every condition."""
    conditions = []
    for name, allowed in mapping.keep.where.items():
        full = _full_name(tracker, name, f"keep.where.{name}", faults)
        if full is not None:
            conditions.append((name, tracker.values(full, "last") or [], allowed))
    faults += _keep_faults(tracker, mapping)
    return conditions


def _keep_faults(tracker: TrackerRuns, mapping: RunsMapping) -> list[Fault]:
    """What `mapping` says of states and duplicates, where the runs have neither."""
    given, faults = mapping.keep.model_fields_set, []
    states = {state for state in tracker.states if state is not None}
    wanted = mapping.keep.states if "states" in given else ()
    if wanted and not states:
        problem = (
            f"the runs have no column of states ({', '.join(COLUMNS)}): leave the setting out, "
            "or write a condition such as [keep.where] with the column's name"
        )
        faults.append(Fault(problem, column="keep.states"))
    elif wanted and not any(is_wanted(state, wanted) for state in states):
        there = f"they are {', '.join(sorted(states))}"
        hint = did_you_mean(wanted[0], states, there)
        faults.append(Fault(f"no run is {' or '.join(wanted)}: {hint}", column="keep.states"))
    named = any(tracker.names) or "run" in mapping.columns
    if "duplicates" in given and mapping.keep.duplicates == "newest" and not named:
        problem = "the runs have no names to tell a run that was started again: leave it out"
        faults.append(Fault(problem, column="keep.duplicates"))
    return faults


def _skip_reason(
    tracker: TrackerRuns,
    mapping: RunsMapping,
    columns: TrackerColumns,
    conditions: Iterable[tuple[str, list[object], tuple[Scalar, ...]]],
    needed: Sequence[str],
    row: int,
) -> str | None:
    """Why a run cannot be used, or ``None``."""
    state, wanted = tracker.states[row], [s.casefold() for s in mapping.keep.states]
    if wanted and state is not None and not is_wanted(state, wanted):
        return f"its state is {state}, not {' or '.join(wanted)}"
    for name, cells, allowed in conditions:
        if not _is_one_of(name, cells[row], allowed):
            choice = " or ".join(map(str, allowed))
            has = "is not set" if cells[row] in (None, "") else f"is {cells[row]}"
            return f"{name} {has}, not {choice}"
    for name in (*needed, *(n for n in OPTIONAL if n in columns and n not in needed)):
        label, cells = columns[name]
        if is_nan(cells[row]):
            return f"{label} is {str(cells[row]).strip()}"
        if name in needed and _is_empty(cells[row]):
            return f"it has no {label}"
    return None


def _is_empty(cell: object) -> bool:
    values, problems = parse_cells([cell])
    return bool(np.isnan(values[0])) and not problems


def _is_one_of(name: str, cell: object, allowed: Iterable[Scalar]) -> bool:
    texts = [str(cell).strip()]
    if name.casefold() == "tags":  # W&B writes all tags of a run into one cell
        texts += [part.strip() for part in str(cell).split(",")]
    return any(_same(text, value) for text in texts for value in allowed)


def _same(text: str, value: Scalar) -> bool:
    if isinstance(value, (bool, str)) and text.casefold() == str(value).casefold():
        return True
    if isinstance(value, bool):
        return False
    one, other = parse_cells([text])[0][0], parse_cells([value])[0][0]
    return bool(one == other)  # never so if either is no number


def _replaced(
    tracker: TrackerRuns, columns: TrackerColumns, names: Sequence[str | None], rows: list[int]
) -> dict[int, str]:
    """Usable runs that a newer one of the same name, size, tokens and teacher replaces."""
    sizes = (n for n in (*NUMERIC, FLOPS, EPOCHS) if n not in ("loss", "teacher_loss_se"))
    about = [name for name in sizes if name in columns]
    numbers = [np.nan_to_num(parse_cells(columns[name][1])[0], nan=-1.0) for name in about]
    groups: dict[tuple[object, ...], list[int]] = {}
    for row in rows:
        if names[row] is not None:
            groups.setdefault((names[row], *(float(v[row]) for v in numbers)), []).append(row)
    reasons: dict[int, str] = {}
    for group in groups.values():
        started = {row: tracker.started[row] for row in group}
        newest = max(group, key=lambda row: (started[row] or -math.inf, -row))
        other = "a newer run" if started[newest] is not None else "an earlier row"
        text = f"{other} has its name, sizes and tokens (row {newest})"
        reasons |= {row: text for row in group if row != newest}
    return reasons


def _summary(total: int, reasons: Iterable[str]) -> str:
    counts = Counter(reason.partition(" (row ")[0] for reason in reasons).most_common()
    shown = "; ".join(f"{number} because {reason}" for reason, number in counts[:6])
    rest = sum(number for _, number in counts[6:])
    more = f"; {rest} for other reasons" if rest else ""
    skipped = sum(number for _, number in counts)
    return f"{total - skipped} used, {skipped} skipped: {shown}{more}."


def _none_left(total: int, reasons: Iterable[str]) -> Fault:
    return Fault(f"none of the {total} runs can be used. {_summary(total, reasons)[:-1]}")
