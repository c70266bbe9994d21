"""Rows of a plan: one student and scenario at several budgets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_distill._input.intervals import band_columns, equal_tailed
from bayes_distill.compute import SCENARIOS, TRAINING_PASSES, Scenario
from bayes_distill.planning.criteria import Utility
from bayes_distill.planning.near_optimal import teacher_size_range
from bayes_distill.planning.recipe import Recipe, Setting, best_recipe
from bayes_distill.planning.solver.optimise import Optimum, optimise

Floats = NDArray[np.float64]
UNKNOWNS = ("student_tokens", "teacher_params", "teacher_tokens", "teacher_loss")


def solve_rows(
    setting: Setting,
    budgets: Floats,
    served: float,
    utility: Utility,
    generator: np.random.Generator,
    interval: float,
    teacher_range: bool = True,
) -> tuple[pd.DataFrame, xr.Dataset]:
    """Rows and draws of one student and scenario at several budgets (budgets,).

    `teacher_range` asks for the teacher sizes that do nearly as well, which takes a search of its
    own.
    """
    posterior, scenario = setting.posterior, setting.scenario
    left = budgets - setting.student_flops * served

    def solve(who: Scenario) -> Optimum:
        return optimise(
            posterior.law,
            posterior.student(setting.params),
            posterior.reference,
            setting.params,
            left,
            who,
            setting.limits,
            setting.flops,
        )

    optimum = solve(scenario)
    recipe = best_recipe(setting, left, optimum, utility)
    alone = best_recipe(
        replace(setting, scenario=SCENARIOS["supervised"]),
        left,
        solve(SCENARIOS["supervised"]),
        utility,
    )
    regret = np.maximum(recipe.losses - optimum.loss, 0.0)
    new_run = posterior.new_run(recipe.losses, np.full(budgets.size, scenario.distils), generator)
    columns: dict[str, Any] = {
        "budget": budgets,
        "scenario": scenario.name,
        "params": setting.params,
        "served_tokens": served,
    }
    columns |= {f"recipe_{name}": getattr(recipe, name) for name in UNKNOWNS}
    columns |= _shares(setting, budgets, served, recipe)
    columns |= band_columns("loss", recipe.losses, interval)
    columns |= band_columns("supervised", alone.losses, interval)
    columns |= band_columns("gain", alone.losses - recipe.losses, interval)
    lower, upper = equal_tailed(new_run, interval)
    columns |= {"predictive_lower": lower, "predictive_upper": upper}
    for name in UNKNOWNS:
        columns |= _spread(f"optimum_{name}", getattr(optimum, name), interval)
    for name, share in optimum.shares.items():
        columns |= _spread(f"optimum_fraction_{name}", share * (left / budgets), interval)
    columns |= {
        "regret_mean": regret.mean(axis=0),
        "regret_upper": np.quantile(regret, 0.95, axis=0),
        "p_beats_supervised": (recipe.losses < alone.losses).mean(axis=0)
        if scenario.distils
        else np.nan,
    }
    columns |= {
        f"p_at_{name}": np.asarray(flag, float).mean(axis=0)
        for name, flag in optimum.at_bound.items()
    }
    untried = _only_distilled(setting)
    columns |= {
        "outside": _outside(setting, recipe) | (untried & (not scenario.distils)),
        "supervised_outside": _outside(setting, alone) | untried,
    }
    unknown = np.full(budgets.size, np.nan)
    small, large = (
        teacher_size_range(setting, left, recipe) if teacher_range else (unknown, unknown)
    )
    columns |= {"flat_teacher_params_lower": small, "flat_teacher_params_upper": large}
    dims = ("sample", "row")
    drawn = {
        "recipe_loss": (dims, recipe.losses),
        "optimum_loss": (dims, optimum.loss),
        "supervised_loss": (dims, alone.losses),
        **{f"optimum_{name}": (dims, getattr(optimum, name)) for name in UNKNOWNS},
    }
    coordinates = {
        "budget": ("row", budgets),
        "params": ("row", np.full(budgets.size, setting.params)),
        "scenario": ("row", np.full(budgets.size, scenario.name, dtype=object)),
    }
    return pd.DataFrame(columns), xr.Dataset(drawn, coords=coordinates)


def _outside(setting: Setting, recipe: Recipe) -> NDArray[np.bool_]:
    """Whether each recipe's student or teacher (budgets,) lies outside the runs."""
    hull = setting.posterior.hull
    if hull is None:
        return np.zeros(recipe.student_tokens.size, bool)
    return np.array(
        [
            max(hull.factors(setting.params, tokens)) > 1 or hull.teacher_outside(loss)
            for tokens, loss in zip(recipe.student_tokens, recipe.teacher_loss, strict=True)
        ],
        bool,
    )


def _only_distilled(setting: Setting) -> bool:
    """Whether no run of the fit was trained without a teacher, whatever its size."""
    return setting.posterior.info.get("kind") == "distillation"


def _shares(setting: Setting, budgets: Floats, served: float, recipe: Recipe) -> dict[str, Floats]:
    """Parts of each budget (budgets,) by what they are spent on; they sum to one."""
    scenario, flops = setting.scenario, setting.flops
    known = np.nan_to_num(recipe.teacher_params, nan=setting.limits.min_teacher_params)
    model = np.asarray(flops.forward_flops(known))
    taught = np.nan_to_num(recipe.teacher_tokens)
    spent = {
        "student": TRAINING_PASSES * setting.student_flops * recipe.student_tokens,
        "logits": scenario.logits_share * model * recipe.student_tokens,
        "teacher": TRAINING_PASSES * scenario.teacher_share * model * taught,
        "serving": np.full(budgets.size, setting.student_flops * served),
    }
    shares = {f"share_{name}": value / budgets for name, value in spent.items()}
    rest = 1 - sum(shares.values())
    return {**shares, "share_unspent": np.where(rest > 1e-9, rest, 0.0)}


def _spread(name: str, values: Floats, interval: float) -> dict[str, Floats]:
    lower, upper = equal_tailed(values, interval)
    middle = np.median(values, axis=0)
    return {f"{name}_median": middle, f"{name}_lower": lower, f"{name}_upper": upper}
