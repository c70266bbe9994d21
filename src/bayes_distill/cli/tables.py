"""Tables for people: as wide as the terminal, as Markdown, or as CSV.

Numbers are never broken over lines. A table that is too wide loses width in its headers first, then
in cells of prose; what is still too wide goes on below, every record a row again with the columns
that tell the records apart.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, NamedTuple

from bayes_distill._input.text import printable, shown, spreadsheet_cell

Format = Literal["text", "md", "csv"]
PIPED = 160
LEAST = 20
MARGIN, GAP = 2, 3
PROSE = 16
"""Narrowest that a cell of prose becomes."""
LONGEST_WORD, LONGEST_CELL = 60, 2000
"""Characters of a word and of a cell on a terminal; as Markdown or CSV they are whole."""
_format: ContextVar[Format] = ContextVar("table_format", default="text")
_printed: ContextVar[bool] = ContextVar("table_printed", default=False)


@contextmanager
def tables_as(kind: Format) -> Iterator[None]:
    """Print all tables of a command in this form."""
    token, printed = _format.set(kind), _printed.set(False)
    try:
        yield
    finally:
        _format.reset(token)
        _printed.reset(printed)


def table_format() -> Format:
    """The form in which tables are printed."""
    return _format.get()


def separator() -> str:
    """What stands ahead of a table: an empty line between two as Markdown or CSV."""
    again = _printed.get() and table_format() != "text"
    _printed.set(True)
    return "\n" if again else ""


def console_width() -> int:
    """Columns of the output: those of ``COLUMNS``, of the terminal, or 160 where there is none."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return max(int(told), LEAST)
    if sys.stdout is not None and sys.stdout.isatty():
        return max(shutil.get_terminal_size().columns, LEAST)
    return PIPED


def formatted(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str | None = None,
    left: int = 1,
) -> str:
    """A table as text of the form that is set; the first `left` columns are text."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    names = [printable(name) for name in header]
    if table_format() == "csv":
        return _csv(names, cells)
    table = _Table(printable(title), names, cells, caption and printable(caption), left)
    return _markdown(table) if table_format() == "md" else _text(table)


class _Table(NamedTuple):
    """A table whose cells can be printed; its first `left` columns are text."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str | None
    left: int


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Comma-separated values; what stands for no value is empty."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([spreadsheet_cell(name) for name in header])
    writer.writerows([[_csv_cell(cell) for cell in row] for row in rows])
    return file.getvalue()


def _csv_cell(cell: str) -> str:
    if cell == "-":
        return ""
    return cell if _is_number(cell) else spreadsheet_cell(cell)


def _markdown(table: _Table) -> str:
    title, header, rows, caption, left = table

    def line(cells: Iterable[str]) -> str:
        escaped = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
        return "| " + " | ".join(escaped) + " |"

    rule = ["---" if place < left else "---:" for place in range(len(header))]
    parts = [f"**{' '.join(title.split())}**", "\n".join(map(line, [header, rule, *rows]))]
    return "\n\n".join([*parts, *([caption] if caption else [])]) + "\n"


def _text(table: _Table) -> str:
    title, header, cells, caption, left = table
    rows = [[_bounded(cell) for cell in row] for row in cells]
    width = console_width()
    blocks = _blocks(header, rows, width)
    lines: list[str] = []
    widest = 0
    for columns, widths in blocks:
        body = _block(header, rows, columns, widths, left)
        widest = max(widest, MARGIN + sum(widths) + GAP * (len(widths) - 1) + MARGIN)
        lines += ["", *body]
    # narrow tables are as wide as their cells; their words may then be as wide as the screen
    room = min(width, max(widest, width if len(blocks) > 1 else 0))
    head = _wrapped(title, width)
    bold = sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    head = [f"\x1b[1m{line}\x1b[0m" if bold and line else line for line in head]
    foot = [*_wrapped(caption, room), ""] if caption else []
    return "\n".join(line.rstrip() for line in [*head, *lines, "", *foot]) + "\n"


def _bounded(cell: str) -> str:
    """A cell whose words fit a column: names come from tables, and may have any length."""
    if len(cell) <= LONGEST_WORD:
        return cell
    words = (shown(word, LONGEST_WORD) for word in cell[: LONGEST_CELL + 1].split(" "))
    return shown(" ".join(words), LONGEST_CELL)


def _wrapped(text: str, width: int) -> list[str]:
    return [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
        or [""]
    ]


