"""Lines of a register as a table of single forecasts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.files import made_of
from bayes_distill._input.register import read_register
from bayes_distill._input.text import shown
from bayes_distill.errors import Fault, InputError
from bayes_distill.predict.points import NAMES

KIND = 40  # characters of the name of a kind
COLUMNS = ("line", "kind", "time", "model", "fit", *NAMES, "outside", "mean")


def read_forecasts(path: str | Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a register: one row a forecast, and notes.

    Returns
    -------
    DataFrame
        ``line``, ``kind``, ``time``, ``model``, ``fit`` (fingerprint), the point, ``outside``,
        ``mean``, ``probabilities`` and ``quantiles`` (arrays) and ``known_runs`` (losses).

    Raises
    ------
    InputError
        If it is no register, a line was changed, or a line is not of a forecast.
    """
    found = read_register(path)
    if found.faults:
        raise InputError(
            [
                Fault(f"line {fault.row} of {path} {fault.problem}: `verify(FILE)` says more")
                for fault in found.faults
            ]
        )
    rows: list[dict[str, Any]] = []
    for number, content in enumerate(found.lines):
        rows += made_of(content, partial(_rows, number), f"line {number} of {path}")
    notes = ("the last line was not written to its end, and is left out",) if found.torn else ()
    table = pd.DataFrame(rows, columns=[*COLUMNS, "probabilities", "quantiles", "known_runs"])
    return table, notes


def _rows(number: int, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Single forecasts of a line; `ValueError` and the like if it is not as it was written."""
    probabilities = _rising(content["probabilities"])
    if not ((probabilities > 0) & (probabilities < 1)).all():
        raise ValueError("probabilities are between 0 and 1")
    time = datetime.fromisoformat(content["time"])
    if time.tzinfo is None:
        raise ValueError("the time has no zone")
    common = {
        "line": number,
        "kind": shown(str(content["kind"]), KIND),
        "time": time.astimezone(UTC),
        "model": str(content["fit"]["model"]),
        "fit": str(content["fit"]["fingerprint"]),
        "probabilities": probabilities,
    }
    return [{**common, **_row(row, len(probabilities))} for row in content["rows"]]


def _row(row: dict[str, Any], count: int) -> dict[str, Any]:
    quantiles = _rising(row["quantiles"])
    if len(quantiles) != count:
        raise ValueError("there are not as many quantiles as probabilities")
    point = {name: float("nan" if row.get(name) is None else row[name]) for name in NAMES}
    if not all(np.isfinite(point[name]) and point[name] > 0 for name in ("params", "tokens")):
        raise ValueError("params and tokens are positive numbers")
    known = np.asarray(row.get("known_runs", []), float)
    outside = row.get("outside")
    return {
        **point,
        "outside": None if outside is None else bool(outside),
        "mean": float(row["mean"]),
        "quantiles": quantiles,
        "known_runs": known,
    }


def _rising(values: Any) -> np.ndarray:
    found = np.asarray(values, float)
    rises = all(a <= b for a, b in pairwise(found.tolist()))
    if found.ndim != 1 or len(found) < 2 or not np.isfinite(found).all() or not rises:
        raise ValueError("quantiles and probabilities are finite numbers in rising order")
    return found
