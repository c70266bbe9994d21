"""Recipe against budget: sizes, tokens, losses and shares of the budget, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill._input.numbers import format_quantity
from bayes_distill.errors import Fault, InputError
from bayes_distill.plots import style
from bayes_distill.plots.budgets import plan_along_budgets
from bayes_distill.plots.curves import Curve, draw_curve
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, Request, register

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bayes_distill.planning.plan import Plan

EXTRAPOLATED = "outside"
LOSS = ("loss_mean", "loss_lower", "loss_upper")
TEACHER_LOSS = "recipe_teacher_loss"
SHARES = {
    "student": "student's training",
    "teacher": "teacher's training",
    "logits": "teacher's logits",
    "serving": "serving",
    "unspent": "unspent",
}
FREE = "The teacher is free: any with\nthe loss in the next row will do."
ALONE = "Supervised: no teacher."


@register(
    "recipe-against-budget",
    order=30,
    title="Recipe against budget",
    shows="what to spend budgets on: sizes, tokens, losses and shares of the one recipe, and how "
    "the splits that are best in single draws spread. `budget` takes the two ends of a range.",
    takes=(
        "params",
        "budget",
        "scenario",
        "utility",
        "flops",
        "draws",
        "max_tokens",
        "max_teacher_tokens",
        "max_teacher_params",
    ),
    needs=(("params",),),
)
def _draw(request: Request) -> Drawing:
    plan = plan_along_budgets(request, "teacher-pretraining-and-inference")
    return Drawing(figure_of(recipe_against_budget(plan, unit=request.unit)), plan.notes)


def recipe_against_budget(
    plan: Plan,
    axes: np.ndarray | None = None,
    *,
    scenario: str | None = None,
    params: float | None = None,
    unit: str = style.LOSS_UNIT,
) -> np.ndarray:
    """Draw what to spend a budget on, over budgets, for one student and scenario.

    Lines are the one recipe for the plan's criterion; intervals are how the splits that are best
    in single draws spread (of the student's loss: how the loss of the one recipe does).

    Parameters
    ----------
    plan
        Of at least two budgets.
    axes
        Four axes, (2, 2): sizes, tokens, losses, shares. By default new ones.
    scenario, params
        Which of the plan's scenarios and students; needless where there is one.
    unit
        Unit of the losses, for the labels.

    Raises
    ------
    InputError
        If that leaves several students or scenarios, or fewer than two budgets.
    """
    table = one_case(plan.table, scenario, params)
    with style.house_style():
        if axes is None:
            axes = new_figure(9.6, 7.2).subplots(2, 2, sharex=True)
        axes = np.asarray(axes).reshape(2, 2)
        (sizes, tokens), (losses, shares) = axes
        student, teacher = style.series(2)
        for ax in axes.flat:
            ax.set_xscale("log")
            ax.set_axisbelow(True)
        nothing = FREE if table[TEACHER_LOSS].notna().any() else ALONE
        for ax, what in ((sizes, "params"), (tokens, "tokens")):
            _recipe(ax, table, f"student_{what}", student, "student")
            if not _recipe(ax, table, f"teacher_{what}", teacher, "teacher"):
                ax.text(
                    0.03,
                    0.95,
                    nothing,
                    transform=ax.transAxes,
                    va="top",
                    color=style.MUTED,
                    fontsize=9,
                )
            style.count_axis(ax, "y")
        draw_curve(losses, Curve.of(table, "budget", LOSS, EXTRAPOLATED), student, "student")
        _recipe(losses, table, "teacher_loss", teacher, "teacher")
        _shares(shares, table)
        sizes.set(title="Sizes", ylabel="non-embedding parameters")
        tokens.set(title="Training data", ylabel="tokens")
        losses.set(title="Losses", ylabel=style.loss_label("validation loss", unit))
        shares.set(title="Shares of the budget", ylabel="share (%)", ylim=(-3, 103))
        for ax in axes.flat:
            if ax.get_legend_handles_labels()[0]:
                ax.legend(loc="best")
        for ax in axes[1]:
            ax.set_xlabel("budget (FLOPs)")
        size, who = format_case(table)
        sizes.figure.suptitle(
            f"{size} student, {who}\nlines: the one recipe; bands: "
            f"{style.interval_name(plan.interval, shape='band')}, of the splits that are best in "
            "single draws\n"
            "(student's loss: of the loss of the one recipe)"
            + ("; thin and pale: outside the runs" if table[EXTRAPOLATED].eq(True).any() else ""),
            fontsize=10,
            x=0.01,
            ha="left",
        )
    return np.asarray(axes)


def one_case(table: pd.DataFrame, scenario: str | None, params: float | None) -> pd.DataFrame:
    """Rows of one student and scenario, by rising budget.

    Raises
    ------
    InputError
        If that leaves none, several students or scenarios, or fewer than two budgets.
    """
    faults = []
    rows = table[table[LOSS[0]].notna()]  # some budgets may pay for no recipe
    if scenario is not None:
        rows = rows[rows["scenario"] == scenario]
    if params is not None:
        rows = rows[rows["params"] == params]
    if rows.empty:
        raise InputError("the plan has no rows of that scenario and student")
    if len(set(rows["scenario"])) > 1:
        names = ", ".join(rows["scenario"].unique())
        faults.append(Fault(f"name one of {names}", column="scenario"))
    chosen = (rows["served_tokens"] > 0).any() and params is None
    if len(set(rows["params"])) > 1 and not chosen:
        faults.append(Fault("name one student", column="params"))
    if len(set(rows["budget"])) < 2:
        faults.append(Fault("a curve needs at least two budgets", column="budget"))
    if faults:
        raise InputError(faults)
    return rows.sort_values("budget")


def format_case(table: pd.DataFrame) -> tuple[str, str]:
    """Student and scenario of some rows, for a title."""
    low, high = (format_quantity(float(v)) for v in (table["params"].min(), table["params"].max()))
    return low if low == high else f"{low} to {high}", str(table["scenario"].iloc[0])


def _recipe(ax: Axes, table: pd.DataFrame, name: str, look: style.Series, label: str) -> bool:
    """Draw one unknown of the recipe with its spread; return whether it is determined at all."""
    line, spread = f"recipe_{name}", f"optimum_{name}"
    if name == "student_params":
        line, spread = "params", "optimum_params"
    if not table[line].notna().any():
        return False
    limit = f"p_at_max_{name}"
    if limit in table and (table[limit] > 0.5).all():
        label += ", at its limit"
    ends = (line, f"{spread}_lower", f"{spread}_upper")
    draw_curve(ax, Curve.of(table, "budget", ends, EXTRAPOLATED), look, label)
    return True


def _shares(ax: Axes, table: pd.DataFrame) -> None:
    used = [n for n in SHARES if f"share_{n}" in table and (table[f"share_{n}"] > 1e-6).any()]
    looks = dict(zip(SHARES, style.series(len(SHARES)), strict=True))
    # student and teacher look as they do in the other panels
    looks["student"], looks["teacher"] = style.series(2)
    looks["logits"] = style.series(5)[4]
    for name in used:
        share = f"share_{name}"
        spread = [f"optimum_share_{name}_{end}" for end in ("lower", "upper")]
        ends = [share, *(column if column in table else share for column in spread)]
        percent = table.assign(**{column: 100 * table[column] for column in set(ends)})
        draw_curve(ax, Curve.of(percent, "budget", ends, EXTRAPOLATED), looks[name], SHARES[name])
