"""What a validation found: tables, and plain data for JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_distill._input.files import write_text
from bayes_distill._input.intervals import number
from bayes_distill._input.outputs import RESULT
from bayes_distill.predict.results.display import Result
from bayes_distill.validation.by_compute import by_factor
from bayes_distill.validation.gap_pairs import BANDS
from bayes_distill.validation.held import words
from bayes_distill.validation.rows import percent

JSON_NAMES = {"loss_mean": "mean", "new_run_sd": "sd"}
"""Columns of `Validation.rows` that plain data have under other names."""


@dataclass(frozen=True, eq=False, repr=False)
class Validation(Result):
    """Forecasts of left-out runs, compared with them.

    Parameters
    ----------
    table
        One row a group and ``overall`` as the last. ``runs`` left out and ``fitted``;
        ``coverage_50`` and so on, the share of left-out runs inside the predictive interval;
        ``bands``, whether the interval of probability `interval` is ``too narrow``, ``as stated``
        or ``too wide``, and ``effective_runs``, how many independent runs that rests on (see
        `validation.held`); ``factor``, compute of the dearest left-out run over that of the dearest
        fitted one; ``width``, mean width of that interval, its ``interval_score``, ``crps``,
        ``bias`` (mean forecast minus loss) and ``mae`` (mean absolute error), all in the unit of
        the loss; ``max_relative_error``; ``lpd``, the
        sum of the log predictive densities of single runs; ``joint_lpd``, that of the group as a
        whole, and ``joint_draws``, the effective number of draws behind it; ``pairs`` of
        teachers and the Brier scores of the gap risk; ``verdict`` and ``rhat_max`` of the refit.
    rows
        One row a left-out run: its ``group`` and ``row``, student and teacher, measured ``loss``;
        the forecast, as in `Forecast.table`: ``loss_mean``, ``new_run_sd`` and the predictive
        intervals ``new_run_lower_90``, ``new_run_upper_90`` and so on; ``pit``, ``crps``, ``lpd``;
        ``factor``, and its ``label`` in the column ``group``, if it has one.
    pairs
        One row a pair of teachers of one student, see `gap_pairs`, with its ``group``.
    reliability
        The gap risk's reliability table over all pairs, see `gap_pairs.reliability`.
    leave_out, model
        What was left out, and the card that was fitted.
    levels
        Probabilities of the predictive intervals.
    interval
        The level that ``width`` is of.
    settings
        Of the refits: chains, warmup, draws, seed.
    notes
        Sentences for people.
    factors
        Upper ends of the ranges of `by_factor`; empty unless runs above budgets were left out.
    """

    table: pd.DataFrame
    rows: pd.DataFrame
    pairs: pd.DataFrame
    reliability: pd.DataFrame
    leave_out: str
    model: str
    levels: tuple[float, ...]
    interval: float
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()

    @cached_property
    def by_factor(self) -> pd.DataFrame:
        """Scores by factor of extrapolation, see `by_compute.by_factor`; empty without factors."""
        if not self.factors or "factor" not in self.rows:
            return pd.DataFrame()
        return by_factor(self.rows, self.factors, self.levels, self.interval)

    def shown_tables(self) -> dict[str, pd.DataFrame]:
        """Heading -> table, for a notebook."""
        factors = {"By factor of extrapolation": self.by_factor} if self.factors else {}
        return {"": self.table} | factors

    @property
    def verdict(self) -> str:
        """Worst verdict of the refits: ``pass``, ``review`` or ``fail``."""
        found = set(self.table["verdict"])
        return next(verdict for verdict in ("fail", "review", "pass") if verdict in found)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; single pairs of teachers are left to `pairs`.

        ``rows`` are single runs; where runs above budgets were left out they are factors, and runs
        are in ``runs``.
        """
        records = [self._group(r) for r in self.table.to_dict("records")]
        runs = [self._row(r) for r in self.rows.to_dict("records")]
        content = {
            "leave_out": self.leave_out,
            "model": self.model,
            "verdict": self.verdict,
            "settings": self.settings,
            "levels": list(self.levels),
            "interval": self.interval,
            "groups": records[:-1],
            "overall": records[-1],
            "gap_risk": self._gap_risk(),
            "rows": runs,
            "notes": list(self.notes),
        }
        if self.factors:
            factors = [self._factor(r) for r in self.by_factor.to_dict("records")]
            content |= {"factors": list(self.factors), "rows": factors, "runs": runs}
        return content

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write what `to_json` gives, whole or not at all; `read_validation` reads it.

        Raises
        ------
        InputError
            If the place cannot be written to, or holds a file of another kind and not `overwrite`.
        """
        text = json.dumps(self.to_json(), allow_nan=False, indent=2) + "\n"
        return write_text(path, RESULT, text, overwrite=overwrite)

    def _group(self, r: dict[Any, Any]) -> dict[str, Any]:
        plain = [n for n in ("group", "verdict", "bands", "runs", "fitted", "pairs") if n in r]
        said = {"held": self.held(r)} if "bands" in r else {}
        return {
            **{name: r[name] for name in plain},
            **said,
            "coverage": {percent(v): r[f"coverage_{percent(v)}"] for v in self.levels},
            **{
                name: number(r[name])
                for name in r
                if name not in plain and not str(name).startswith("coverage_")
            },
        }

    def held(self, record: Mapping[Any, Any]) -> str:
        """What may be said of the bands of a record of `table`: ``held 56% of 90%: too narrow``."""
        share = record[f"coverage_{percent(self.interval)}"]
        return words(share, self.interval, record["bands"])

    def _factor(self, r: dict[Any, Any]) -> dict[str, Any]:
        share = r[f"coverage_{percent(self.interval)}"]
        return {
            "factor": r["factor"],
            "above": r["above"],
            "factor_median": r["factor_median"],
            "runs": r["runs"],
            "coverage": {percent(v): r[f"coverage_{percent(v)}"] for v in self.levels},
            **{name: r[name] for name in ("width", "interval_score", "crps", "error")},
            "effective_runs": r["effective_runs"],
            "verdict": r["verdict"],
            "held": words(share, self.interval, r["verdict"]),
        }

    def _gap_risk(self) -> dict[str, Any] | None:
        if not len(self.pairs):
            return None
        overall = self.table.iloc[-1]
        return {
            "pairs": len(self.pairs),
            "observed": float(self.pairs["happened"].mean()),
            "brier_base_rate": float(overall["brier_base_rate"]),
            **{
                band: {
                    "brier": float(overall[f"brier_{band}"]),
                    "reliability": [
                        {
                            "lower": r["lower"],
                            "upper": r["upper"],
                            "pairs": r["pairs"],
                            "forecast": number(r["forecast"]),
                            "observed": number(r["observed"]),
                        }
                        for r in self.reliability.to_dict("records")
                        if r["band"] == band
                    ],
                }
                for band in BANDS
            },
        }

    def _row(self, r: dict[Any, Any]) -> dict[str, Any]:
        intervals = {
            percent(v): {end: f"new_run_{end}_{percent(v)}" for end in ("lower", "upper")}
            for v in self.levels
        }
        labels = {"group", "row", "label"} & set(r)
        apart = {*labels, *(name for ends in intervals.values() for name in ends.values())}
        return {
            **{name: r[name] for name in ("group", "row")},
            **({"label": _text(r["label"])} if "label" in r else {}),
            **{JSON_NAMES.get(str(k), str(k)): number(v) for k, v in r.items() if k not in apart},
            "predictive": {
                level: {end: r[name] for end, name in ends.items()}
                for level, ends in intervals.items()
            },
        }


def row_column(plain: str) -> str:
    """Column of `Validation.rows` for a name in plain data: ``mean``, ``sd``, ``lower_90``, ..."""
    if plain.startswith(("lower_", "upper_")):
        return f"new_run_{plain}"
    return {name: column for column, name in JSON_NAMES.items()}.get(plain, plain)


def _text(value: Any) -> str | None:
    """A label for JSON."""
    return value if isinstance(value, str) else None if pd.isna(value) else str(value)
