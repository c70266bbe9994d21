"""Models to train and what a budget buys, as tables; and how scenarios and counts are written."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from bayes_distill._input.numbers import format_quantity
from bayes_distill.cli.output import print_table
from bayes_distill.planning.to_train import MODELS

if TYPE_CHECKING:
    import pandas as pd

    from bayes_distill.planning.plan import Plan

SHORT = {
    "teacher-inference": "inference",
    "teacher-pretraining": "pretraining",
    "teacher-pretraining-and-inference": "pretr. + inf.",
}
"""Scenarios in a column of a table; the names of the teachers' costs that count."""
SHAPE = ("layers", "width", "heads")
Row = dict[Hashable, Any]


def scenario_of(r: Row) -> str:
    """The scenario of a row, shorter where its name is long."""
    name = str(r["scenario"])
    return SHORT.get(name, name)


def count_of(value: float) -> str:
    """A number of parameters, tokens or FLOPs as people write it."""
    return "-" if math.isnan(value) else format_quantity(value)


def print_budgets(result: Plan) -> None:
    """Budgets in PF-days, hours of the device and money."""
    hardware, rows = result.hardware, result.table.drop_duplicates("budget").to_dict("records")
    names = {"budget": "FLOPs", "budget_pf_days": "PF-days"}
    caption = None
    if hardware is not None:
        device = hardware.device
        names["budget_gpu_hours"] = f"GPU-hours of {device.name}"
        caption = (
            f"Hours of one {device.name} at {100 * hardware.utilisation:.3g}% of "
            f"{device.peak_flops / 1e12:.4g} TFLOP/s in bfloat16 ({device.source})."
        )
        if hardware.price is not None:
            names["budget_cost"] = f"cost at {hardware.price:g} an hour"
    print_table(
        "Budgets",
        list(names.values()),
        [[count_of(r[name]) for name in names] for r in rows],
        caption,
        left=0,
    )


def print_shapes(table: pd.DataFrame) -> None:
    """Models to train, one row a different pair of student and teacher."""
    columns = [f"shape_{model}_{part}" for model in MODELS for part in SHAPE]
    different = table[table["feasible"]].drop_duplicates(columns)
    if not len(different):
        return
    print_table(
        "Shapes to train",
        ["scenario", "budget", "student", "its shape", "teacher", "its shape"],
        [
            [
                scenario_of(r),
                count_of(r["budget"]),
                *(cell for model in MODELS for cell in _shape(r, model)),
            ]
            for r in different.to_dict("records")
        ],
        caption="Layers x width/heads: whole layers, and heads of 128, whose non-embedding "
        "parameters come nearest.",
    )


def _shape(r: Row, model: str) -> list[str]:
    """Exact parameters of a model, and its layers, width and heads."""
    if math.isnan(r[f"shape_{model}_params"]):
        return ["-", "-"]
    layers, width, heads = (f"{r[f'shape_{model}_{part}']:.0f}" for part in SHAPE)
    return [count_of(r[f"shape_{model}_params"]), f"{layers} x {width}/{heads}"]
