"""How far what the page shows lies from what `forecast`, `risk` and `plan` return.

Measured while building, at random points between the nodes, against all draws of the posterior for
forecasts and risks and against `plan` with its usual number of draws: the differences hold what
interpolation does and what thinning does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_distill.planning.plan import plan
from bayes_distill.posterior import Posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.predict.results.columns import columns_of
from bayes_distill.reporting import recipe_tables, student_tables
from bayes_distill.reporting.quantiles import probability_below_zero
from bayes_distill.reporting.ranges import Ranges
from bayes_distill.reporting.tables import Axis, Floats, Table

POINTS = 64
ENDS = ("lower", "upper")
PLAN_SIZES, PLAN_BUDGETS = 2, 3


@dataclass(frozen=True)
class Accuracy:
    """Errors of one kind of shown number.

    Parameters
    ----------
    name
        The number, in words.
    unit
        ``nats``, ``probability`` or ``relative``.
    usual, largest
        95th percentile and maximum of the absolute error over the points.
    points
        How many points were compared.
    """

    name: str
    unit: str
    usual: float
    largest: float
    points: int


STUDENT_KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "loss": ("student's loss, mean", "nats", ("loss_mean",)),
    "credible": ("its credible band", "nats", columns_of("loss", ENDS)),
    "predictive": ("its predictive band", "nats", columns_of("new_run", ENDS)),
    "supervised": ("supervised loss", "nats", student_tables.SUPERVISED),
    "excess": ("cost against the best teacher", "nats", student_tables.EXCESS),
    "optimal": ("best teacher's loss", "nats", student_tables.OPTIMAL),
    "p_boundary": ("P(no teacher is too strong)", "probability", ("p_boundary",)),
    "p_hurts": ("P(stronger teacher hurts)", "probability", ("p_stronger_teacher_hurts",)),
    "p_beats": ("P(beats supervised)", "probability", ("p_beats_supervised",)),
}
RECIPE_KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "recipe_loss": ("recipe: loss and bands", "nats", student_tables.LOSSES),
    "recipe_regret": ("recipe: regret", "nats", recipe_tables.REGRET),
    "recipe_teacher": (
        "recipe: teacher's loss",
        "nats",
        tuple(n for n in recipe_tables.LOGS if "teacher_loss" in n),
    ),
    "recipe_amounts": (
        "recipe: sizes and tokens",
        "relative",
        tuple(n for n in recipe_tables.LOGS if n.startswith("recipe") and "loss" not in n),
    ),
    "recipe_spread": (
        "recipe: their spread",
        "relative",
        tuple(n for n in recipe_tables.LOGS if n.startswith("optimum") and "loss" not in n),
    ),
    "recipe_shares": ("recipe: shares of the budget", "probability", recipe_tables.SHARES),
    "recipe_p_beats": ("recipe: P(beats supervised)", "probability", ("p_beats_supervised",)),
}


def student_columns(tables: student_tables.StudentTables, at: dict[str, Floats]) -> pd.DataFrame:
    """What the page shows of students at points, under the names of the results."""
    alone, distilled, best = tables.alone, tables.distilled, tables.best
    columns = dict(alone.at(at, alone.fields))
    if best is not None:
        columns |= best.at(at, best.fields)
    if distilled is not None:
        columns |= distilled.at(at, [*student_tables.LOSSES, *student_tables.EXCESS])
        columns["p_stronger_teacher_hurts"] = probability_below_zero(distilled, "slope", at)
        columns["p_beats_supervised"] = probability_below_zero(distilled, "advantage", at)
    return pd.DataFrame(columns)


def recipe_columns(table: Table, at: dict[str, Floats]) -> pd.DataFrame:
    """What the page shows of recipes at points, under the names of a plan's table."""
    columns = dict(table.at(at, [n for n in table.fields if "." not in n]))
    if "advantage.0" in table.fields:
        columns["p_beats_supervised"] = probability_below_zero(table, "advantage", at)
    return pd.DataFrame(columns)


def student_accuracy(
    posterior: Posterior,
    tables: student_tables.StudentTables,
    ranges: Ranges,
    interval: float,
    seed: int,
) -> dict[str, Accuracy]:
    """Errors of what is shown of students, against the whole posterior."""
    generator = np.random.default_rng([seed, 1])
    axes = [ranges.params, ranges.tokens]
    axes += [] if tables.distilled is None else [ranges.teacher_loss]
    at = {axis.name: _between(axis, POINTS, generator) for axis in axes}
    points = pd.DataFrame(at)
    true = forecast(posterior, at=points, interval=interval, seed=seed, allow_failed=True).table
    if tables.distilled is not None:
        gap = risk(posterior, at=points, interval=interval, allow_failed=True).table
        true = true.join(gap[[n for n in gap if n not in true]])
    return _compare(STUDENT_KINDS, true, student_columns(tables, at))


def recipe_accuracy(
    posterior: Posterior, tables: Mapping[str, Table], ranges: Ranges, interval: float, seed: int
) -> dict[str, Accuracy]:
    """Errors of what is shown of recipes, against `plan` as it is usually called."""
    generator = np.random.default_rng([seed, 2])
    sizes = _between(ranges.plan_params, PLAN_SIZES, generator)
    budgets = _between(ranges.budget, PLAN_BUDGETS, generator)
    found = plan(
        posterior,
        sizes,
        budgets,
        scenario=list(tables),
        crossovers=False,
        teacher_range=False,
        interval=interval,
        seed=seed,
        allow_failed=True,
    ).table
    shown = []
    for name in tables:
        mine = found[found["scenario"] == name]
        at = {axis: mine[axis].to_numpy() for axis in ("params", "budget")}
        shown.append(recipe_columns(tables[name], at).set_index(mine.index))
    return _compare(RECIPE_KINDS, found, pd.concat(shown).reindex(found.index))


def _between(axis: Axis, count: int, generator: np.random.Generator) -> Floats:
    """Points anywhere on an axis, one in each of as many equal parts, in random order."""
    parts = (generator.permutation(count) + generator.random(count)) / count
    return np.asarray(axis.low * (axis.high / axis.low) ** parts)


def _compare(
    kinds: dict[str, tuple[str, str, tuple[str, ...]]], true: pd.DataFrame, shown: pd.DataFrame
) -> dict[str, Accuracy]:
    found = {}
    for key, (name, unit, columns) in kinds.items():
        present = [c for c in columns if c in shown]
        if not present:
            continue
        right, ours = true[present].to_numpy(float), shown[present].to_numpy(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.abs(np.log(ours / right)) if unit == "relative" else np.abs(ours - right)
        known = off[np.isfinite(off)]
        if known.size:
            found[key] = Accuracy(
                name, unit, float(np.quantile(known, 0.95)), float(known.max()), len(true)
            )
    return found
