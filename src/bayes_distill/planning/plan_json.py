"""A plan as plain data for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bayes_distill.planning.plan import Plan

UNKNOWNS = ("student_tokens", "teacher_params", "teacher_tokens", "teacher_loss")
SHARES = ("student", "logits", "teacher", "serving", "unspent")
SPREAD = ("median", "lower", "upper")


def plan_json(plan: Plan) -> dict[str, Any]:
    """All of a plan; what is not determined or not finite is null."""
    return {
        "interval": plan.interval,
        "rows": [_row(r) for r in plan.table.to_dict("records")],
        "crossovers": [
            {
                "scenario": r["scenario"],
                "params": r["params"],
                "budget": _pick(r, "budget", SPREAD),
                **{k: r[k] for k in ("p_none", "p_never_better", "p_always_better")},
            }
            for r in plan.crossovers.to_dict("records")
        ],
        "targets": [
            {
                **{k: r[k] for k in ("scenario", "params", "target_loss")},
                **{
                    name: _pick(r, name, (*SPREAD, "p_unreachable"))
                    for name in ("budget", "student_tokens")
                },
            }
            for r in plan.targets.to_dict("records")
        ],
        "teachers": [
            {
                **{k: _plain(r[k]) for k in (
                    "name", "budget", "scenario", "params", "teacher_loss", "student_tokens",
                    "p_best", "p_beats_supervised", "affordable",
                )},
                "loss": _pick(r, "loss", ("mean", "lower", "upper")),
                "regret": _pick(r, "regret", ("mean", "upper")),
            }
            for r in plan.teachers.to_dict("records")
        ],
        "notes": list(plan.notes),
    }  # fmt: skip


def _row(r: dict[Any, Any]) -> dict[str, Any]:
    return {
        "budget": r["budget"],
        "scenario": r["scenario"],
        "params": r["params"],
        "served_tokens": r["served_tokens"],
        "recipe": _pick(r, "recipe", UNKNOWNS),
        "shares": _pick(r, "share", SHARES),
        "loss": {
            **_pick(r, "loss", ("mean", "lower", "upper")),
            "predictive": _pick(r, "predictive", ("lower", "upper")),
        },
        "supervised": _pick(r, "supervised", ("mean", "lower", "upper")),
        "gain": _pick(r, "gain", ("mean", "lower", "upper")),
        "optimum": {name: _pick(r, f"optimum_{name}", SPREAD) for name in ("params", *UNKNOWNS)},
        "optimum_shares": {
            name: _pick(r, f"optimum_fraction_{name}", SPREAD)
            for name in SHARES
            if f"optimum_fraction_{name}_median" in r
        },
        "regret": _pick(r, "regret", ("mean", "upper")),
        "outside": bool(r["outside"]),
        "p_beats_supervised": _plain(r["p_beats_supervised"]),
        "flat_teacher_params": _pick(r, "flat_teacher_params", ("lower", "upper")),
        "p_at_bound": {k.removeprefix("p_at_"): _plain(v) for k, v in r.items() if "p_at_" in k},
    }


def _pick(r: dict[Any, Any], prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(r[f"{prefix}_{name}"]) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
