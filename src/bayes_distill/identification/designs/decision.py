"""A decision that runs are done for: a plan, its possible recipes, and what a wrong one costs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayes_distill._input.text import shown
from bayes_distill.compute import SCENARIOS
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.plan import Plan, plan
from bayes_distill.posterior import Posterior
from bayes_distill.predict.points import Points

TAKES = ("params", "budget", "scenario", "flops")
LIMITS = ("max_tokens", "max_teacher_tokens", "max_teacher_params")
PLAN_DRAWS = 200
MOST_ROWS = 8
MOST_ACTIONS = 80
"""Recipes that a decision is between, of one row of the plan."""
TAIL = 0.01
MORE = 1.1
"""Times the budget, for what the same compute would gain if it were added to the plan's."""


@dataclass(frozen=True, eq=False)
class Decision:
    """Recipes to choose from, for each row of a plan.

    Parameters
    ----------
    names
        What each row decides.
    losses
        For each row, the loss of each recipe in each draw, (draws, recipes).
    per_flop
        By how much the loss of the recipe falls for a FLOP more, the mean over rows.
    notes
        Sentences for people, of the plan.
    """

    names: tuple[str, ...]
    losses: tuple[np.ndarray, ...]
    per_flop: float
    notes: tuple[str, ...] = ()

    @property
    def regret(self) -> float:
        """Expected loss of the best recipe over that of each draw's best, the mean over rows."""
        return float(np.mean([(each.mean(0).min() - each.min(1)).mean() for each in self.losses]))

    @cached_property
    def contrasts(self) -> tuple[np.ndarray, ...]:
        """Losses over that of the recipe with the least expected one, (draws, recipes) each.

        Far tails are moved to the ends of the central 98%: a prior has draws in which a law runs
        off, and rules that are linear would follow them.
        """
        return tuple(
            winsorised(each - each[:, [int(each.mean(axis=0).argmin())]]) for each in self.losses
        )


def winsorised(values: np.ndarray) -> np.ndarray:
    """Columns of draws with far tails moved to the ends of their central 98%."""
    return np.asarray(np.clip(values, *np.quantile(values, [TAIL, 1 - TAIL], axis=0)))


