"""Recipes of a plan as a line of a register."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.planning.arguments import PlanRequest
from bayes_distill.posterior import Posterior
from bayes_distill.predict.registered import register_answer


def register_plan(
    register: str | Path,
    posterior: Posterior,
    table: pd.DataFrame,
    new_runs: np.ndarray,
    request: PlanRequest,
    interval: float,
) -> None:
    """Append the recipes of a plan to a register, with the loss of a run of each.

    `table` is that of the plan, and `new_runs` (draws, rows) are NaN where there is no recipe.
    """
    feasible = table["feasible"].to_numpy(bool)
    recipes = table[feasible]
    points = pd.DataFrame(
        {
            "params": recipes["params"],
            "tokens": recipes["recipe_student_tokens"],
            **{
                name: recipes[f"recipe_{name}"].where(recipes[f"recipe_{name}"] > 0)
                for name in ("teacher_loss", "teacher_params", "teacher_tokens")
            },
            "outside": recipes["outside"],
        }
    )
    told = recipes[["budget", "scenario", "p_beats_supervised"]].to_dict("records")
    asked = {"criterion": request.criterion.name, "draws": len(new_runs), "interval": interval}
    asked["seed"] = request.seed
    register_answer(register, "plan", posterior, points, new_runs[:, feasible], asked, told)
