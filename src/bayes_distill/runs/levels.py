"""Columns of names as columns of numbers: an indicator for every level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill._input.text import shown
from bayes_distill.errors import Fault
from bayes_distill.runs.cell_values import parse_labels

if TYPE_CHECKING:  # with JAX, which a check of a table does without
    from bayes_distill.laws import Label

MOST_LEVELS = 50
SLASH = "/"  # which names of variables in a file cannot have


def level_columns(
    label: Label,
    cells: Iterable[object],
    rows: Sequence[int],
    column: str,
    default: str | None,
) -> tuple[dict[str, np.ndarray], list[Fault]]:
    """Indicators (rows,) of every level of a column of names, by name, and what is wrong with it.

    Parameters
    ----------
    label
        The column. Where it states no levels, those of the cells are taken, the most frequent
        first.
    cells
        The cells, one a row.
    rows
        Number of each row among all that were read.
    column
        What the table calls it.
    default
        Level of empty cells; ``None`` where there must be none.
    """
    found = [None if name is None else level_name(name) for name in parse_labels(cells)]
    levels = tuple(level_name(level) for level in label.levels)
    names = [level_name(default) if name is None and default else name for name in found]
    faults: list[Fault] = []
    counts = Counter(name for name in names if name is not None)
    for at, name in enumerate(names):
        if name is None:
            empty = f"is empty: {label.meaning or label.name} is needed"
            faults.append(Fault(empty, rows[at], column))
        elif levels and name not in levels:
            there_are = f"there are {', '.join(levels)}"
            hint = did_you_mean(name, levels, there_are, what="its levels")
            faults.append(Fault(f"'{shown(name)}' is no level ({hint})", rows[at], column))
    if not levels:
        levels = tuple(sorted(counts, key=lambda name: (-counts[name], name)))
        if len(levels) > MOST_LEVELS:
            many = f"holds {len(levels)} different names: a factor has at most {MOST_LEVELS} levels"
            faults.append(Fault(many, column=column))
        elif len(levels) < 2 and not faults:
            one = f"holds {', '.join(levels) or 'nothing'} in every row: a factor needs two levels"
            faults.append(Fault(one, column=column))
    given = np.array([name or "" for name in names], dtype=object)
    return {f"{label.name}={level}": (given == level).astype(float) for level in levels}, faults


def level_name(text: str) -> str:
    """The name of a level as columns and files have it."""
    return text.strip().replace(SLASH, "|")
