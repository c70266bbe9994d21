"""Tables over student sizes and budgets, one a scenario, from `plan`.

`plan` finds the recipes with few draws, which takes long; the losses of these recipes are then
forecast with many draws, which takes no time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.compute import SCENARIOS
from bayes_distill.planning.plan import plan
from bayes_distill.posterior import Posterior
from bayes_distill.predict.forecast import Forecast, forecast
from bayes_distill.reporting.quantiles import quantile_fields
from bayes_distill.reporting.ranges import Ranges
from bayes_distill.reporting.student_tables import LOSSES
from bayes_distill.reporting.tables import Field, Table

UNKNOWNS = ("student_tokens", "teacher_params", "teacher_tokens", "teacher_loss")
SPREAD = ("median", "lower", "upper")
LOGS = tuple(
    f"{prefix}_{name}{suffix}"
    for name in UNKNOWNS
    for prefix, suffix in (("recipe", ""), *(("optimum", f"_{x}") for x in SPREAD))
)
SHARES = ("share_student", "share_logits", "share_teacher", "share_unspent")
REGRET = ("regret_mean", "regret_upper")


def scenarios_of(posterior: Posterior) -> list[str]:
    """Names of the scenarios that the law knows of."""
    return [n for n, s in SCENARIOS.items() if posterior.law.has_teacher or not s.distils]


def recipe_tables(
    posterior: Posterior, many: Posterior, ranges: Ranges, interval: float, seed: int, draws: int
) -> dict[str, Table]:
    """One table a scenario, over (params, budget).

    Recipes are found with `draws` draws of `posterior`, their losses come from all of `many`.
    """
    axes = (ranges.plan_params, ranges.budget)
    shape = (axes[0].count, axes[1].count)
    names = scenarios_of(posterior)
    recipes = plan(
        posterior,
        axes[0].nodes,
        axes[1].nodes,
        scenario=names,
        crossovers=False,
        teacher_range=False,
        draws=draws,
        interval=interval,
        seed=seed,
        allow_failed=True,
    ).table
    forecasts = {
        name: _forecast(many, recipes[recipes["scenario"] == name], interval, seed)
        for name in names
    }
    supervised = forecasts["supervised"].draws["loss"].to_numpy()
    tables = {}
    for name in names:
        mine, losses = recipes[recipes["scenario"] == name], forecasts[name]

        def shaped(values: pd.Series) -> np.ndarray:
            return values.to_numpy(float).reshape(shape)

        fields = {key: Field(shaped(mine[key]), log=True) for key in LOGS}
        fields |= {key: Field(shaped(losses.table[key])) for key in LOSSES}
        fields |= {key: Field(shaped(mine[key]), low=0.0, high=1.0) for key in SHARES}
        fields |= {key: Field(shaped(mine[key]), low=0.0) for key in REGRET}
        if SCENARIOS[name].distils:
            fields |= quantile_fields(
                "advantage", losses.draws["loss"].to_numpy() - supervised, shape
            )
        tables[name] = Table(axes, fields)
    return tables


def _forecast(many: Posterior, recipes: pd.DataFrame, interval: float, seed: int) -> Forecast:
    """Losses of recipes; a teacher that is not described is given by its loss."""
    at = pd.DataFrame({"params": recipes["params"], "tokens": recipes["recipe_student_tokens"]})
    if recipes["recipe_teacher_loss"].notna().all():
        described = recipes["recipe_teacher_params"].notna()
        at["teacher_loss"] = recipes["recipe_teacher_loss"].where(~described)
        if described.any():
            at["teacher_params"] = recipes["recipe_teacher_params"]
            at["teacher_tokens"] = recipes["recipe_teacher_tokens"]
    at = at.dropna(axis="columns", how="all").reset_index(drop=True)
    return forecast(many, at=at, interval=interval, seed=seed, allow_failed=True)
