"""What to do with a recipe: shapes of its models, and its budget in other units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.compute import Architecture, ForwardFlops, Hardware
from bayes_distill.compute.shape import Shape, shape_of
from bayes_distill.compute.units import PF_DAY

MODELS = ("student", "teacher")
PARTS = ("layers", "width", "heads", "params")


def shape_columns(table: pd.DataFrame, flops: ForwardFlops) -> dict[str, np.ndarray]:
    """Shapes of the models of recipes, ``shape_{student|teacher}_{layers|width|heads|params}``.

    Parameters
    ----------
    table
        A plan's, (rows,). NaN where there is no recipe, or where only the teacher's loss is chosen.
    flops
        How FLOPs are counted; its ratio of width to layers, if it has one, or that of the paper.
    """
    family = flops if isinstance(flops, Architecture) else Architecture()
    sizes = {"student": table["params"].where(table["feasible"]).to_numpy(float)}
    sizes["teacher"] = table["recipe_teacher_params"].to_numpy(float)
    return {
        f"shape_{model}_{part}": np.array(
            [math.nan if s is None else getattr(s, part) for s in of], float
        )
        for model in MODELS
        for of in [[_shape(size, family) for size in sizes[model]]]
        for part in PARTS
    }


def _shape(size: float, family: Architecture) -> Shape | None:
    return shape_of(float(size), family) if size > 0 else None


def shapes_of(row: dict[Any, Any]) -> dict[str, Any]:
    """Shapes of one row of a plan's table for JSON; ``None`` for a model that it does not train."""
    found: dict[str, Any] = {}
    for model in MODELS:
        parts = {part: row[f"shape_{model}_{part}"] for part in PARTS}
        whole = {
            name: float(v) if name == "params" else int(v) for name, v in parts.items() if v > 0
        }
        found[model] = whole or None
    return found


def compute_columns(budgets: np.ndarray, hardware: Hardware | None) -> dict[str, np.ndarray]:
    """Budgets (rows,) in PF-days, and in hours of a device and money; NaN without these."""
    nothing = np.full(budgets.shape, np.nan)
    each = np.asarray(budgets, float)
    return {
        "budget_pf_days": each / PF_DAY,
        "budget_gpu_hours": nothing if hardware is None else hardware.hours(1.0) * each,
        "budget_cost": nothing if hardware is None else hardware.cost(1.0) * each,
    }
