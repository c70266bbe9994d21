"""Columns of a table that a law reads besides size and tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass

OF_RUNS = ("params", "tokens", "unique_tokens", "loss")
"""Columns that every table may have, whatever the law; a law may add names for them."""


@dataclass(frozen=True, slots=True)
class Input:
    """A column of a table of runs that a law reads.

    Parameters
    ----------
    name
        Name of the column, which a formula uses.
    aliases
        Other names that tables have for it; case, spaces and underscores do not count.
    unit
        For people: what it is counted in.
    meaning
        What it is, in one line.
    default
        Value where nothing is stated: of a forecast without it, of an empty cell. ``None`` for an
        input that must be stated.
    least, most
        Range outside which a value is a fault.
    every_run
        Whether each run must state it. The default is then of points only.
    level_of
        Column of names whose level it indicates, 1 where it is that and else 0 (`Label`).
    """

    name: str
    aliases: tuple[str, ...] = ()
    unit: str = ""
    meaning: str = ""
    default: float | None = None
    least: float = 0.0
    most: float = math.inf
    every_run: bool = False
    level_of: str = ""

    def problem(self, value: float) -> str | None:
        """What is wrong with a value, or ``None``."""
        if not math.isfinite(value):
            return f"{value:g} is not a finite number"
        positive = self.least == 0.0 and math.isinf(self.most)
        if value < self.least or value > self.most or (positive and value == 0.0):
            range_of = f"must be between {self.least:g} and {self.most:g}"
            between = "must be above zero" if positive else range_of
            return f"{value:g} is out of range: {self.name} {between}"
        return None


@dataclass(frozen=True, slots=True)
class Label:
    """A column of names of which a law reads one indicator a level, ``COLUMN=LEVEL``.

    Parameters
    ----------
    name, aliases, meaning
        As of an `Input`.
    levels
        The levels, of which the first has no effect. Empty until a fit has seen the runs: then all
        levels of the table are read, the most frequent one first.
    default
        Level where nothing is stated.
    every_run
        As of an `Input`.
    """

    name: str
    aliases: tuple[str, ...] = ()
    meaning: str = ""
    levels: tuple[str, ...] = ()
    default: str | None = None
    every_run: bool = True

    def indicators(self) -> tuple[Input, ...]:
        """The columns that the law reads, one a level."""
        what = self.meaning or self.name
        return tuple(
            Input(
                indicator(self.name, level),
                meaning=f"{what} is {level}",
                default=float(level == (self.default or self.levels[0])),
                most=1.0,
                level_of=self.name,
            )
            for level in self.levels
        )


def indicator(column: str, level: str) -> str:
    """Name of the column that is 1 where `column` is `level`."""
    return f"{column}={level}"
