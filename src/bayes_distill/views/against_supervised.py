"""Where distillation starts and stops paying against supervised training, over budgets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.plan import Plan


@dataclass(frozen=True)
class AgainstSupervised:
    """Distillation next to supervised training, for one student.

    Parameters
    ----------
    table
        Rows of the plan that have a teacher, by scenario and rising budget: ``loss_*``,
        ``supervised_*`` and ``improvement_*`` are what a picture needs.
    crossings
        One row a scenario and direction: ``starts`` where supervised training is better below the
        budget and distillation above it, ``stops`` for the opposite; ``budget_median, budget_lower,
        budget_upper`` over the draws that have such a crossing within the plan's budgets (the
        lowest, if several), and ``p``, their share.
    params
        Size of the student.
    interval
        Probability inside every band and interval.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    crossings: pd.DataFrame
    params: float
    interval: float
    notes: tuple[str, ...]


def against_supervised(plan: Plan, params: float | None = None) -> AgainstSupervised:
    """Compare the recipes of a plan with supervised training on the same budgets.

    Crossings are read off each draw's losses of the one recipe, by straight lines in the logarithm
    of the budget: a plan with more budgets places them better. They are about one recipe for all
    draws; ``plan.crossovers`` lets every draw have its own.

    Parameters
    ----------
    plan
        With at least two budgets and one scenario with a teacher.
    params
        Which of its students; may be left out where there is one.

    Raises
    ------
    InputError
        Naming what the plan lacks.
    """
    table = plan.table.reset_index(drop=True)
    mine = table[table["recipe_teacher_loss"].notna()]
    if params is not None:
        mine = mine[mine["params"] == params]
    if mine.empty:
        raise InputError(Fault("name one with a teacher", column="scenario"))
    faults = []
    if len(set(mine["params"])) > 1:
        faults.append(Fault("name one student: a picture is of one", column="params"))
    if len(set(mine["budget"])) < 2:
        faults.append(Fault("a curve needs at least two budgets", column="budget"))
    if faults:
        raise InputError(faults)
    names = list(mine["scenario"].unique())
    improvement = plan.samples["supervised_loss"] - plan.samples["recipe_loss"]
    parts, crossings = [], []
    for name in names:
        part = mine[mine["scenario"] == name].sort_values("budget")
        parts.append(part)
        x = np.log(part["budget"].to_numpy(float))
        for direction, sign in (("starts", 1.0), ("stops", -1.0)):
            found = _first_rise(x, sign * improvement[:, part.index.to_numpy()])
            crossings.append(
                {"scenario": name, "direction": direction, **_spread(found, plan.interval)}
            )
    return AgainstSupervised(
        pd.concat(parts, ignore_index=True),
        pd.DataFrame(crossings),
        float(mine["params"].iloc[0]),
        plan.interval,
        plan.notes,
    )


def _first_rise(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where each row (draws, x) first goes from below to above zero, (draws,); NaN if nowhere."""
    rises = (values[:, :-1] < 0) & (values[:, 1:] >= 0)
    place = rises.argmax(axis=1)
    rows = np.arange(len(values))
    low, high = values[rows, place], values[rows, place + 1]
    some = rises.any(axis=1)
    share = np.divide(-low, high - low, out=np.zeros_like(low), where=some)
    return np.where(some, x[place] + share * (x[place + 1] - x[place]), np.nan)


def _spread(log_budget: np.ndarray, interval: float) -> dict[str, float]:
    found = np.exp(log_budget[~np.isnan(log_budget)])
    levels = [(1 - interval) / 2, 0.5, (1 + interval) / 2]
    lower, median, upper = np.quantile(found, levels) if found.size else (np.nan,) * 3
    return {
        "budget_median": float(median),
        "budget_lower": float(lower),
        "budget_upper": float(upper),
        "p": found.size / log_budget.size,
    }
