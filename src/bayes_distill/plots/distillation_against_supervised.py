"""Distillation against supervised training over budgets, and where the better one changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_quantity
from bayes_distill.errors import Fault, InputError
from bayes_distill.plots import style
from bayes_distill.plots.budgets import plan_along_budgets
from bayes_distill.plots.curves import Curve, draw_curve, extrapolation_handle
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, Request, register

if TYPE_CHECKING:
    from bayes_distill.planning.plan import Plan

SHOWN = 0.5  # share of the draws below which a crossing is not drawn
ENDS = ("mean", "lower", "upper")
LOSS, SUPERVISED, IMPROVEMENT = (
    tuple(f"{quantity}_{end}" for end in ENDS) for quantity in ("loss", "supervised", "improvement")
)
EXTRAPOLATED, SUPERVISED_EXTRAPOLATED = "outside", "supervised_outside"
TEACHER_LOSS = "recipe_teacher_loss"


@register(
    "distillation-against-supervised",
    order=40,
    title="Distillation against supervised training",
    shows="the loss that budgets reach with and without a teacher, the difference, and where it "
    "changes sign. `budget` takes the two ends of a range.",
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
    needs_teacher=True,
)
def _draw(request: Request) -> Drawing:
    plan = plan_along_budgets(request, "best-case,teacher-pretraining-and-inference")
    compared = against_supervised(plan)
    axes = distillation_against_supervised(compared, unit=request.unit)
    return Drawing(figure_of(axes), compared.notes)


@dataclass(frozen=True, eq=False)
class AgainstSupervised:
    """Distillation next to supervised training, for one student.

    Parameters
    ----------
    table
        Rows of the plan that have a teacher, by scenario and rising budget.
    crossings
        One row a scenario and direction: ``starts`` where supervised training is better below the
        budget and distillation above it, ``stops`` for the opposite; ``budget_median, budget_lower,
        budget_upper`` over the draws that have such a crossing within the plan's budgets (the
        lowest, if several), and ``p``, their share.
    params
        Size of the student.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    crossings: pd.DataFrame
    params: float
    interval: float
    notes: tuple[str, ...]


def against_supervised(plan: Plan, params: float | None = None) -> AgainstSupervised:
    """Compare the recipes of a plan with supervised training on the same budgets.

    Crossings are read off each draw's losses of the one recipe, by straight lines in the logarithm
    of the budget: a plan with more budgets places them better. They are about one recipe for all
    draws; in ``plan.crossovers`` every draw has a separate recipe.

    Parameters
    ----------
    plan
        With at least two budgets and one scenario with a teacher.
    params
        Which of its students; needless where there is one.

    Raises
    ------
    InputError
        Naming what the plan lacks.
    """
    table = plan.table.reset_index(drop=True)
    table = table[table[TEACHER_LOSS].notna()]
    if params is not None:
        table = table[table["params"] == params]
    if table.empty:
        raise InputError(Fault("name one with a teacher", column="scenario"))
    faults = []
    if len(set(table["params"])) > 1:
        faults.append(Fault("name one student: a plot is of one", column="params"))
    if len(set(table["budget"])) < 2:
        faults.append(Fault("a curve needs at least two budgets", column="budget"))
    if faults:
        raise InputError(faults)
    difference = plan.samples["supervised_loss"] - plan.samples["recipe_loss"]
    parts, crossings = [], []
    for name in table["scenario"].unique():
        part = table[table["scenario"] == name].sort_values("budget")
        parts.append(part)
        x = np.log(part["budget"].to_numpy(float))
        for direction, sign in (("starts", 1.0), ("stops", -1.0)):
            rises = _first_rise(x, sign * difference[:, part.index.to_numpy()])
            crossings.append(
                {"scenario": name, "direction": direction, **_spread(rises, plan.interval)}
            )
    return AgainstSupervised(
        pd.concat(parts, ignore_index=True),
        pd.DataFrame(crossings),
        float(table["params"].iloc[0]),
        plan.interval,
        plan.notes,
    )


