"""Strings of somebody's as text: on a terminal, in a message, in a cell of a spreadsheet.

Names of teachers, groups, runs and files come from tables, arguments and other people's files.
"""

from __future__ import annotations

MOST_SHOWN = 60
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet runs as a formula."""


def printable(text: str) -> str:
    """Text in which control characters and lone surrogates are written as escapes.

    Line breaks and tabs stay: the package's own sentences have them. What changes the direction of
    text is escaped as well, for it hides what a name says.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t\u00a0" else _escape(c) for c in text)


def shown(text: str, most: int = MOST_SHOWN) -> str:
    """Text as part of a message: at most so many characters, on one line, and printable."""
    part = text[: most + 1]
    plain = "".join(c if c.isprintable() else _escape(c) for c in part)
    return plain if len(text) <= most and len(plain) <= 2 * most else f"{plain[:most]}..."


def storable(text: str) -> str:
    """Text that any file can hold: lone surrogates, which no encoding has, become escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def spreadsheet_cell(text: str) -> str:
    """A cell that a spreadsheet takes for text, also where it begins like a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def named(names: list[str], most: int = 20) -> str:
    """Names in a sentence, the first of them where there are many."""
    listed = ", ".join(shown(name) for name in names[:most])
    more = len(names) - most
    return f"{listed} and {more:,} more" if more > 0 else listed


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def without_folders(source: str) -> str:
    """Where data came from, without the folders of a whole path: these are of one machine."""
    head, slash, tail = source.rpartition("/")
    whole = head.startswith(("/", "~")) or "///" in head or "\\" in source or head == ""
    return tail if slash and whole else source
