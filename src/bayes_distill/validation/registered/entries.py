"""Lines of a register as tables of single forecasts, and of probabilities that runs can show."""

from __future__ import annotations

from dataclasses import dataclass
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
from bayes_distill.validation.registered.events import BEATS, BETTER, HURTS
from bayes_distill.validation.registered.events import COLUMNS as EVENT_COLUMNS
from bayes_distill.validation.registered.later_runs import TEACHER

KIND = 40  # characters of the name of a kind
COLUMNS = ("line", "kind", "time", "model", "fit", *NAMES, "outside", "mean", "by", "arm")
ON_EQUAL_TOKENS = ("forecast", "risk")
"""Commands whose comparison with supervised training is on as many tokens."""


@dataclass(frozen=True, eq=False)
class Registered:
    """What a register holds.

    Parameters
    ----------
    forecasts
        One row a forecast of a loss: ``line``, ``kind``, ``time``, ``model``, ``fit``
        (fingerprint), the point, ``outside``, ``mean``, ``by`` and ``arm`` (the column that names
        the arms, and the arm), ``probabilities`` and ``quantiles`` (arrays) and ``known_runs``
        (losses).
    events
        One row a probability that two later runs can show, see `events`: ``line``, ``kind``,
        ``time``, ``model``, ``event``, ``probability``, the point, ``by``, ``arm_a``, ``arm_b`` and
        ``known_runs``.
    notes
        Sentences for people.
    """

    forecasts: pd.DataFrame
    events: pd.DataFrame
    notes: tuple[str, ...]

    def named_by(self, by: str | None) -> Registered:
        """The same with another column that names the arms, if one is given."""
        if by is None:
            return self
        told = (self.forecasts.assign(by=by), self.events.assign(by=by))
        return Registered(*told, self.notes)


def read_forecasts(path: str | Path) -> Registered:
    """Read a register.

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
    events: list[dict[str, Any]] = []
    for number, content in enumerate(found.lines):
        mine, shown_by_two = made_of(content, partial(_rows, number), f"line {number} of {path}")
        rows += mine
        events += shown_by_two
    notes = ("the last line was not written to its end, and is left out",) if found.torn else ()
    table = pd.DataFrame(rows, columns=[*COLUMNS, "probabilities", "quantiles", "known_runs"])
    names = [*EVENT_COLUMNS, "by", "arm_a", "arm_b", *TEACHER, "unique_tokens", "known_runs"]
    return Registered(table, pd.DataFrame(events, columns=names), notes)


def _rows(
    number: int, content: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Single forecasts of a line, and its probabilities.

    `ValueError` and the like if it is not as it was written.
    """
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
    by = content.get("asked", {}).get("by")
    common["by"] = None if by is None else str(by)
    rows = [{**common, **_row(row, len(probabilities))} for row in content["rows"]]
    return rows, _events(content, rows)


def _events(content: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Probabilities of a line that later runs can show."""
    found = []
    for told, row in zip(content["rows"], rows, strict=True):
        if row["kind"] in ON_EQUAL_TOKENS and told.get(BEATS) is not None:
            found.append({**row, "event": BEATS, "probability": _share(told[BEATS])})
        if told.get(HURTS) is not None:
            found.append({**row, "event": HURTS, "probability": _share(told[HURTS])})
    for pair in content.get("pairs", []):
        a, b = (rows[_place(pair[side], len(rows))] for side in ("a", "b"))
        arms = {"arm_a": a["arm"], "arm_b": b["arm"]}
        found.append({**a, **arms, "event": BETTER, "probability": _share(pair[BETTER])})
    return found


def _share(value: Any) -> float:
    if not 0 <= float(value) <= 1:
        raise ValueError("a probability is between 0 and 1")
    return float(value)


def _place(value: Any, count: int) -> int:
    if not (isinstance(value, int) and 0 <= value < count):
        raise ValueError("a pair names two rows")
    return value


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
        "arm": None if row.get("arm") is None else str(row["arm"]),
        "quantiles": quantiles,
        "known_runs": known,
    }


def _rising(values: Any) -> np.ndarray:
    found = np.asarray(values, float)
    rises = all(a <= b for a, b in pairwise(found.tolist()))
    if found.ndim != 1 or len(found) < 2 or not np.isfinite(found).all() or not rises:
        raise ValueError("quantiles and probabilities are finite numbers in rising order")
    return found
