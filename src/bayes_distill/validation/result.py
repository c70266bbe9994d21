"""What a validation found, and how the scores of single runs become those of groups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_distill._input.files import atomic_path
from bayes_distill._input.intervals import number
from bayes_distill.predict.results.display import Result
from bayes_distill.validation.gap_pairs import BANDS, brier_scores, reliability
from bayes_distill.validation.refit import percent

OVERALL = "overall"
FEW_DRAWS = 20  # behind a joint density: below that it is a lower bound
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
        ``width``, its mean width at the probability `interval`, ``crps``, ``bias`` (mean forecast
        minus loss) and ``mae`` (mean absolute error), all in the unit of the loss;
        ``max_relative_error``; ``lpd``, the
        sum of the log predictive densities of single runs; ``joint_lpd``, that of the group as a
        whole, and ``joint_draws``, the effective number of draws behind it; ``pairs`` of
        teachers and the Brier scores of the gap risk; ``verdict`` and ``rhat_max`` of the refit.
    rows
        One row a left-out run: its ``group`` and ``row``, student and teacher, measured ``loss``;
        the forecast, as in `Forecast.table`: ``loss_mean``, ``new_run_sd`` and the predictive
        intervals ``new_run_lower_90``, ``new_run_upper_90`` and so on; ``pit``, ``crps``, ``lpd``.
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

    @property
    def verdict(self) -> str:
        """Worst verdict of the refits: ``pass``, ``review`` or ``fail``."""
        found = set(self.table["verdict"])
        return next(verdict for verdict in ("fail", "review", "pass") if verdict in found)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; single pairs of teachers are left to `pairs`."""
        records = [self._group(r) for r in self.table.to_dict("records")]
        return {
            "leave_out": self.leave_out,
            "model": self.model,
            "verdict": self.verdict,
            "settings": self.settings,
            "levels": list(self.levels),
            "interval": self.interval,
            "groups": records[:-1],
            "overall": records[-1],
            "gap_risk": self._gap_risk(),
            "rows": [self._row(r) for r in self.rows.to_dict("records")],
            "notes": list(self.notes),
        }

    def save(self, path: str | Path) -> Path:
        """Write what `to_json` gives, whole or not at all; `read_validation` reads it.

        Raises
        ------
        InputError
            If the place cannot be written to.
        """
        text = json.dumps(self.to_json(), allow_nan=False, indent=2) + "\n"
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return Path(path)

    def _group(self, r: dict[Any, Any]) -> dict[str, Any]:
        plain = ("group", "verdict", "runs", "fitted", "pairs")
        return {
            **{name: r[name] for name in plain},
            "coverage": {percent(v): r[f"coverage_{percent(v)}"] for v in self.levels},
            **{
                name: number(r[name])
                for name in r
                if name not in plain and not str(name).startswith("coverage_")
            },
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
        apart = {"group", "row", *(name for ends in intervals.values() for name in ends.values())}
        return {
            "group": r["group"],
            "row": r["row"],
            **{JSON_NAMES.get(str(k), str(k)): number(v) for k, v in r.items() if k not in apart},
            "predictive": {
                level: {end: r[name] for end, name in ends.items()}
                for level, ends in intervals.items()
            },
        }


def collect(
    found: Sequence[dict[str, Any]],
    *,
    leave_out: str,
    model: str,
    levels: Sequence[float],
    interval: float,
    settings: dict[str, Any],
    notes: Sequence[str],
) -> Validation:
    """Put the refits' plain results together."""
    rows = pd.concat([_labelled(f["rows"], f["group"]) for f in found], ignore_index=True)
    rows = rows.rename(columns=row_column)
    pairs = pd.concat([_labelled(f["pairs"], f["group"]) for f in found], ignore_index=True)
    pairs = pairs.astype({"happened": bool})
    records = []
    for f in found:
        mine = rows[rows["group"] == f["group"]]
        names = ("group", "verdict", "rhat_max", "fitted", "joint_lpd", "joint_draws")
        records.append(
            {name: f[name] for name in names}
            | summary(mine, levels, interval)
            | pair_summary(pairs[pairs["group"] == f["group"]])
        )
    worst = next(v for v in ("fail", "review", "pass") if v in {f["verdict"] for f in found})
    records.append(
        {
            "group": OVERALL,
            "verdict": worst,
            "rhat_max": max(f["rhat_max"] for f in found),
            "fitted": min(f["fitted"] for f in found),
            "joint_lpd": sum(f["joint_lpd"] for f in found),
            "joint_draws": min(f["joint_draws"] for f in found),
        }
        | summary(rows, levels, interval)
        | pair_summary(pairs)
    )
    table = pd.DataFrame(records)
    return Validation(
        table[_order(table, levels)],
        rows,
        pairs,
        reliability(pairs),
        leave_out,
        model,
        tuple(levels),
        interval,
        settings,
        (*notes, *_notes(found)),
    )


def summary(rows: pd.DataFrame, levels: Sequence[float], interval: float) -> dict[str, Any]:
    """Scores of a group from those of its runs."""
    loss, error = rows["loss"], rows["loss_mean"] - rows["loss"]

    def ends(level: float) -> tuple[pd.Series, pd.Series]:
        lower, upper = (f"new_run_{end}_{percent(level)}" for end in ("lower", "upper"))
        return rows[lower], rows[upper]

    found: dict[str, Any] = {"runs": len(rows)}
    for level in levels:
        lower, upper = ends(level)
        found[f"coverage_{percent(level)}"] = float(loss.between(lower, upper).mean())
    lower, upper = ends(interval)
    return found | {
        "width": float((upper - lower).mean()),
        "crps": float(rows["crps"].mean()),
        "bias": float(error.mean()),
        "mae": float(error.abs().mean()),
        "max_relative_error": float((error.abs() / loss).max()),
        "lpd": float(rows["lpd"].sum()),
    }


def pair_summary(pairs: pd.DataFrame) -> dict[str, Any]:
    """Brier scores of a group from its pairs."""
    return {"pairs": len(pairs), **brier_scores(pairs)}


def row_column(plain: str) -> str:
    """Column of `Validation.rows` for a name in plain data: ``mean``, ``sd``, ``lower_90``, ..."""
    if plain.startswith(("lower_", "upper_")):
        return f"new_run_{plain}"
    return {name: column for column, name in JSON_NAMES.items()}.get(plain, plain)


def _labelled(columns: dict[str, Any], group: str) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    frame.insert(0, "group", group)
    return frame


def _order(table: pd.DataFrame, levels: Sequence[float]) -> list[str]:
    first = ["group", "runs", "fitted", *(f"coverage_{percent(v)}" for v in levels)]
    last = ["verdict", "rhat_max"]
    return [*first, *(str(name) for name in table if name not in {*first, *last}), *last]


def _notes(found: Sequence[dict[str, Any]]) -> list[str]:
    notes = [
        f"the fit without {f['group']} "
        + ("failed its checks" if f["verdict"] == "fail" else "asks for review")
        + ": its figures may be off"
        for f in found
        if f["verdict"] != "pass"
    ]
    few = [f["group"] for f in found if f["joint_draws"] < FEW_DRAWS]
    if few:
        notes.append(
            f"the joint density of {', '.join(few)} rests on fewer than {FEW_DRAWS} draws: take it "
            "as a lower bound, or ask for more draws"
        )
    return notes
