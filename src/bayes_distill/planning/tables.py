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
from bayes_distill.planning.student_size import best_student_size
from bayes_distill.predict.results.columns import summary

Floats = NDArray[np.float64]
SPREAD = ("median", "lower", "upper")
UNKNOWNS = ("student_tokens", "teacher_params", "teacher_tokens", "teacher_loss")
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
    sizes = np.full(1, setting.params)
    if np.isnan(setting.params):
        chosen = best_student_size(setting, float(budgets.item()))
        setting, sizes = replace(setting, params=chosen.size), chosen.per_draw
    scenario = setting.scenario
    left = budgets - setting.serving_flops
    optimum = optimise(setting.problem, left)
    recipe = best_recipe(setting, left, optimum)
    supervised = best_recipe(setting.supervised, left, optimise(setting.supervised.problem, left))
    alone = supervised.losses
    if scenario.distils:
        alone = setting.posterior.of_its_size(alone, np.full(left.size, setting.params))
    regret = regret_of(recipe.losses, optimum.loss, setting.posterior.reference.loss)
    columns: dict[str, Any] = {"params": setting.params, "served_tokens": setting.served_tokens}
    columns |= {f"recipe_{name}": getattr(recipe, name) for name in UNKNOWNS}
    columns |= _shares(setting, budgets, recipe)
    columns |= summary("loss", recipe.losses, interval)
    columns |= summary("supervised", supervised.losses, interval)
    columns |= summary("improvement", alone - recipe.losses, interval)
    for name in UNKNOWNS:
        columns |= summary(f"optimum_{name}", getattr(optimum, name), interval, SPREAD)
    for name, share in optimum.shares.items():
        columns |= summary(f"optimum_share_{name}", share * (left / budgets), interval, SPREAD)
    columns |= summary("optimum_params", sizes[:, None], interval, SPREAD)
    columns |= {
        "regret_mean": regret.mean(axis=0),
        "regret_upper": np.quantile(regret, 0.95, axis=0),
        "p_beats_supervised": (recipe.losses < alone).mean(axis=0) if scenario.distils else np.nan,
    }
    columns |= {
        f"p_at_{name}": np.asarray(flag, float).mean(axis=0)
        for name, flag in optimum.at_bound.items()
    }
    untried = _only_distilled(setting)
    columns |= {
        "outside": _outside(setting, recipe) | (untried & (not scenario.distils)),
        "supervised_outside": _outside(setting, supervised) | untried,
    }
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
        **{f"optimum_{name}": getattr(optimum, name) for name in UNKNOWNS},
    }
    shape = budgets.shape
    return Rows({name: np.array(np.broadcast_to(v, shape)) for name, v in columns.items()}, samples)


def _outside(setting: Setting, recipe: Recipe) -> NDArray[np.bool_]:
    """Whether each recipe's student or teacher (budgets,) lies outside the runs."""
    hull = setting.posterior.hull
    if hull is None:
        return np.zeros(recipe.student_tokens.size, bool)
    tokens = recipe.student_tokens
    beyond = (hull.factors_of(np.full(tokens.shape, setting.params), tokens) > 1).any(axis=1)
    teacher = np.array([hull.teacher_outside(loss) for loss in recipe.teacher_loss], bool)
    return np.asarray(beyond | teacher)


def _only_distilled(setting: Setting) -> bool:
    """Whether no run of the fit was trained without a teacher, whatever its size."""
    return setting.posterior.info.get("kind") == "distillation"


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
