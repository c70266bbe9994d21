"""Teachers that exist: the loss of one student under each of them, and without a teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_probability, format_quantity
from bayes_distill.errors import Fault, InputError
from bayes_distill.plots import style
from bayes_distill.plots.figures import are_given, axes_or_new, figure_of
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.predict.extrapolation import extrapolation, extrapolation_notes
from bayes_distill.predict.points import Points, quantities
from bayes_distill.predict.verdicts import law_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.planning.plan import Plan
    from bayes_distill.posterior import Posterior
    from bayes_distill.predict.capacity_gap import GapRisk

PROBABILITIES = {"p_best": "P(best)", "p_beats_supervised": "P(beats none)"}
ENDS = (0.78, 0.995)  # of the columns of probabilities, in parts of the width
FAR, EDGE, ROOM = 2.0, 0.04, 0.5
LOSS = ("loss_mean", "loss_lower", "loss_upper")
SUPERVISED = ("supervised_mean", "supervised_lower", "supervised_upper")
SCENARIO, DRAWS = "teacher-inference", 300  # of a plan
NO_TEACHER = "no teacher"
ROW, MARGINS = 0.36, 1.7  # inches


@register(
    "teachers",
    order=15,
    title="Teachers to choose from",
    shows="the student's loss under each teacher of the table `teachers`, and without one: on "
    "`tokens`, or on what `budget` pays for under `scenario`.",
    takes=("params", "tokens", "teachers", "budget", "scenario", "flops", "draws"),
    needs=(("params",), ("tokens", "budget"), ("teachers",)),
    needs_teacher=True,
)
def _draw(request: Request) -> Drawing:
    compared = compare_teachers(request)
    return Drawing(figure_of(teachers(compared, unit=request.unit)), compared.notes)


@dataclass(frozen=True, eq=False)
class ComparedTeachers:
    """One student under several teachers, and without any.

    Parameters
    ----------
    table
        One row a teacher, best first: ``name, teacher_loss, loss_mean, loss_lower, loss_upper,
        p_best, p_beats_supervised``. Intervals are of the mean curve under that very teacher.
    supervised
        Mean, lower and upper end of the loss without a teacher, on the same tokens or budget.
    about
        The student, in words.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    supervised: tuple[float, float, float]
    about: str
    interval: float
    notes: tuple[str, ...] = ()


def of_risk(risk: GapRisk) -> ComparedTeachers:
    """Teachers that `risk` has ranked for its first student, on given tokens."""
    ranked = risk.teachers
    params, tokens = ranked[["params", "tokens"]].iloc[0]
    mine = ranked[(ranked["params"] == params) & (ranked["tokens"] == tokens)]
    mine = mine.drop(columns="teacher_loss").rename(columns={"teacher_loss_mean": "teacher_loss"})
    student = (risk.table["params"] == params) & (risk.table["tokens"] == tokens)
    alone = _ends(risk.table[student])
    about = f"student of {style.student_name(params, tokens)}"
    return ComparedTeachers(
        mine.reset_index(drop=True), alone, about, risk.interval, tuple(risk.notes)
    )


def of_plan(plan: Plan) -> ComparedTeachers:
    """Teachers that `plan` has ranked for its first student, budget and scenario."""
    first = plan.teachers.iloc[0]
    mine = plan.teachers
    for column in ("params", "budget", "scenario"):
        mine = mine[mine[column] == first[column]]
    of_plan = plan.table
    for column in ("params", "budget"):
        of_plan = of_plan[of_plan[column] == first[column]]
    alone = _ends(of_plan)
    about = (
        f"student of {format_quantity(first['params'])}, {format_quantity(first['budget'])} FLOPs, "
        f"{first['scenario']}"
    )
    affordable = mine[mine["affordable"]].reset_index(drop=True)
    notes = [
        f"the budget does not pay for {name}, which is left out"
        for name in mine.loc[~mine["affordable"], "name"]
    ]
    return ComparedTeachers(affordable, alone, about, plan.interval, tuple(notes))


def _ends(table: pd.DataFrame) -> tuple[float, float, float]:
    """Mean, lower and upper end of the supervised loss of the first row of a result."""
    mean, lower, upper = (float(table[column].iloc[0]) for column in SUPERVISED)
    return mean, lower, upper


def compare_teachers(request: Request) -> ComparedTeachers:
    """Compare the teachers of a request.

    Raises
    ------
    InputError
        If it names several students, or a budget and tokens; and as `risk` and `plan` do.
    """
    from bayes_distill.planning.plan import plan
    from bayes_distill.predict.capacity_gap import risk

    options = dict(request.options)
    planned = [name for name in ("budget", "scenario", "flops") if name in options]
    faults = [
        Fault("name one: the picture is of one student", column=name)
        for name in ("params", "tokens", "budget")
        if name in options and len(quantities(options[name])) > 1
    ]
    if "tokens" in options:
        faults += [Fault("belongs to a budget: name either", column=name) for name in planned]
    scenario = options.get("scenario", SCENARIO)
    if not isinstance(scenario, str) or "," in scenario or scenario == "supervised":
        faults.append(Fault("name one with a teacher", column="scenario"))
    if faults:
        raise InputError(faults)
    shared: Mapping[str, Any] = {
        "interval": request.interval,
        "seed": request.seed,
        "allow_failed": True,
    }
    if planned:
        defaults = {"scenario": scenario, "draws": DRAWS}
        given = defaults | options
        found = of_plan(
            plan(request.subject, crossovers=False, teacher_range=False, **given, **shared)
        )
        return replace(found, notes=(*_outside(request.subject, found.table), *found.notes))
    return of_risk(risk(request.subject, **options, **shared))


