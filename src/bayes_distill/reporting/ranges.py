"""What the explorer can be moved over: the runs and some way beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_distill.posterior import Posterior
from bayes_distill.posterior.stored_runs import runs_of
from bayes_distill.reporting.tables import Axis

BUDGETS = Axis("budget", 1e20, 1e25, 8)
BEYOND_SMALL, BEYOND_LARGE = 3.0, 8.0  # factors beyond the smallest and largest run
BEYOND_TEACHER = 1.15
PLAN_SIZES = 6


@dataclass(frozen=True)
class Ranges:
    """Axes of the tables, and where the explorer starts."""

    params: Axis
    tokens: Axis
    teacher_loss: Axis
    plan_params: Axis
    budget: Axis
    start: dict[str, float]


def ranges_of(posterior: Posterior, planned: Mapping[str, Any] | None = None) -> Ranges:
    """Axes around the runs; around the reference for a posterior that did not come from runs.

    The explorer starts at the first distilled recipe of a plan (`Plan.to_json`), as far as the axes
    reach; without a plan at a student of the runs.
    """
    reference, hull = posterior.reference, posterior.hull
    size, data, loss = reference.params, reference.tokens, reference.loss
    sizes, tokens, teachers = (
        (size / 4, size * 4),
        (data / 20, data * 20),
        (0.8 * loss, 1.15 * loss),
    )
    if hull is not None:
        corners = np.exp(np.array(hull.points))
        sizes, tokens = zip(corners.min(axis=0), corners.max(axis=0), strict=True)
        teachers = hull.teacher_loss or teachers
    low, high = _round(sizes[0] / BEYOND_SMALL), _round(sizes[1] * BEYOND_LARGE)
    fewest, most = _round(tokens[0] / BEYOND_SMALL), _round(tokens[1] * BEYOND_LARGE)
    best, worst = _round(teachers[0] / BEYOND_TEACHER), _round(teachers[1] * BEYOND_TEACHER)
    start = {
        "params": _round(float(np.sqrt(sizes[0] * sizes[1])), 1),
        "tokens": _round(float(np.sqrt(tokens[0] * tokens[1])), 1),
        "teacher_loss": _round(float(np.sqrt(teachers[0] * teachers[1]))),
        "budget": 1e21,
    } | _of_runs(posterior)
    axes = (
        Axis("params", low, high, _count(low, high, 0.29)),
        Axis("tokens", fewest, most, _count(fewest, most, 0.33)),
        Axis("teacher_loss", best, worst, _count(best, worst, 0.013)),
    )
    start |= _of_plan(planned or {}, (*axes, BUDGETS))
    return Ranges(*axes, Axis("params", low, high, PLAN_SIZES), BUDGETS, start)


def _of_plan(planned: Mapping[str, Any], axes: Sequence[Axis]) -> dict[str, float]:
    """Student, teacher and budget of the first recipe with a teacher, or else of the first."""
    rows = [r for r in planned.get("rows", ()) if r["recipe"].get("student_tokens")]
    if not rows:
        return {}
    row = next((r for r in rows if r["recipe"].get("teacher_loss")), rows[0])
    wanted = {
        "params": row.get("params"),
        "tokens": row["recipe"]["student_tokens"],
        "teacher_loss": row["recipe"].get("teacher_loss"),
        "budget": row["budget"],
    }
    return {
        axis.name: _round(min(max(float(value), axis.low), axis.high), 3)
        for axis in axes
        if (value := wanted[axis.name]) is not None
    }


def _of_runs(posterior: Posterior) -> dict[str, float]:
    """The student of the runs with the most teachers, and the middle one of these."""
    runs = runs_of(posterior)
    if runs is None or "teacher_loss" not in runs:
        return {}
    taught = runs[runs["teacher_loss"].notna()]
    if taught.empty:
        return {}
    names = ["params", "tokens"]
    students = taught.groupby(names)["teacher_loss"].agg(["size", "median"]).reset_index()
    most = students.sort_values(["size", *names]).iloc[-1]
    values = {name: most[name] for name in names} | {"teacher_loss": most["median"]}
    return {name: _round(float(value), 3) for name, value in values.items()}


def _count(low: float, high: float, decades: float) -> int:
    """Nodes for a spacing of about so many decades."""
    return max(6, 1 + round(float(np.log10(high / low)) / decades))


def _round(value: float, digits: int = 2) -> float:
    return float(f"{value:.{digits}g}")
