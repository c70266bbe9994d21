"""Columns of a mapping written on one line: ``params=config.n*1e6,loss=min(val/loss)``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bayes_distill._input.numbers import parse_quantity
from bayes_distill._input.text import shown
from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.column_names import COLUMN_NAMES

EXAMPLE = "write params=config.n*1e6,tokens=tokens_b*1B,loss=min(val/loss)"
_EXTREME = re.compile(r"(min|max|last)\((.+)\)", re.DOTALL)


def parse_columns(text: str) -> dict[str, dict[str, Any]]:
    """Columns as `RunsMapping` takes them.

    A column is ``NAME=SOURCE``, several are separated by commas. A source is a product of names
    and numbers joined by ``*``: several names are multiplied, numbers are the scale, and numbers
    alone a constant. ``min(NAME)`` and ``max(NAME)`` are the extremes that a metric had. A name
    that holds a comma, an asterisk or an equals sign stands in quotation marks.

    Raises
    ------
    InputError
        Naming every part that is no such column.
    """
    columns: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    for part in _split(text, ","):
        name, equals, source = part.partition("=")
        name = name.strip()
        if not equals or not source.strip():
            faults.append(f"'{shown(part)}' is not NAME=SOURCE: {EXAMPLE}")
        elif name in columns:
            faults.append(f"{name} is there twice")
        else:
            try:
                columns[name] = _column(source)
            except ValueError as error:
                faults.append(f"{shown(name)}: {error}")
    if not columns and not faults:
        faults.append(f"is empty: {EXAMPLE}, with names of {', '.join(COLUMN_NAMES)}")
    if faults:
        raise InputError([Fault(problem, column="columns") for problem in faults])
    return columns


def _column(source: str) -> dict[str, Any]:
    names: list[str] = []
    values: set[str] = set()
    scale, numbers = 1.0, 0
    for part in _split(source, "*"):
        factor = part.strip()
        if not factor:
            raise ValueError(f"a factor is missing in '{shown(source)}'")
        try:
            scale, numbers = scale * parse_quantity(factor), numbers + 1
            continue
        except ValueError:
            pass
        extreme = _EXTREME.fullmatch(factor)
        values.add(extreme[1] if extreme else "last")
        names.append(_unquoted(extreme[2] if extreme else factor))
    if not names:
        return {"constant": scale}
    if len(values) > 1:
        raise ValueError("its factors are all of the last value, of the min or of the max")
    column: dict[str, Any] = {"from": names, "value": values.pop()}
    return column | ({"scale": scale} if numbers else {})


def _split(text: str, separator: str) -> Iterator[str]:
    """Parts between separators that stand outside of quotation marks."""
    quote, start = "", 0
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == separator:
            yield text[start:place]
            start = place + 1
    if text[start:].strip() or start:
        yield text[start:]


def _unquoted(name: str) -> str:
    name = name.strip()
    quoted = len(name) > 1 and name[0] in "\"'" and name[-1] == name[0]
    return name[1:-1] if quoted else name
