"""Columns that a law declares, taken from a table of runs or of points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill.errors import Fault
from bayes_distill.runs.cell_values import parse_cells
from bayes_distill.runs.column_names import plain_name
from bayes_distill.runs.levels import level_columns

if TYPE_CHECKING:  # with JAX, which a check of a table does without
    from bayes_distill.laws import Input, Label, Law

NOT_READ = 1.0
"""Size or tokens of runs of a law that does not read them, where the table has none."""


def with_own_names(header: Sequence[str], law: Law) -> list[str]:
    """The header with the names that the law has for columns of every table put right."""
    own = law.extra_inputs
    canonical = {
        plain_name(alias): each.name
        for each in law.inputs
        if each not in own
        for alias in each.aliases
    }
    return [canonical.get(plain_name(name), name) for name in header]


def needed_columns(required: Sequence[str], law: Law) -> tuple[str, ...]:
    """Those of the required columns that the law reads."""
    return tuple(n for n in required if n not in ("params", "tokens") or n in law.needs)


def input_columns(
    law: Law, other: Mapping[str, Sequence[object]], rows: Sequence[int], of_runs: bool = True
) -> tuple[pd.DataFrame, list[Fault], set[str]]:
    """Columns of `Law.extra_inputs` as numbers, their faults, and what the table calls them.

    A column of names (`Law.labels`) gives an indicator of every level.

    Parameters
    ----------
    law
        The law.
    other
        Cells of the columns that are not of every table, by name.
    rows
        Number of each row among all that were read.
    of_runs
        Whether the rows are runs, of which some inputs must be stated (`Input.every_run`).
    """
    by_plain = {plain_name(name): name for name in reversed(list(other))}
    index = pd.Index(np.asarray(rows, dtype=np.int64), name="row")
    found: dict[str, np.ndarray] = {}
    faults: list[Fault] = []
    used: set[str] = set()
    for each in law.extra_inputs:
        if each.level_of:
            continue
        label = _found(each, by_plain)
        default = None if of_runs and each.every_run else each.default
        if label is None:
            if default is not None:
                found[each.name] = np.full(len(index), default)
            else:
                faults.append(_missing(each, list(other)))
            continue
        used.add(label)
        values, problems = parse_cells(other[label], "a number such as 0.1")
        faults += [Fault(problem, rows[at], label) for at, problem in problems.items()]
        for at, value in enumerate(values):
            if at in problems:
                continue
            if np.isnan(value):
                if default is None:
                    faults.append(Fault(f"is empty: {_what(each)} is needed", rows[at], label))
                else:
                    values[at] = default
            elif (problem := each.problem(float(value))) is not None:
                faults.append(Fault(problem, rows[at], label))
        found[each.name] = values
    for names in law.labels:
        label = _found(names, by_plain)
        default_level = None if of_runs and names.every_run else _default_level(names)
        cells = [None] * len(index) if label is None else other[label]
        if label is None and default_level is None:
            faults.append(_missing(names, list(other)))
            continue
        used |= set() if label is None else {label}
        indicators, more = level_columns(names, cells, rows, label or names.name, default_level)
        found |= indicators
        faults += more
    return pd.DataFrame(found, index=index), faults, used


def _found(each: Input | Label, by_plain: Mapping[str, str]) -> str | None:
    """What a table calls a column; ``None`` if it has none."""
    names = (plain_name(name) for name in (each.name, *each.aliases))
    return next((by_plain[name] for name in names if name in by_plain), None)


def _default_level(each: Label) -> str | None:
    return each.default or next(iter(each.levels), None)


def _what(each: Input) -> str:
    return each.meaning or f"the input {each.name}"


def _missing(each: Input | Label, present: list[str]) -> Fault:
    hint = did_you_mean(each.name, present, f"columns found: {', '.join(present) or 'none'}")
    named = " or ".join((each.name, *each.aliases))
    return Fault(
        f"the column is missing, which the law reads: name it {named} ({hint})", column=each.name
    )
