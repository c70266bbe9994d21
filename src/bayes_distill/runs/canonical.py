"""From cells to a canonical frame, with every fault of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bayes_distill._input.text import shown
from bayes_distill.errors import Fault
from bayes_distill.runs.bare_counts import bare_scales, describe_bare
from bayes_distill.runs.cell_values import parse_cells, parse_labels
from bayes_distill.runs.column_names import EPOCHS, FLOPS, ResolvedColumns
from bayes_distill.runs.formats import Cells
from bayes_distill.runs.schema import OPTIONAL, describe_derived, validate
from bayes_distill.runs.table import LABELS, NUMERIC
from bayes_distill.runs.unique_tokens import with_unique_tokens


def canonical_frame(
    cells: Cells, columns: ResolvedColumns, required: Sequence[str], rows: Sequence[int]
) -> tuple[pd.DataFrame, list[Fault]]:
    """Canonical frame of all rows, with NaN where a cell is at fault, and all faults in order.

    Parameters
    ----------
    cells, columns
        The table, and what its columns mean.
    required
        Canonical columns that are needed.
    rows
        Number of each row among all that were read.
    """
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
    table = pd.DataFrame(numbers, index=index)
    faults += _without_known(validate(table, labels), faults)
    if "loss" in required:  # points are few, and each is asked about
        faults = _in_whole_columns(table, labels, faults)
    faults = _dashes_named(cells, columns, rows, faults)
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


def _in_whole_columns(
    table: pd.DataFrame, labels: dict[str, str], faults: list[Fault]
) -> list[Fault]:
    """One fault for each column of counts in millions or billions, in place of one a cell."""
    scales = bare_scales(table)
    bare = {labels[name] for name in scales}
    whole = [
        Fault(describe_bare(name, labels[name], table[name], scale), column=labels[name])
        for name, scale in scales.items()
    ]
    return [*whole, *(f for f in faults if f.column not in bare or "did you mean" not in f.problem)]


def _dashes_named(
    cells: Cells, columns: ResolvedColumns, rows: Sequence[int], faults: list[Fault]
) -> list[Fault]:
    """Say what is written in cells that count as empty and are not: ``-``, ``NaN``."""
    place = {row: at for at, row in enumerate(rows)}
    labels = {cells.header[at]: at for at in columns.position.values()}
    named = []
    for fault in faults:
        if fault.row is not None and fault.problem.startswith("is empty"):
            cell = cells.columns[labels[str(fault.column)]][place[fault.row]]
            if isinstance(cell, str) and cell.strip():
                said = f"'{shown(cell.strip())}' stands for no value"
                fault = replace(fault, problem=said + fault.problem.removeprefix("is empty"))
        named.append(fault)
    return named


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