def read_decision(decide: str | Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `plan` from what is typed, ``"plan --params 7B --budget 1e22"``, or a mapping.

    Raises
    ------
    InputError
        Naming what is no argument of a decision.
    """
    if isinstance(decide, str):
        try:
            words = shlex.split(decide)
        except ValueError as error:
            raise InputError(
                Fault(f"'{shown(decide)}' cannot be read: {error}", None, "decide")
            ) from None
        words = words[1:] if words[:1] == ["plan"] else words
        words = [part for word in words for part in _parted(word)]
        pairs = list(zip(words[::2], words[1::2], strict=False))
        if len(words) % 2 or not all(flag.startswith("--") for flag, _ in pairs):
            problem = (
                f"'{shown(decide)}' is not a call of plan as it is typed: its options, each with "
                "its value (budget, params, scenario)"
            )
            raise InputError(Fault(problem, column="decide"))
        decide = {flag[2:].replace("-", "_"): value for flag, value in pairs}
    strangers = [str(name) for name in decide if name not in (*TAKES, *LIMITS)]
    faults = [
        Fault(
            f"a decision takes no '{shown(name)}': {', '.join((*TAKES, *LIMITS))}", None, "decide"
        )
        for name in strangers
    ]
    if not strangers and decide.get("budget") is None:
        faults.append(Fault("a plan needs a budget", column="decide"))
    if faults:
        raise InputError(faults)
    return dict(decide)


def _parted(word: str) -> list[str]:
    flag, equals, value = word.partition("=")
    return [flag, value] if equals and word.startswith("--") else [word]


def decision_of(posterior: Posterior, arguments: Mapping[str, Any], seed: int) -> Decision:
    """The recipes of a plan that some draw thinks best, and the loss of each in every draw.

    Raises
    ------
    InputError
        If the plan has a fault, has too many rows, or none that can be had.
    """
    asked = dict(arguments)
    limits = {name: _quantity(name, asked.pop(name)) for name in LIMITS if name in asked}
    settings: dict[str, Any] = {"draws": min(PLAN_DRAWS, posterior.n_draws), "seed": seed}
    settings |= {"crossovers": False, "teacher_range": False, "allow_failed": True}
    settings |= {"limits": limits or None, "scenario": asked.get("scenario")}
    settings |= {"flops": asked.get("flops", "eq69")}
    try:
        made = plan(posterior, asked.get("params"), asked["budget"], **settings)
        feasible = np.flatnonzero(made.table["feasible"].to_numpy(bool))
        budgets = made.table["budget"].to_numpy(float)
        more = plan(posterior, asked.get("params"), sorted(set(budgets * MORE)), **settings)
    except InputError as error:
        raise InputError([Fault(str(fault), column="decide") for fault in error.faults]) from None
    if not feasible.size:
        problem = str(made.table["problem"].iloc[0])
        raise InputError(Fault(f"the plan has no recipe: {problem}", column="decide"))
    if feasible.size > MOST_ROWS:
        problem = f"the plan has {feasible.size} rows, and {MOST_ROWS} is most: name a scenario"
        raise InputError(Fault(problem, column="decide"))
    names, losses = [], []
    for row in feasible:
        record = made.table.iloc[row]
        distils = bool(record["recipe_teacher_loss"] > 0)
        losses.append(_losses(posterior, _recipes(made, int(row), distils)))
        names.append(f"{record['scenario']}, {record['budget']:.3g} FLOPs")
    return Decision(tuple(names), tuple(losses), _slope(made, more), made.notes)


def _quantity(name: str, value: Any) -> float:
    from bayes_distill._input.numbers import parse_quantity

    try:
        return float(value) if not isinstance(value, str) else parse_quantity(value)
    except ValueError as error:
        raise InputError(Fault(f"{name}: {error}", column="decide")) from None


def _slope(made: Plan, more: Plan) -> float:
    """Fall of the recipe's expected loss per FLOP that is added to the budget."""
    keys = ["scenario", "params"] if not made.table["size_chosen"].any() else ["scenario"]
    right = more.table.assign(budget=more.table["budget"] / MORE)
    nearest = [f"{budget:.6g}" for budget in right["budget"]]
    right = right.assign(key=nearest)[[*keys, "key", "loss_mean"]]
    left = made.table.assign(key=[f"{budget:.6g}" for budget in made.table["budget"]])
    both = left.merge(right, on=[*keys, "key"], suffixes=("", "_more"))
    fall = (both["loss_mean"] - both["loss_mean_more"]) / ((MORE - 1) * both["budget"])
    return float(max(np.nan_to_num(fall.mean()), 0.0))


def _recipes(made: Plan, row: int, distils: bool) -> Points:
    """Different optima of the draws, the recipe, and supervised training on the same budget."""
    record = made.table.iloc[row]
    names = ("params", "student_tokens", "teacher_loss", "teacher_params", "teacher_tokens")
    each = np.column_stack([made.samples[f"optimum_{name}"][:, row] for name in names])
    recipe = [record["params"], *(record[f"recipe_{name}"] for name in names[1:])]
    table = np.vstack([recipe, each])
    if SCENARIOS.get(record["scenario"]) is None or not distils:
        table[:, 2:] = np.nan
    sized = np.isfinite(table[:, 3]) & np.isfinite(table[:, 4])
    table[sized, 2] = np.nan  # the teacher's loss is that of the draw
    table[~sized, 3:] = np.nan
    if distils:
        alone = [record["supervised_params"], record["supervised_tokens"], *[np.nan] * 3]
        table = np.vstack([alone, table])
    table = table[np.isfinite(table[:, :2]).all(axis=1) & (table[:, :2] > 0).all(axis=1)]
    # recipes within 2% are one
    places = np.round(np.log(np.nan_to_num(table, nan=1.0)) / 0.02)
    _, first = np.unique(places, axis=0, return_index=True)
    kept = np.sort(first)
    if len(kept) > MOST_ACTIONS:
        order = kept[np.argsort(table[kept, 0] * 1e-30 + table[kept, 1], kind="stable")]
        spread = np.linspace(0, len(order) - 1, MOST_ACTIONS - 2).astype(int)
        kept = np.unique(np.r_[kept[:2], order[spread]])
    chosen = table[kept].T
    return Points(chosen[0], chosen[1], chosen[2], chosen[3], chosen[4])


def _losses(posterior: Posterior, recipes: Points) -> np.ndarray:
    """Loss (draws, recipes) of the mean curve, without what is particular to one size."""
    found = recipes.supervised_draws(posterior)
    taught = recipes.distilled
    if taught.any():
        teachers = recipes.teacher_draws(posterior)
        found[:, taught] = recipes.distilled_draws(posterior, teachers, "smooth")
    return np.asarray(found)