def _blocks(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> list[tuple[list[int], list[int]]]:
    """Columns of each part of the table, and their widths."""
    count = len(header)
    columns = [[row[place] for row in rows] for place in range(count)]
    natural = [max(map(_width, [header[i], *columns[i]])) for i in range(count)]
    if _fits(natural, width):
        return [(list(range(count)), natural)]
    cells = [max([0, *map(_width, columns[i])]) for i in range(count)]
    whole = [max(cells[i], _longest_word(header[i])) for i in range(count)]
    least = [max([_longest_word(header[i]), *map(_least, columns[i])]) for i in range(count)]
    tight = _squeezed(whole, least, width)

    def part_of(places: list[int]) -> tuple[list[int], list[int]]:
        words = [header[i] for i in places]
        widths = _squeezed([whole[i] for i in places], [least[i] for i in places], width)
        return places, _relaxed(words, widths, width)

    if _fits(tight, width):
        return [part_of(list(range(count)))]
    keys = _keys(columns)
    keys = keys if _fits([tight[i] for i in keys], width // 2) else keys[:1]
    others = [i for i in range(count) if i not in keys]

    def parts(room: int) -> list[list[int]]:
        found, part = [], list(keys)
        for place in others:
            if len(part) > len(keys) and not _fits([tight[i] for i in [*part, place]], room):
                found.append(part)
                part = list(keys)
            part.append(place)
        return [*found, part]

    # as few parts as there can be, and then as even ones
    fewest, room = len(parts(width)), width
    while room > LEAST and len(parts(room - 1)) == fewest:
        room -= 1
    return [part_of(part) for part in parts(room)]


def _fits(widths: Sequence[int], width: int) -> bool:
    return MARGIN + sum(widths) + GAP * (len(widths) - 1) + 1 <= width  # the rule stands out


def _squeezed(widths: list[int], least: Sequence[int], width: int) -> list[int]:
    """Widths with the widest cells of prose narrowed until the table fits, or all are narrow."""
    widths = list(widths)
    while not _fits(widths, width):
        most = max(range(len(widths)), key=lambda i: (widths[i] - least[i], widths[i]))
        if widths[most] <= least[most]:
            break
        widths[most] -= 1
    return widths


def _relaxed(header: Sequence[str], widths: list[int], width: int) -> list[int]:
    """Widths with what is left of the screen given to the headers that take most lines."""
    widths = list(widths)

    def lines(i: int) -> int:
        return len(_wrapped(header[i], max(widths[i], 1)))

    while any(lines(i) > 1 for i in range(len(header))):
        most = max(range(len(header)), key=lambda i: (lines(i), -widths[i]))
        widths[most] += 1
        if not _fits(widths, width):
            widths[most] -= 1
            break
    return widths


def _keys(columns: Sequence[Sequence[str]]) -> list[int]:
    """First columns that tell the records apart, three at most."""
    for count in range(1, min(3, len(columns)) + 1):
        records = list(zip(*columns[:count], strict=True))
        if len(set(records)) == len(records) and len(records) > 1:
            return list(range(count))
    return list(range(min(2, len(columns))))


def _block(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: Sequence[int],
    widths: Sequence[int],
    left: int,
) -> list[str]:
    def record(cells: Sequence[str], at_end: bool = False) -> list[str]:
        parts = [
            _wrapped(cells[i], max(w, 1)) if _width(cells[i]) > w else [cells[i]]
            for i, w in zip(columns, widths, strict=True)
        ]
        height = max(len(part) for part in parts)
        lines = []
        for at in range(height):
            shift = [at - (height - len(part)) if at_end else at for part in parts]
            texts = [
                part[s] if 0 <= s < len(part) else "" for part, s in zip(parts, shift, strict=True)
            ]
            padded = [
                _padded(text, w, i < left)
                for text, w, i in zip(texts, widths, columns, strict=True)
            ]
            lines.append(" " * MARGIN + (" " * GAP).join(padded))
        return lines

    rule = " " + "─" * (sum(widths) + GAP * (len(widths) - 1) + 2)
    return [*record(header, True), rule, *(line for row in rows for line in record(row))]


def _padded(text: str, width: int, left: bool) -> str:
    blank = " " * max(width - _width(text), 0)
    return text + blank if left else blank + text


def _width(text: str) -> int:
    """Columns that text takes: two for wide characters, none for those that combine."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _longest_word(text: str) -> int:
    return max([0, *map(_width, text.split())])


def _least(cell: str) -> int:
    """Narrowest that a cell becomes: numbers and ranges stay on one line."""
    if _width(cell) <= PROSE or cell[:1].isdigit() or _is_number(cell.split()[0]):
        return _width(cell)
    return max(PROSE, _longest_word(cell))


def _is_number(text: str) -> bool:
    try:
        float(text.rstrip("%"))
    except ValueError:
        return False
    return True
