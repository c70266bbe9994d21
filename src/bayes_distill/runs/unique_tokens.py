"""Runs that saw the same tokens more than once: how many of their tokens are unique."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.numbers import format_quantity
from bayes_distill.errors import Fault
from bayes_distill.runs.column_names import EPOCHS

ROUNDING = 1e-6  # tables hold rounded numbers: tokens / epochs need not be exact


def unique_tokens(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Unique tokens of every run of a canonical frame (rows,): all tokens where none are stated."""
    tokens = frame["tokens"].to_numpy(float)
    if "unique_tokens" not in frame:
        return tokens
    unique = frame["unique_tokens"].to_numpy(float)
    return np.where(np.isnan(unique), tokens, unique)


def has_repeats(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Which runs of a canonical frame saw some token more than once, (rows,)."""
    return np.asarray(unique_tokens(frame) < frame["tokens"].to_numpy(float) * (1 - ROUNDING))


def with_unique_tokens(
    numbers: Mapping[str, pd.Series[float]], labels: Mapping[str, str]
) -> tuple[dict[str, pd.Series[float]], list[Fault]]:
    """Columns with ``unique_tokens`` in place of epochs, and what is wrong with it.

    Parameters
    ----------
    numbers
        Columns by canonical name; `EPOCHS` stands for unique tokens = tokens / epochs. Less than
        one epoch means that all tokens are unique.
    labels
        What the table calls each column.
    """
    columns = dict(numbers)
    epochs = columns.pop(EPOCHS, None)
    tokens, unique = columns.get("tokens"), columns.get("unique_tokens")
    if tokens is not None and unique is None and epochs is not None:
        columns["unique_tokens"] = tokens / epochs.where(epochs > 0).clip(lower=1.0)
    if tokens is None or unique is None:
        return columns, []
    faults = [
        Fault(too_many(float(unique[row]), float(tokens[row])), row, labels["unique_tokens"])
        for row in unique.index[unique > tokens * (1 + ROUNDING)]
    ]
    columns["unique_tokens"] = unique.clip(upper=tokens)
    return columns, faults


def too_many(unique: float, tokens: float) -> str:
    """Say that there are more unique tokens than tokens."""
    return (
        f"{format_quantity(unique)} unique tokens are more than the {format_quantity(tokens)} "
        "tokens of the run: count those that it saw, or leave it empty if it saw none twice"
    )
