"""A plan as tables for people."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from bayes_distill._input.numbers import format_probability
from bayes_distill.cli.output import echo, print_sentences, print_table, wrapped
from bayes_distill.cli.plan_to_train import (
    Row,
    count_of,
    print_budgets,
    print_shapes,
    scenario_of,
)
from bayes_distill.cli.tables import table_format
from bayes_distill.planning.tables import AT_LIMITS
from bayes_distill.planning.words import (
    crossover_sentences,
    sentences_of_any_teacher,
    teacher_sentences,
)

if TYPE_CHECKING:
    import pandas as pd

    from bayes_distill.planning.plan import Plan

OF_A_RECIPE = ("student tokens", "teacher", "its tokens", "its loss")
"""What a recipe consists of, in tables."""


def print_plan(result: Plan, *, in_units: bool = False) -> None:
    """Print recipes, the spread of the optima, shapes, crossovers, targets and teachers.

    With `in_units` budgets are in other units than FLOPs too.
    """
    percent = f"{100 * result.interval:g}%"
    content = result.to_json()
    print_sentences([*teacher_sentences(content), *sentences_of_any_teacher(content)])
    _print_recipes(result.table, percent)
    _print_optima(result.table, percent)
    if in_units or result.hardware is not None:
        print_budgets(result)
    print_shapes(result.table)
    if len(result.crossovers):
        echo("Which budgets distilling is better at:")
        for sentence in crossover_sentences(content):
            echo(wrapped(f"  {sentence}", indent="    "))
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
                    scenario_of(r),
                    count_of(r["params"]),
                    count_of(r["budget_median"]),
                    _range(r, "budget"),
                    format_probability(r["budget_p_unreachable"]),
                    count_of(r["student_tokens_median"]),
                    _range(r, "student_tokens"),
                ]
                for r in result.targets.to_dict("records")
            ],
        )
    if len(result.teachers):
        _print_teachers(result.teachers, percent)


def _print_recipes(table: pd.DataFrame, percent: str) -> None:
    """The recipe of every row, best over the whole posterior."""
    rows = table.to_dict("records")
    keys, once = _keys(rows, {"scenario": scenario_of, "student": _student, "budget": _of_budget})
    print_table(
        f"Recipes, best over the whole posterior{once}",
        [
            *keys,
            *OF_A_RECIPE,
            "shares",
            "loss",
            f"{percent} credible",
            "one run",
            "supervised",
            "gain",
            "regret",
            "P(better)",
        ],
        [
            [*key, *(_recipe(r) if r["feasible"] else _no_recipe())]
            for key, r in zip(_by_row(keys, len(rows)), rows, strict=True)
        ],
        caption="Shares: percent for student/logits/teacher"
        + ("/serving" if (table["served_tokens"] > 0).any() else "")
        + f". One run: {percent} of single runs. Supervised: the same budget without a teacher; "
        "gain and P(better): by how much and how probably the recipe beats that. Regret: expected "
        "loss above each draw's own best.",
        left=1 if "scenario" in keys else 0,
    )
    for problem, part in table[table["problem"].notna()].groupby("problem", sort=False):
        names = ", ".join(dict.fromkeys(map(str, part["scenario"])))
        echo(wrapped(f"  no recipe, {names}: {problem}", indent="    "))


def _print_optima(table: pd.DataFrame, percent: str) -> None:
    """How far the best allocations of single draws lie apart, where there is a teacher."""
    taught = table["feasible"] & table["optimum_teacher_loss_median"].notna()
    rows = table[taught].to_dict("records")
    if not rows:
        return
    keys, once = _keys(
        rows, {"scenario": scenario_of, "student": _optimum_student, "budget": _of_budget}
    )
    print_table(
        f"Spread of the optima, each draw's own best ({percent} of the draws){once}",
        [*keys, *OF_A_RECIPE, "teachers within 0.005 nats"],
        [[*key, *_optimum(r)] for key, r in zip(_by_row(keys, len(rows)), rows, strict=True)],
        left=1 if "scenario" in keys else 0,
    )


def _keys(
    rows: list[Row], cells: dict[str, Callable[[Row], str]]
) -> tuple[dict[str, list[str]], str]:
    """Columns that tell rows apart, and what all of them have in common as an end of the title.

    Tables for other programs have all columns.
    """
    columns = {name: [cell(r) for r in rows] for name, cell in cells.items()}
    if table_format() != "text":
        return columns, ""
    same = [name for name, column in columns.items() if len(set(column)) == 1]
    first = {name: column[0] for name, column in columns.items()}
    first["scenario"] = str(rows[0]["scenario"])  # in full: there is room
    words = {"scenario": "{}", "student": "{} student", "budget": "{} FLOPs"}
    once = ", ".join(words[name].format(first[name]) for name in same)
    return {n: c for n, c in columns.items() if n not in same}, f": {once}" if once else ""


def _by_row(columns: dict[str, list[str]], rows: int) -> list[list[str]]:
    return [[column[row] for column in columns.values()] for row in range(rows)]


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
                scenario_of(r),
                count_of(r["budget"]),
                str(r["name"]),
                f"{r['teacher_loss']:.3f}",
                count_of(r["student_tokens"]) if r["affordable"] else "not affordable",
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
        *(
            count_of(r[f"recipe_{name}"]) + (" at the limit" if limit in at_limits else "")
            for name, limit in AT_LIMITS.items()
        ),
        _loss(r["recipe_teacher_loss"]),
        shares,
        f"{r['loss_mean']:.4f}",
        f"{r['loss_lower']:.4f} to {r['loss_upper']:.4f}",
        f"{r['new_run_lower']:.4f} to {r['new_run_upper']:.4f}",
        f"{r['supervised_mean']:.4f}",
        "-" if math.isnan(beats) else f"{r['improvement_mean']:+.4f}",
        f"{abs(r['regret_mean']):.4f}",
        format_probability(beats),
    ]


def _no_recipe() -> list[str]:
    """A row for a budget that pays for no recipe; what it lacks is said below the table."""
    return ["none", *["-"] * 11]


def _optimum(r: Row) -> list[str]:
    return [
        _range(r, "optimum_student_tokens"),
        _range(r, "optimum_teacher_params"),
        _range(r, "optimum_teacher_tokens"),
        f"{r['optimum_teacher_loss_lower']:.3f} to {r['optimum_teacher_loss_upper']:.3f}",
        _range(r, "near_optimal_teacher_params"),
    ]


def _student(r: Row) -> str:
    return count_of(r["params"])


def _optimum_student(r: Row) -> str:
    return _range(r, "optimum_params")


def _of_budget(r: Row) -> str:
    return count_of(r["budget"])


def _range(r: Row, name: str) -> str:
    low, high = r[f"{name}_lower"], r[f"{name}_upper"]
    if math.isnan(low):
        return "-"
    text = [count_of(value) for value in (low, high)]
    return text[0] if text[0] == text[1] else " to ".join(text)


def _loss(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