def _first_rise(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where each row (draws, x) first goes from below to above zero, (draws,); NaN if nowhere."""
    rises = (values[:, :-1] < 0) & (values[:, 1:] >= 0)
    place = rises.argmax(axis=1)
    rows = np.arange(len(values))
    low, high = values[rows, place], values[rows, place + 1]
    some = rises.any(axis=1)
    share = np.divide(-low, high - low, out=np.zeros_like(low), where=some)
    return np.where(some, x[place] + share * (x[place + 1] - x[place]), np.nan)


def _spread(log_budget: np.ndarray, interval: float) -> dict[str, float]:
    budgets = np.exp(log_budget[~np.isnan(log_budget)])
    levels = [(1 - interval) / 2, 0.5, (1 + interval) / 2]
    lower, median, upper = np.quantile(budgets, levels) if budgets.size else (np.nan,) * 3
    return {
        "budget_median": float(median),
        "budget_lower": float(lower),
        "budget_upper": float(upper),
        "p": budgets.size / log_budget.size,
    }


def distillation_against_supervised(
    compared: AgainstSupervised, axes: np.ndarray | None = None, *, unit: str = style.LOSS_UNIT
) -> np.ndarray:
    """Draw the loss that a budget reaches with and without a teacher, and the difference.

    The difference has a separate interval: both losses rest on the same draws, so that it is
    narrower than either of theirs.

    Parameters
    ----------
    compared
        One student under one or more scenarios.
    axes
        Two axes: losses, and by how much distillation improves them. By default new ones.
    unit
        Unit of the losses, for the labels.
    """
    table = compared.table
    names = list(table["scenario"].unique())
    with style.house_style():
        if axes is None:
            axes = new_figure(9.8, 7.2).subplots(2, 1, sharex=True)
        axes = np.asarray(axes).reshape(2)
        top, bottom = axes
        supervised_look, *looks = style.series(len(names) + 1)
        first = table[table["scenario"] == names[0]]
        supervised = Curve.of(first, "budget", SUPERVISED, SUPERVISED_EXTRAPOLATED)
        draw_curve(top, supervised, supervised_look, "supervised")
        untried = bool(supervised.extrapolated.all())
        also = "\nthin: no run of the fit was supervised" if untried else ""
        bottom.axhline(0, color=style.INK, linewidth=1)
        handles = [style.series_handle(supervised_look, f"supervised{also}", thin=untried)]
        spans = False
        for name, look in zip(names, looks, strict=True):
            rows = table[table["scenario"] == name]
            for ax, columns in ((top, LOSS), (bottom, IMPROVEMENT)):
                draw_curve(ax, Curve.of(rows, "budget", columns, EXTRAPOLATED), look, name)
            here = compared.crossings[compared.crossings["scenario"] == name]
            texts = [_crossing(axes, row, look) for _, row in here[here["p"] >= SHOWN].iterrows()]
            spans |= bool(texts)
            text = "\n".join([name, *(texts or ["no crossover between these budgets"])])
            handles.append(style.series_handle(look, text))
        handles.append(style.interval_handle(compared.interval))
        if spans:
            handles.append(
                style.span_handle(
                    "upright: budget where the two\nbreak even, median and\n"
                    f"{style.interval_name(compared.interval)}"
                )
            )
        if bool(table[EXTRAPOLATED].eq(True).any()):
            handles.append(extrapolation_handle())
        for ax in axes:
            ax.set_xscale("log")
            ax.set_xlim(table["budget"].min(), table["budget"].max())
        top.set_title(f"What a budget reaches: {format_quantity(compared.params)} student")
        top.set_ylabel(style.loss_label("student loss", unit))
        bottom.set_title("What distillation gains: supervised loss less distilled loss")
        bottom.set_ylabel(style.loss_label("gain", unit) + "; above 0\ndistillation is better")
        bottom.set_xlabel("budget (FLOPs)")
        style.legend_beside(top, handles, "Mean loss of the one recipe")
    return axes


def _crossing(axes: np.ndarray, row: pd.Series[Any], look: style.Series) -> str:
    """Draw where one scenario starts or stops being better; return the text that says so."""
    for ax in axes:
        ax.axvspan(
            row["budget_lower"], row["budget_upper"], color=look.colour, alpha=0.14, linewidth=0
        )
        ax.axvline(row["budget_median"], color=look.colour, linewidth=1.1, linestyle=look.dashes)
    middle, *ends = (
        format_quantity(row[f"budget_{name}"], 2) for name in ("median", "lower", "upper")
    )
    share = "" if row["p"] > 0.995 else f", in {100 * row['p']:.0f}% of draws"
    side = "above" if row["direction"] == "starts" else "below"
    return f"better {side} {middle} FLOPs{share}\n({' to '.join(ends)})"
