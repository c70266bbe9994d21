"""Cells of a table as numbers, or what is wrong with them."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.numbers import parse_quantity
from bayes_distill._input.text import storable

_EMPTY = {"", "-", "na", "n/a", "#n/a", "nan", "null", "none", "<na>"}
_INFINITE = {"inf": math.inf, "infinity": math.inf, "∞": math.inf}


def parse_cells(
    cells: Iterable[object], example: str = "1.8B, 300M or 2e20"
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Read cells as float64; what is no number comes out as NaN, with its problem by position.

    Empty cells are NaN and no problem here: whether they may be empty, the schema says.
    `example` shows whoever wrote a bad cell what a good one looks like.
    """
    values: list[float] = []
    problems: dict[int, str] = {}
    for place, cell in enumerate(cells):
        try:
            values.append(_number(cell))
        except ValueError:
            values.append(math.nan)
            problems[place] = f"{reprlib.repr(cell)} is not a number: write {example}"
    return np.array(values, dtype=np.float64), problems


def parse_labels(cells: Iterable[object]) -> list[str | None]:
    """Read cells as names; whole numbers lose the ``.0`` that a gap in a column gives them."""
    return [None if (label := _label(cell)) is None else storable(label) for cell in cells]


def _number(cell: object) -> float:
    if isinstance(cell, str):
        text = cell.strip()
        if text.casefold() in _EMPTY:
            return math.nan
        unsigned = _INFINITE.get(text.lstrip("+-").casefold())
        if unsigned is not None:
            return -unsigned if text.startswith("-") else unsigned
        return parse_quantity(text)
    if _is_empty(cell):
        return math.nan
    if isinstance(cell, (Real, Decimal)) and not isinstance(cell, (bool, np.bool_)):
        try:
            return float(cell)
        except OverflowError:
            return math.inf
    raise ValueError("not a number")


def _label(cell: object) -> str | None:
    if _is_empty(cell) or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _is_empty(cell: object) -> bool:
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return True
    return isinstance(cell, (float, np.floating)) and bool(np.isnan(cell))
