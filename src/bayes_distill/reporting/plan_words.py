"""What a plan says, in tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bayes_distill._input.numbers import format_probability, format_quantity
from bayes_distill.reporting.words import TextTable, loss_text


def plan_section(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan as plain data, as `Plan.to_json` gives it: notes and tables."""
    percent = f"{100 * plan['interval']:g}%"
    rows = [
        (
            r["scenario"],
            _with_ends(format_quantity, r["params"], None, None),
            format_quantity(r["budget"]),
            *(
                _with_spread(r, name)
                for name in ("student_tokens", "teacher_params", "teacher_tokens")
            ),
            _with_spread(r, "teacher_loss"),
            _with_ends(loss_text, *(r["loss"][k] for k in ("mean", "lower", "upper"))),
            loss_text(r["regret"]["mean"]),
            "–" if r["p_beats_supervised"] is None else format_probability(r["p_beats_supervised"]),
        )
        for r in plan["rows"]
    ]
    header = (
        "scenario",
        "student",
        "budget",
        "student's tokens",
        "teacher's size",
        "teacher's tokens",
        "teacher's loss",
        f"loss ({percent} credible)",
        "regret",
        "P(beats supervised)",
    )
    tables = [*_teachers(plan, percent), TextTable(header, rows, "Recipes")]
    crossings = [
        (
            r["scenario"],
            format_quantity(r["params"]),
            "above" if r.get("direction") == "better_above" else "below",
            # plans of earlier versions have quantiles over all draws alone
            _with_ends(
                format_quantity,
                *(r.get("budget_if_any", r["budget"])[k] for k in ("median", "lower", "upper")),
            ),
            format_probability(1 - r["p_none"]),
        )
        for r in plan.get("crossovers", [])
    ]
    if crossings:
        columns = (
            "scenario",
            "student",
            "distilling is better",
            f"budget, if there is one: median ({percent})",
            "P(there is one up to 1e28)",
        )
        tables.append(TextTable(columns, crossings, "At which budgets distilling is better"))
    problems = [r["problem"] for r in plan["rows"] if r.get("problem")]
    notes = [note.replace("`", "") for note in [*plan.get("notes", []), *problems]]
    return {"percent": percent, "notes": notes, "tables": tables}


def _teachers(plan: dict[str, Any], percent: str) -> list[TextTable]:
    """The teachers of a list, best first, if the plan was given one."""
    ranked = plan.get("teachers", [])
    rows = [
        (
            t["name"],
            loss_text(t["teacher_loss"]),
            t["scenario"],
            format_quantity(t["params"]),
            format_quantity(t["budget"]),
            "–" if t["student_tokens"] is None else format_quantity(t["student_tokens"]),
            _with_ends(loss_text, *(t["loss"][k] for k in ("mean", "lower", "upper"))),
            "–" if t["student_tokens"] is None else format_probability(t["p_best"]),
            loss_text(t["regret"]["mean"]),
            "–" if t["p_beats_supervised"] is None else format_probability(t["p_beats_supervised"]),
        )
        for t in ranked
    ]
    header = (
        "teacher",
        "its loss",
        "scenario",
        "student",
        "budget",
        "student's tokens",
        f"student's loss ({percent} credible)",
        "P(best)",
        "costs against the best",
        "P(beats supervised)",
    )
    return [TextTable(header, rows, "Your teachers, best first", (0, 2))] if rows else []


def _with_spread(row: dict[str, Any], name: str) -> str:
    form = loss_text if name == "teacher_loss" else format_quantity
    spread = row["optimum"][name]
    return _with_ends(form, row["recipe"][name], spread["lower"], spread["upper"])


def _with_ends(
    form: Callable[[float], str], middle: float | None, lower: float | None, upper: float | None
) -> str:
    """A value with its interval in brackets, as far as they are known."""
    shown, *ends = ("–" if value is None else form(value) for value in (middle, lower, upper))
    return shown if lower is upper is None else f"{shown} ({' to '.join(ends)})"
