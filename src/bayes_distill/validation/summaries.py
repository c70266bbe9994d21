"""From the plain results of refits to one validation: scores of groups from those of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bayes_distill.validation.gap_pairs import brier_scores, reliability
from bayes_distill.validation.held import held
from bayes_distill.validation.result import Validation, row_column
from bayes_distill.validation.rows import clusters_of, interval_score, percent, within

OVERALL = "overall"
FEW_DRAWS = 20  # behind a joint density: below that it is a lower bound


def collect(
    found: Sequence[dict[str, Any]],
    *,
    leave_out: str,
    model: str,
    levels: Sequence[float],
    interval: float,
    settings: dict[str, Any],
    notes: Sequence[str],
    factors: tuple[float, ...] = (),
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
        factors,
    )


def summary(rows: pd.DataFrame, levels: Sequence[float], interval: float) -> dict[str, Any]:
    """Scores of a group from those of its runs."""
    loss, error = rows["loss"], rows["loss_mean"] - rows["loss"]

    found: dict[str, Any] = {"runs": len(rows)}
    for level in levels:
        found[f"coverage_{percent(level)}"] = float(within(rows, level).mean())
    lower, upper = (rows[f"new_run_{end}_{percent(interval)}"] for end in ("lower", "upper"))
    judged = held(within(rows, interval), clusters_of(rows), interval)
    if "factor" in rows:
        found["factor"] = float(rows["factor"].max())
    return found | {
        "bands": judged.verdict,
        "effective_runs": judged.effective,
        "width": float((upper - lower).mean()),
        "interval_score": float(interval_score(rows, interval).mean()),
        "crps": float(rows["crps"].mean()),
        "bias": float(error.mean()),
        "mae": float(error.abs().mean()),
        "max_relative_error": float((error.abs() / loss).max()),
        "lpd": float(rows["lpd"].sum()),
    }


def pair_summary(pairs: pd.DataFrame) -> dict[str, Any]:
    """Brier scores of a group from its pairs."""
    return {"pairs": len(pairs), **brier_scores(pairs)}


def _labelled(columns: dict[str, Any], group: str) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    frame.insert(0, "group", group)
    return frame


def _order(table: pd.DataFrame, levels: Sequence[float]) -> list[str]:
    coverage = [f"coverage_{percent(v)}" for v in levels]
    first = [n for n in ("group", "runs", "fitted", "factor", *coverage, "bands") if n in table]
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