def _outside(posterior: Posterior, table: pd.DataFrame) -> tuple[str, ...]:
    """What to know of the students of a plan's teachers: those outside the runs, the verdicts."""
    params, tokens, loss = (
        table[column].to_numpy(float) for column in ("params", "student_tokens", "teacher_loss")
    )
    unknown = np.full(len(table), np.nan)
    points = Points(params, tokens, loss, unknown, unknown)
    where = extrapolation(posterior, points, loss)
    return (*posterior.warnings, *law_notes(posterior), *extrapolation_notes(where))


def _beside(ax: Axes, place: float, *texts: str) -> None:
    """Write a row of the columns of probabilities at the height `place`."""
    for text, end in zip(texts, ENDS, strict=True):
        ax.annotate(
            text,
            (end, place),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="center",
            fontsize=9,
        )


def _range(table: pd.DataFrame, alone: Sequence[float]) -> tuple[float, float]:
    """From where to where losses are drawn.

    Around the two best teachers and no teacher, and as far again: teachers that are far worse would
    leave no room to see which of these is best.
    """
    best = table.head(2)
    low = min(float(table["loss_lower"].min()), alone[0])
    near = max(float(best["loss_upper"].max()), alone[1]) - low
    far = min(low + FAR * near, max(float(table["loss_upper"].max()), alone[1]))
    return low - EDGE * (far - low), far + EDGE * (far - low)


def _bar(ax: Axes, place: int, ends: tuple[float, ...], look: style.Series, likely: bool) -> None:
    """Draw one teacher's mean with its interval; a star if it is the likely best."""
    middle, low, high = ends
    ax.errorbar(
        middle,
        place,
        xerr=[[max(middle - low, 0.0)], [max(high - middle, 0.0)]],
        color=look.colour,
        linewidth=style.THICK,
        capsize=4,
        capthick=1.6,
        marker="*" if likely else "o",
        markersize=13 if likely else 6,
        markerfacecolor=look.colour if likely else "white",
        markeredgecolor="white" if likely else look.colour,
        zorder=3,
    )


def _beyond(ax: Axes, place: int, far: float, loss: float, colour: str) -> None:
    """Say the loss of a teacher that lies off the axis, with an arrow to it."""
    ax.plot(far, place, marker=">", color=colour, markersize=7, linestyle="none")
    ax.annotate(
        f"{loss:.3f}",
        (far, place),
        xytext=(-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=9,
    )


def teachers(
    compared: ComparedTeachers, ax: Axes | None = None, *, unit: str = style.LOSS_UNIT
) -> Axes:
    """Draw the student's loss under each teacher with its interval, best first.

    Parameters
    ----------
    compared
        One student under several teachers.
    ax
        Axes to draw on; by default new ones.
    unit
        Unit of the losses, for the labels.
    """
    from matplotlib.patches import Patch

    table, inside = compared.table, are_given(ax)
    with style.house_style():
        ax = axes_or_new(ax, height=MARGINS + ROW * (len(table) + 1))
        with_teacher, alone = style.series(2)
        mean, *ends = compared.supervised
        ax.axvspan(*ends, color=alone.colour, alpha=0.18, linewidth=0)
        ax.axvline(mean, color=alone.colour, linestyle=alone.dashes, linewidth=style.THICK)
        low, far = _range(table, ends)
        for place, (_, row) in enumerate(table.iterrows()):
            _beside(ax, place, *(format_probability(row[column]) for column in PROBABILITIES))
            if row["loss_mean"] > far:
                _beyond(ax, place, far, float(row["loss_mean"]), with_teacher.colour)
                continue
            likely = row["p_best"] == table["p_best"].max()
            _bar(ax, place, tuple(float(row[column]) for column in LOSS), with_teacher, likely)
        _beside(ax, -0.75, *PROBABILITIES.values())
        ax.set_xlim(low, far + ROOM * (far - low))
        room = 0.7 * len(table) if inside else 0.0  # for a legend below the last teacher
        ax.set_ylim(len(table) - 0.4 + room, -1.1)
        names = [f"{row['name']} ({row['teacher_loss']:.3f})" for _, row in table.iterrows()]
        ax.set_yticks(range(len(table)), names)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel(style.loss_label("student loss", unit))
        ax.set_ylabel("teacher (its loss), best first")
        ax.set_title(f"Teachers for a {compared.about}")
        marks = {"color": with_teacher.colour, "linestyle": "-", "linewidth": style.THICK}
        band = style.interval_name(compared.interval)
        style.legend_beside(
            ax,
            [
                style.mark_handle(
                    f"mean, and {band}", **marks, marker="o", markerfacecolor="white"
                ),
                style.mark_handle(
                    "the best in most draws", color=with_teacher.colour, marker="*", markersize=12
                ),
                style.series_handle(alone, f"{NO_TEACHER}, mean"),
                Patch(facecolor=alone.colour, alpha=0.18, label=f"{NO_TEACHER}, {band}"),
            ],
        )
    return ax
