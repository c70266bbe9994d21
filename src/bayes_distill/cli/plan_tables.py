"""A plan as tables for people."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from bayes_distill._input.numbers import format_probability, format_quantity
from bayes_distill.cli.output import echo, print_sentences, print_table, wrapped
from bayes_distill.planning.tables import AT_LIMITS
from bayes_distill.planning.to_train import MODELS
from bayes_distill.planning.words import (
    crossover_words,
    sentences_of_any_teacher,
    teacher_sentences,
)

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
OF_A_RECIPE = ("student", "budget", "student tokens", "teacher", "its tokens", "its loss")
"""First columns of tables of recipes."""
Row = dict[Hashable, Any]


def print_plan(result: Plan, *, in_units: bool = False) -> None:
    """Print recipes, the spread of the optima, shapes, crossovers, targets and teachers.

    With `in_units` budgets are in other units than FLOPs too.
    """
    percent = f"{100 * result.interval:g}%"
    content = result.to_json()
    print_sentences([*teacher_sentences(content), *sentences_of_any_teacher(content)])
    for name, part in result.table.groupby("scenario", sort=False):
        print_table(
            f"{name}: one recipe for each budget, best over the whole posterior",
            [
                *OF_A_RECIPE,
                "shares",
                "loss",
                f"{percent} credible",
                "supervised",
                "gain",
                "regret",
                "P(better)",
            ],
            [_recipe(r) if r["feasible"] else _no_recipe(r) for r in part.to_dict("records")],
            caption="Shares: percent for student/logits/teacher"
            + ("/serving" if (part["served_tokens"] > 0).any() else "")
            + ". Supervised: the same budget without a teacher; gain and P(better): by how much "
            "and how probably the recipe beats that. Regret: expected loss above each draw's own "
            "best.",
            left=0,
        )
        for problem in part["problem"].dropna():
            echo(wrapped(f"  no recipe: {problem}", indent="    "))
        if part["optimum_teacher_loss_median"].notna().any():
            print_table(
                f"{name}: spread of the optima, each draw's own best ({percent} of the draws)",
                [*OF_A_RECIPE, "teachers within 0.005 nats"],
                [_optimum(r) for r in part[part["feasible"]].to_dict("records")],
                left=0,
            )
    if in_units or result.hardware is not None:
        _print_budgets(result)
    _print_shapes(result.table)
    if len(result.crossovers):
        echo("Which budgets distilling is better at, up to 1e28 FLOPs:")
        for each in result.to_json()["crossovers"]:
            echo(wrapped(f"  {crossover_words(each, percent)}", indent="    "))
        echo("")
    if len(result.targets):
        print_table(
            f"To reach a loss of {result.targets['target_loss'].iloc[0]:g}",
            [
                "scenario",
                "student",
                "least FLOPs",
                percent,
                "P(out of reach)",
                "least tokens",
                percent,
            ],
            [
                [
                    _scenario(r),
                    _count(r["params"]),
                    _count(r["budget_median"]),
                    _range(r, "budget"),
                    format_probability(r["budget_p_unreachable"]),
                    _count(r["student_tokens_median"]),
                    _range(r, "student_tokens"),
                ]
                for r in result.targets.to_dict("records")
            ],
        )
    if len(result.teachers):
        _print_teachers(result.teachers, percent)


def _print_budgets(result: Plan) -> None:
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
        [[_count(r[name]) for name in names] for r in rows],
        caption,
        left=0,
    )


def _print_shapes(table: pd.DataFrame) -> None:
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
                _scenario(r),
                _count(r["budget"]),
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
    return [_count(r[f"shape_{model}_params"]), f"{layers} x {width}/{heads}"]


def _print_teachers(teachers: pd.DataFrame, percent: str) -> None:
    print_table(
        "Your teachers, best expected student loss first",
        [
            "scenario",
            "budget",
            "teacher",
            "its loss",
            "student tokens",
            "student loss",
            f"{percent} credible",
            "P(best)",
            "cost if chosen",
            "P(beats supervised)",
        ],
        [
            [
                _scenario(r),
                _count(r["budget"]),
                str(r["name"]),
                f"{r['teacher_loss']:.3f}",
                _count(r["student_tokens"]) if r["affordable"] else "not affordable",
                *(
                    [
                        f"{r['loss_mean']:.4f}",
                        f"{r['loss_lower']:.4f} to {r['loss_upper']:.4f}",
                        format_probability(r["p_best"]),
                        f"{r['regret_mean']:.4f}",
                        format_probability(r["p_beats_supervised"]),
                    ]
                    if r["affordable"]
                    else ["-"] * 5
                ),
            ]
            for r in teachers.to_dict("records")
        ],
        left=3,
    )


def _recipe(r: Row) -> list[str]:
    parts = ["student", "logits", "teacher", *(["serving"] if r["served_tokens"] > 0 else [])]
    shares = "/".join(f"{100 * r[f'share_{k}']:.0f}" for k in parts)
    beats = r["p_beats_supervised"]
    at_limits = r["at_limit"].split(",")
    return [
        _count(r["params"]),
        _count(r["budget"]),
        *(
            _count(r[f"recipe_{name}"]) + (" at the limit" if limit in at_limits else "")
            for name, limit in AT_LIMITS.items()
        ),
        _loss(r["recipe_teacher_loss"]),
        shares,
        f"{r['loss_mean']:.4f}",
        f"{r['loss_lower']:.4f} to {r['loss_upper']:.4f}",
        f"{r['supervised_mean']:.4f}",
        "-" if math.isnan(beats) else f"{r['improvement_mean']:+.4f}",
        f"{abs(r['regret_mean']):.4f}",
        format_probability(beats),
    ]


def _no_recipe(r: Row) -> list[str]:
    """A row for a budget that pays for no recipe; what it lacks is said below the table."""
    return [_count(r["params"]), _count(r["budget"]), "none", *["-"] * 10]


def _optimum(r: Row) -> list[str]:
    return [
        _range(r, "optimum_params"),
        _count(r["budget"]),
        _range(r, "optimum_student_tokens"),
        _range(r, "optimum_teacher_params"),
        _range(r, "optimum_teacher_tokens"),
        f"{r['optimum_teacher_loss_lower']:.3f} to {r['optimum_teacher_loss_upper']:.3f}",
        _range(r, "near_optimal_teacher_params"),
    ]


def _scenario(r: Row) -> str:
    """The scenario of a row, shorter where its name is long."""
    name = str(r["scenario"])
    return SHORT.get(name, name)


def _crossing(budget: float) -> str:
    """A crossover, which may lie beyond all budgets."""
    return _count(budget) if math.isfinite(budget) else "none" if budget > 0 else "never better"


def _range(r: Row, name: str) -> str:
    low, high = r[f"{name}_lower"], r[f"{name}_upper"]
    if math.isnan(low):
        return "-"
    text = [_count(value) for value in (low, high)]
    return text[0] if text[0] == text[1] else " to ".join(text)


def _count(value: float) -> str:
    return "-" if math.isnan(value) else format_quantity(value)


def _loss(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
