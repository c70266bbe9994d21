"""Scores of registered forecasts: tables, and plain data for JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bayes_distill._input.files import json_of, made_of, write_text
from bayes_distill._input.outputs import RESULT
from bayes_distill.errors import InputError
from bayes_distill.predict.results.display import Result
from bayes_distill.validation.registered.events import CAME, COLUMNS
from bayes_distill.validation.rows import percent

FORMAT = "bayes-distill scores"
FAILS = "too narrow"
NO_EVENTS = pd.DataFrame(columns=[*COLUMNS, *CAME])


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Result):
    """How registered forecasts did.

    Parameters
    ----------
    table
        One row a forecast and a run that came of it: ``line`` of the register and ``row`` of the
        run, from 0; ``kind`` (the command), ``time`` of the forecast, ``model``, the point,
        ``loss``, ``mean`` and ``median`` of the forecast, ``new_run_{lower|upper}_{50|...}``,
        ``interval_score``, ``crps``, and ``pit``, the share of the forecast below the loss. In the
        unit of the loss.
    kinds
        One row a kind of question, the first for all: ``question`` (what it is sorted by),
        ``kind``, ``scored``, ``runs`` (different ones), ``coverage_50`` and so on, means of the
        scores, ``error`` (forecast minus loss), and ``verdict`` on its intervals, `held.Held`.
    levels, interval
        Probabilities of intervals; that of interval scores and verdicts.
    waiting
        Forecasts of which no run came.
    notes
        Sentences for people.
    probabilities
        One row a probability of which two runs show whether it came true: ``line``, ``kind``,
        ``time``, ``model``, ``event`` (its name in the answer), ``probability``, the point,
        ``arm_a`` and ``arm_b``, ``happened`` (1 or 0), ``difference`` (of the losses that were
        compared, positive where it happened), ``runs`` (how many) and ``brier``, the squared
        difference of ``happened`` and the probability.
    """

    shown: ClassVar[Mapping[str, str]] = {
        "kinds": "Kinds of question",
        "table": "Forecasts",
        "probabilities": "Probabilities",
    }

    table: pd.DataFrame
    kinds: pd.DataFrame
    levels: tuple[float, ...]
    interval: float
    waiting: int
    notes: tuple[str, ...]
    probabilities: pd.DataFrame = field(default_factory=lambda: NO_EVENTS)

    @property
    def events(self) -> pd.DataFrame:
        """One row an event: ``event``, ``scored``, means ``brier``, ``probability``, ``happened``.

        A Brier score of 0 is that of certainty that was right, 0.25 that of a coin.
        """
        grouped = self.probabilities.groupby("event", sort=True)
        means = grouped[["brier", "probability", "happened"]].mean()
        means.insert(0, "scored", grouped.size())
        return means.reset_index()

    @property
    def scored(self) -> int:
        """Number of pairs of a forecast and a run."""
        return len(self.table)

    @property
    def failing(self) -> tuple[str, ...]:
        """Kinds of question whose intervals are too narrow."""
        rows = self.kinds.iloc[1:]
        return tuple(rows.loc[rows["verdict"] == FAILS, "kind"])

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        kinds = [self._summary(row) for row in self.kinds.to_dict("records")]
        return {
            "format": FORMAT,
            "scored": self.scored,
            **{k: kinds[0][k] for k in ("coverage", "interval_score", "crps", "error", "verdict")},
            "interval": self.interval,
            "waiting": self.waiting,
            "kinds": kinds[1:],
            "failing": list(self.failing),
            "rows": [self._row(row) for row in self.table.to_dict("records")],
            "probabilities": {
                "scored": len(self.probabilities),
                "brier": _plain(float(self.probabilities["brier"].mean())),
                "events": self.events.to_dict("records"),
                "rows": [
                    {k: _plain(v) for k, v in row.items()} | {"time": row["time"].isoformat()}
                    for row in self.probabilities.to_dict("records")
                ],
            },
            "notes": list(self.notes),
        }

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write `to_json`, whole or not at all; `plot` draws it."""
        text = json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n"
        return write_text(path, RESULT, text, overwrite=overwrite)

    def _summary(self, row: dict[Any, Any]) -> dict[str, Any]:
        coverage = {percent(v): row[f"coverage_{percent(v)}"] for v in self.levels}
        plain = {k: v for k, v in row.items() if not str(k).startswith("coverage_")}
        return {**plain, "coverage": coverage}

    def _row(self, row: dict[Any, Any]) -> dict[str, Any]:
        found = {k: _plain(v) for k, v in row.items() if not str(k).startswith("new_run_")}
        found["time"] = row["time"].isoformat()
        found["predictive"] = {
            percent(v): {e: row[f"new_run_{e}_{percent(v)}"] for e in ("lower", "upper")}
            for v in self.levels
        }
        return found


def read_scores(path: str | Path) -> Scores:
    """Read scores from the file that `Scores.save` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it holds something else.
    """
    content = json_of(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path} was not written by `score(FORECASTS, RUNS).save(FILE)`")
    return made_of(content, _scores, path)


def _scores(content: dict[str, Any]) -> Scores:
    rows = []
    for row in content["rows"]:
        bands = row["predictive"].items()
        numbers = {k: np.nan if v is None else v for k, v in row.items() if k != "predictive"}
        numbers["time"] = pd.Timestamp(row["time"])
        rows.append(numbers | {f"new_run_{e}_{v}": x for v, ends in bands for e, x in ends.items()})
    whole = {"question": "all", "kind": "all", "scored": content["scored"], "runs": np.nan}
    whole |= {k: content[k] for k in ("coverage", "interval_score", "crps", "error", "verdict")}
    kinds = [
        {k: v for k, v in kind.items() if k != "coverage"}
        | {f"coverage_{level}": share for level, share in kind["coverage"].items()}
        for kind in [whole, *content["kinds"]]
    ]
    levels = tuple(float(level) / 100 for level in content["coverage"])
    # files of earlier versions have none
    stored = content.get("probabilities", {}).get("rows", [])
    events = [row | {"time": pd.Timestamp(row["time"])} for row in stored]
    return Scores(
        pd.DataFrame(rows),
        pd.DataFrame(kinds),
        levels,
        float(content["interval"]),
        int(content["waiting"]),
        tuple(content["notes"]),
        pd.DataFrame(events) if events else NO_EVENTS,
    )


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value
