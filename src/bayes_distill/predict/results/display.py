"""How a result is shown: short in a console, as a compact table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_quantity
from bayes_distill.predict.results.columns import STATISTICS
from bayes_distill.predict.verdicts import one_line

MOST_ROWS = 20
MOST_LINES = 9
"""Of text below the headline of a result: ten lines in all."""
MOST_COLUMNS = 100
AMOUNTS = ("params", "tokens", "flops", "budget")
"""Endings of columns that hold counts, which people write as 1.8B or 2e20."""
MIDDLES = ("mean", "median")


class Result:
    """What every result has in common; a dataclass that inherits it sets ``repr=False``.

    `shown` maps the tables that a notebook shows to their headings, the main one first. A verdict,
    the probability inside intervals and notes are shown where there are any; the verdicts on the
    ``fit`` that it rests on in a console too, where one of them is not to be relied on.
    """

    shown: ClassVar[Mapping[str, str]] = {"table": ""}

    def shown_tables(self) -> dict[str, pd.DataFrame]:
        """Heading -> table, for a notebook."""
        return {heading: getattr(self, name) for name, heading in self.shown.items()}

    def __repr__(self) -> str:
        rows = [f"{len(table)} rows" for table in self.shown_tables().values()]
        head = f"<{type(self).__name__}: {', '.join([*rows[:1], *self._about()])}>"
        tables = [table for table in self.shown_tables().values() if len(table)]
        fit = getattr(self, "fit", {})
        amiss = isinstance(fit, Mapping) and {"review", "fail"} & set(fit.values())
        told = [one_line(fit)] if amiss else []
        lines = table_lines(tables[0], MOST_LINES - len(told)) if tables else []
        return "\n".join([head, *told, *lines])

    def _repr_html_(self) -> str:
        """Tables with each quantity in one column, its interval in brackets, and the notes."""
        about = f" ({escape(', '.join(self._about()))})" if self._about() else ""
        pieces = [f"<p><b>{escape(type(self).__name__)}</b>{about}</p>"]
        for heading, table in self.shown_tables().items():
            if len(table):
                pieces += [f"<p>{escape(heading)}</p>"] if heading else []
                pieces.append(html_table(table))
        notes = [f"<li>{escape(note)}</li>" for note in getattr(self, "notes", ())]
        pieces += [f"<ul>{''.join(notes)}</ul>"] if notes else []
        return f"<div>{''.join(pieces)}</div>"

    def _about(self) -> list[str]:
        verdict, interval = getattr(self, "verdict", None), getattr(self, "interval", None)
        parts = [f"verdict: {verdict}"] if isinstance(verdict, str) else []
        return parts + ([f"{100 * interval:g}% intervals"] if interval is not None else [])


def table_lines(table: pd.DataFrame, most: int = MOST_LINES) -> list[str]:
    """First rows and columns of a table as text: `most` lines, `MOST_COLUMNS` wide."""
    fits = len(table) < most
    shown = compact(table.head(most - (1 if fits else 2)))
    for count in range(len(shown.columns), 0, -1):
        lines = shown.iloc[:, :count].to_string(index=False).split("\n")
        if max(map(len, lines)) <= MOST_COLUMNS or count == 1:
            break
    more = [] if fits else [f"and {len(table) - len(shown):,} more rows"]
    return [line[:MOST_COLUMNS].rstrip() for line in lines] + more


def html_table(table: pd.DataFrame) -> str:
    """A table as HTML, escaped: the columns of a quantity joined, `MOST_ROWS` rows at most."""
    shown = compact(table.head(MOST_ROWS))
    head = "".join(f"<th>{escape(str(name))}</th>" for name in shown)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in shown.itertuples(index=False, name=None)
    )
    more = len(table) - len(shown)
    foot = f"<p>and {more:,} more rows</p>" if more else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}"


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """Text for people: ``loss_mean``, ``loss_lower`` and so on become one column ``loss``.

    It holds the mean (or else the median) and the interval, unless all draws agree; it takes the
    place of a column ``loss``. Columns in which no row has a value are left out.
    """
    known = table.dropna(axis="columns", how="all") if len(table) else table
    names = [str(name) for name in known]
    found: dict[str, list[str]] = {}
    for name in names:
        quantity, statistic = _parted(name)
        if _summarised(name, names):
            found[name] = _joined(known, name, names)
        elif statistic not in STATISTICS or not _summarised(quantity, names):
            found[name] = [text_of(name, value) for value in known[name]]
        elif quantity not in found:
            found[quantity] = _joined(known, quantity, names)
    return pd.DataFrame(found)


def text_of(name: str, value: Any) -> str:
    """One cell as text."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if not isinstance(value, (int, float, np.integer, np.floating)):
        return "–" if value is None or value is pd.NaT else str(value)
    if np.isnan(value):
        return "–"
    if name.startswith("p_"):
        return f"{value:.2f}"
    if name.endswith(AMOUNTS) and not name.startswith("factor"):
        return format_quantity(float(value))
    return f"{value:.5g}"


def _parted(name: str) -> tuple[str, str]:
    quantity, _, statistic = name.rpartition("_")
    return quantity, statistic


def _summarised(quantity: str, names: list[str]) -> bool:
    return any(f"{quantity}_{middle}" in names for middle in MIDDLES)


def _joined(table: pd.DataFrame, quantity: str, names: list[str]) -> list[str]:
    middle = next(m for m in MIDDLES if f"{quantity}_{m}" in names)
    ends = [f"{quantity}_{end}" for end in ("lower", "upper")]
    texts = [text_of(quantity, value) for value in table[f"{quantity}_{middle}"]]
    if not all(end in names for end in ends):
        return texts
    pairs = zip(table[ends[0]], table[ends[1]], strict=True)
    return [
        f"{text} ({text_of(quantity, low)} to {text_of(quantity, high)})" if low < high else text
        for text, (low, high) in zip(texts, pairs, strict=True)
    ]
