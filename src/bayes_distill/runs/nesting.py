"""Cells that hold whole dictionaries, taken apart into one column an entry.

The table that the public API of Weights & Biases gives has the columns ``summary`` and ``config``
with a dictionary in each cell, as text once it went through a CSV; JSON lines nest as deep as a
team's logger does.
"""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any

from bayes_distill.runs.formats import Cells

DEPTH = 8
MOST_COLUMNS = 10_000
LONGEST_CELL = 100_000  # characters
WRAPPERS = ({"value", "desc"}, {"min", "max", "mean", "last", "best"})
"""Keys of dictionaries that stand for one number, as trackers write them."""


def flattened(cells: Cells) -> Cells | None:
    """Cells with every nested entry as a column ``outer.inner``; ``None`` if nothing is nested.

    A column is nested if all of its cells that are not empty are dictionaries, or text that reads
    as one in JSON or Python, and hold more than a wrapped number such as ``{"value": 7}``.
    """
    header: list[str] = []
    columns: list[list[object]] = []
    nested = False
    for name, column in zip(cells.header, cells.columns, strict=True):
        entries = _entries(name, column)
        nested |= entries is not None
        for inner, values in entries.items() if entries is not None else [(name, column)]:
            header.append(inner)
            columns.append(values)
    if not nested or len(header) > MOST_COLUMNS:
        return None
    return Cells(header, columns, cells.faults)


def as_dictionary(cell: object) -> dict[Any, Any] | None:
    """A cell that is a dictionary, or text that reads as one; ``None`` for any other."""
    if isinstance(cell, dict):
        return cell
    if not (isinstance(cell, str) and cell.lstrip().startswith("{")):
        return None
    text = cell.strip()
    if len(text) > LONGEST_CELL:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        for name, python in (("null", "None"), ("true", "True"), ("false", "False")):
            text = text.replace(f": {name}", f": {python}")
        # what Python writes for a number that is not finite is no literal
        for name in ("nan", "inf", "-inf"):
            text = text.replace(f": {name}", f": '{name}'")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's advice on odd text
                value = ast.literal_eval(text)  # reads plain data, and runs nothing
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _entries(name: str, column: list[object]) -> dict[str, list[object]] | None:
    """Columns that a nested column holds, by full name; ``None`` if it is not nested."""
    read = [as_dictionary(cell) for cell in column]
    pairs = zip(column, read, strict=True)
    if any(r is None and cell not in (None, "") for cell, r in pairs) or not any(read):
        return None
    if all(not r or _wraps_a_number(r) for r in read):
        return None
    found: dict[str, list[object]] = {}
    for row, dictionary in enumerate(read):
        for key, value in _walk(name, dictionary or {}, 0):
            found.setdefault(key, [None] * len(column))[row] = value
    return found


def _walk(name: str, dictionary: dict[Any, Any], depth: int) -> list[tuple[str, object]]:
    """Entries of a dictionary and of those inside it."""
    entries: list[tuple[str, object]] = []
    for key, value in dictionary.items():
        full = f"{name}.{key}"
        if isinstance(value, dict) and value and not _wraps_a_number(value) and depth < DEPTH:
            entries += _walk(full, value, depth + 1)
        else:
            entries.append((full, value))
    return entries


def _wraps_a_number(dictionary: dict[Any, Any]) -> bool:
    return any(set(dictionary) <= keys for keys in WRAPPERS)
