"""Rows of a plan: one student and scenario at several budgets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import TRAINING_PASSES
from bayes_distill.planning.near_optimal import near_optimal_teachers
from bayes_distill.planning.recipe_search import Recipe, best_recipe
from bayes_distill.planning.regret import regret_of
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.optimise import optimise
from bayes_distill.planning.student_size import best_student_size, own_optima
from bayes_distill.posterior.hull import Place
from bayes_distill.predict.extrapolation import grounds, place_of
from bayes_distill.predict.results.columns import summary

Floats = NDArray[np.float64]
SPREAD = ("median", "lower", "upper")
UNKNOWNS = ("student_tokens", "teacher_params", "teacher_tokens", "teacher_loss")
AT_LIMITS = {
    "student_tokens": "max_tokens",
    "teacher_params": "max_teacher_params",
    "teacher_tokens": "max_teacher_tokens",
}
"""Parts of a recipe, and the limits above them."""
AT = 1e-6  # relative distance from a limit at which a recipe lies on it
RUN_LOSS = "run_loss"
"""Losses that runs of a recipe scatter about, with the discrepancies of its condition."""


class Rows(NamedTuple):
    """Plans for several budgets.

    Parameters
    ----------
    columns
        Columns of `Plan.table`, name -> (budgets,), without those of new runs.
    samples
        Draws of losses and of the optima's allocations, name -> (draws, budgets).
    """

    columns: dict[str, NDArray[Any]]
    samples: dict[str, Floats]


def solve_rows(
    setting: Setting, budgets: Floats, interval: float, *, near_optimal: bool = True
) -> Rows:
    """Plan for several budgets (budgets,), or for a single one whose student is to be chosen.

    With `near_optimal` the range of teacher sizes that do nearly as well is searched for too.
    """
    chosen = bool(np.isnan(setting.params))
    if chosen:
        setting = replace(setting, params=best_student_size(setting, float(budgets.item())))
    scenario = setting.scenario
    left = budgets - setting.serving_flops
    given = optimise(setting.problem, left)  # optima of this size
    optimum = own_optima(setting, float(budgets.item())) if chosen else given
    recipe = best_recipe(setting, left, given)
    rival = setting.supervised  # supervised training on the same budget
    if chosen and scenario.distils:
        rival = replace(rival, params=best_student_size(rival, float(budgets.item())))
    rival_left = budgets - rival.serving_flops
    supervised = best_recipe(rival, rival_left, optimise(rival.problem, rival_left))
    rival_sizes = np.full(left.shape, rival.params)
    alone = supervised.losses
    if scenario.distils:
        alone = setting.posterior.of_its_size(alone, rival_sizes)
    regret = regret_of(recipe.losses, optimum.loss, setting.posterior.reference.loss)
    columns: dict[str, Any] = {
        "params": setting.params,
        "size_chosen": chosen,
        "served_tokens": setting.served_tokens,
    }
    columns |= {"supervised_params": rival_sizes, "supervised_tokens": supervised.student_tokens}
    columns |= {f"recipe_{name}": getattr(recipe, name) for name in UNKNOWNS}
    columns["at_limit"] = _at_limits(setting, recipe)
    columns |= _shares(setting, budgets, recipe)
    columns |= summary("loss", recipe.losses, interval)
    columns |= summary("supervised", supervised.losses, interval)
    columns |= summary("improvement", alone - recipe.losses, interval)
    for name in UNKNOWNS:
        columns |= summary(f"optimum_{name}", getattr(optimum, name), interval, SPREAD)
    for name, share in optimum.shares.items():
        of_budget = share * (optimum.budget / budgets)  # what serving leaves
        columns |= summary(f"optimum_share_{name}", of_budget, interval, SPREAD)
    columns |= summary("optimum_params", optimum.sizes, interval, SPREAD)
    columns |= {
        "regret_mean": regret.mean(axis=0),
        "regret_upper": np.quantile(regret, 0.95, axis=0),
        "p_beats_supervised": (recipe.losses < alone).mean(axis=0) if scenario.distils else np.nan,
    }
    columns |= {
        f"p_at_{name}": np.asarray(flag, float).mean(axis=0)
        for name, flag in optimum.at_bound.items()
    }
    columns |= {
        "outside": _place(setting, recipe).outside,
        "supervised_outside": _place(rival, supervised).outside,
    }
    columns |= grounds(
        setting.posterior,
        np.full(left.shape, setting.params),
        recipe.student_tokens,
        recipe.teacher_loss,
        np.full(left.shape, scenario.distils),
        supervised=(rival_sizes, supervised.student_tokens),
    )
    smallest = largest = np.full(budgets.size, np.nan)
    if near_optimal:
        smallest, largest = near_optimal_teachers(setting, left, recipe)
    columns |= {
        "near_optimal_teacher_params_lower": smallest,
        "near_optimal_teacher_params_upper": largest,
    }
    assert recipe.run_losses is not None
    samples = {
        "recipe_loss": recipe.losses,
        RUN_LOSS: recipe.run_losses,
        "optimum_loss": optimum.loss,
        "supervised_loss": supervised.losses,
        "optimum_params": optimum.sizes,
        **{f"optimum_{name}": getattr(optimum, name) for name in UNKNOWNS},
    }
    shape = budgets.shape
    return Rows({name: np.array(np.broadcast_to(v, shape)) for name, v in columns.items()}, samples)


def _place(setting: Setting, recipe: Recipe) -> Place:
    """Where each recipe's student and teacher (budgets,) lie among the runs of its kind."""
    tokens = recipe.student_tokens
    sizes = np.full(tokens.shape, setting.params)
    distils = np.full(tokens.shape, setting.scenario.distils)
    return place_of(setting.posterior, sizes, tokens, recipe.teacher_loss, distils)


def _at_limits(setting: Setting, recipe: Recipe) -> NDArray[Any]:
    """Names of the upper limits that each recipe lies on (budgets,), joined by commas."""
    reached = {
        limit: getattr(recipe, name) >= getattr(setting.limits, limit) * (1 - AT)
        for name, limit in AT_LIMITS.items()
    }
    names = [
        ",".join(limit for limit, at in reached.items() if at[row])
        for row in range(recipe.student_tokens.size)
    ]
    return np.array(names, dtype=object)


def _shares(setting: Setting, budgets: Floats, recipe: Recipe) -> dict[str, Floats]:
    """Parts of each budget (budgets,) by what they are spent on; they sum to one."""
    scenario, flops = setting.scenario, setting.flops
    described = np.nan_to_num(recipe.teacher_params, nan=setting.limits.min_teacher_params)
    model = np.asarray(flops.forward_flops(described))
    teacher_tokens = np.nan_to_num(recipe.teacher_tokens)
    spent = {
        "student": TRAINING_PASSES * setting.student_flops * recipe.student_tokens,
        "logits": scenario.logits_share * model * recipe.student_tokens,
        "teacher": TRAINING_PASSES * scenario.teacher_share * model * teacher_tokens,
        "serving": np.full(budgets.size, setting.serving_flops),
    }
    shares = {f"share_{name}": value / budgets for name, value in spent.items()}
    rest = 1 - sum(shares.values())
    return {**shares, "share_unspent": np.where(rest > 1e-9, rest, 0.0)}
