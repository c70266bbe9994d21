"""Columns of a table that are not used and could be factors of a law."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bayes_distill.runs.cell_values import parse_cells, parse_labels
from bayes_distill.runs.column_names import plain_name
from bayes_distill.runs.factors import MOST_LEVELS, SAME_QUANTITY, column_in_text

LEAST_VALUES = 3
LEAST_RUNS = 2
"""Of every level."""
WIDE = 3.0
"""Largest over smallest value from which a column is taken to act by its logarithm."""
FOLLOWS = 0.98
"""Share of the variance of a column that size and tokens explain where it follows from them."""
NAMES_OF_RUNS = {"seed", "randomseed", "id", "runid", "index", "step", "steps", "date", "created"}


@dataclass(frozen=True, slots=True)
class PossibleFactor:
    """A column that could be a factor.

    Parameters
    ----------
    column
        Its name.
    form
        How it could act: ``power``, ``log-linear`` or ``categorical``.
    count
        How many different values or levels it has.
    """

    column: str
    form: Literal["power", "log-linear", "categorical"]
    count: int

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"column": self.column, "form": self.form, "values": self.count}


def possible_factors(frame: pd.DataFrame, other: pd.DataFrame) -> list[PossibleFactor]:
    """Columns of numbers that vary, and columns of names with a few levels.

    Left out are names of single runs, columns that rank the runs as their losses do, and those that
    follow from size and tokens, such as compute.

    Parameters
    ----------
    frame
        Canonical frame of sound runs.
    other
        The columns that are not used, with the same index.
    """
    found = []
    for name in other:
        if plain_name(str(name)) in NAMES_OF_RUNS or len(frame) == 0:
            continue
        values, problems = parse_cells(other[name])
        if not problems and np.isfinite(values).all():
            count = len(np.unique(values))
            if count >= LEAST_VALUES and not _follows(frame, values):
                wide = values.min() > 0 and values.max() > WIDE * values.min()
                found.append(PossibleFactor(str(name), "power" if wide else "log-linear", count))
                continue
        counts = pd.Series(parse_labels(other[name]), dtype=object).value_counts(dropna=False)
        if counts.index.isna().any() or not 2 <= len(counts) <= MOST_LEVELS:
            continue
        if counts.min() >= LEAST_RUNS and (problems or len(counts) < LEAST_VALUES):
            found.append(PossibleFactor(str(name), "categorical", len(counts)))
    return found


def in_words(found: Iterable[PossibleFactor]) -> str:
    """The columns, each with how it could act."""
    return ", ".join(
        f"column {column_in_text(each.column)} ({each.form}, {each.count} "
        f"{'levels' if each.form == 'categorical' else 'values'})"
        for each in found
    )


def _follows(frame: pd.DataFrame, values: np.ndarray) -> bool:
    """Whether a column of numbers is another measure of the loss, or of size and tokens."""
    column = pd.Series(values, index=frame.index)
    if "loss" in frame and abs(column.rank().corr(frame["loss"].rank())) > SAME_QUANTITY:
        return True
    sizes = [np.log(frame[n].to_numpy(float)) for n in ("params", "tokens") if n in frame]
    if not (values > 0).all() or len(values) <= len(sizes) + 2:
        return False
    design = np.column_stack([np.ones(len(values)), *sizes])
    logs = np.log(values)
    left = logs - design @ np.linalg.lstsq(design, logs, rcond=None)[0]
    return bool(left.var() < (1 - FOLLOWS) * logs.var())
