"""Student loss against teacher loss, with the best teacher of each student: the capacity gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.plots import style
from bayes_distill.plots.curves import Curve, draw_curve, extrapolation_handle
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.fitted_runs import distilled_hull, fitted_runs, students_of
from bayes_distill.plots.marks import draw_runs, draw_spread, draw_star
from bayes_distill.plots.registry import Drawing, InReport, Request, register
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict import points
from bayes_distill.predict.capacity_gap import GapRisk, risk
from bayes_distill.predict.forecast import Forecast, forecast
from bayes_distill.predict.points import Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.runs import Runs

TEACHERS = 80
FALLBACK = (1.8, 2.8)  # nats per token, for point coefficients that came from no runs
MEAN = "loss_mean"
LOSS = (MEAN, "loss_lower", "loss_upper")
TEACHER_LOSS = "teacher_loss_mean"
EXTRAPOLATED = "outside"
BEST = ("optimal_teacher_loss_mean", "optimal_teacher_loss_lower", "optimal_teacher_loss_upper")


@register(
    "student-against-teacher",
    order=10,
    title="Students against their teachers",
    shows="the student's loss against its teacher's, one curve a student, with the best teacher: "
    "by default for students of the runs. `teacher_loss` takes the two ends of the range.",
    takes=("params", "tokens", "teacher_loss", "at"),
    needs_teacher=True,
    report=InReport(
        caption="Left of its star a stronger teacher makes the student worse: the capacity gap.",
        teachers=True,
        draws=1000,
    ),
)
def _draw(request: Request) -> Drawing:
    posterior: Posterior = request.subject
    curves = teacher_curves(
        posterior,
        **request.options,
        interval=request.interval,
        seed=request.seed,
        allow_failed=True,
    )
    ax = student_against_teacher(
        curves.forecast, fitted_runs(posterior), best=curves.best, unit=request.unit
    )
    return Drawing(figure_of(ax), curves.forecast.notes)


@dataclass(frozen=True, eq=False)
class TeacherCurves:
    """Curves of student loss over teacher loss.

    Parameters
    ----------
    forecast
        Forecast of every student at every teacher loss.
    best
        The best teacher of every student, one row a student.
    """

    forecast: Forecast
    best: GapRisk


def teacher_curves(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    at: pd.DataFrame | str | Path | None = None,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> TeacherCurves:
    """Forecast students over a range of teachers.

    Parameters
    ----------
    posterior, interval, seed, allow_failed
        As in `forecast`; the posterior is of a distillation law.
    params, tokens
        Students: every combination. Without them, some of the students of the runs.
    teacher_loss
        The two ends of the range, or all losses of the curves; by default the range of the runs.
    at
        A table of students instead, with the columns ``params`` and ``tokens``.

    Raises
    ------
    InputError
        Naming every argument at fault.
    """
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    losses = _losses(loaded, teacher_loss)
    if at is not None:
        if params is not None or tokens is not None:
            raise InputError(Fault("give either a table or single values, not both", column="at"))
        of_table = points.from_table(at)
        students = list(dict.fromkeys(zip(of_table.params, of_table.tokens, strict=True)))
    elif params is None and tokens is None:
        students = students_of(loaded)
    else:
        of_lists = points.grid(params, tokens)
        students = list(zip(of_lists.params, of_lists.tokens, strict=True))
    table = pd.DataFrame(
        [{"params": n, "tokens": d, "teacher_loss": t} for n, d in students for t in losses]
    )
    curves = forecast(loaded, at=table, interval=interval, seed=seed, allow_failed=allow_failed)
    each = table.drop_duplicates(["params", "tokens"])
    best = risk(loaded, at=each, interval=interval, seed=seed, allow_failed=allow_failed)
    return TeacherCurves(curves, best)


def _losses(posterior: Posterior, teacher_loss: Quantity | None) -> np.ndarray:
    if teacher_loss is None:
        hull = distilled_hull(posterior)
        ends = hull.teacher_loss if hull is not None and hull.teacher_loss else FALLBACK
        return np.linspace(*ends, TEACHERS)
    losses = teacher_losses(teacher_loss)
    return np.linspace(losses[0], losses[1], TEACHERS) if len(losses) == 2 else np.array(losses)


def teacher_losses(teacher_loss: Quantity) -> Sequence[float]:
    """Teacher losses in rising order.

    Raises
    ------
    InputError
        If they are not at least two different losses.
    """
    losses = np.unique(points.grid(1e9, 1e9, teacher_loss).teacher_loss)
    if losses.size < 2:
        raise InputError(
            Fault("give the two ends of a range, such as 1.8,2.8", column="teacher_loss")
        )
    return [float(loss) for loss in losses]


def student_against_teacher(
    forecast: Forecast,
    runs: Runs | None = None,
    ax: Axes | None = None,
    *,
    best: GapRisk | None = None,
    unit: str = style.LOSS_UNIT,
) -> Axes:
    """Draw student loss against teacher loss, one curve a student, with its credible interval.

    Parameters
    ----------
    forecast
        Of a grid of students and teacher losses.
    runs
        Runs to show as points where their student is one of the forecast's.
    ax
        Axes to draw on; by default new ones.
    best
        Gap risk of the same students: gives the star of the best teacher its interval.
    unit
        Unit of the losses, for the labels.
    """
    with style.house_style():
        ax = axes_or_new(ax)
        table = forecast.table
        students = list(table[["params", "tokens"]].drop_duplicates().itertuples(index=False))
        looks = style.series(len(students))
        stars = points = 0
        for (params, tokens), look in zip(students, looks, strict=True):
            rows = (table["params"] == params) & (table["tokens"] == tokens)
            curve = table[rows].sort_values(TEACHER_LOSS)
            draw_curve(
                ax,
                Curve.of(curve, TEACHER_LOSS, LOSS, EXTRAPOLATED),
                look,
                style.student_name(params, tokens),
            )
            stars += _star(ax, curve, best, look)
            points += _points(ax, runs, params, tokens, look)
        _diagonal(ax)
        ax.set_xlabel(style.loss_label("teacher loss", unit) + "; stronger teachers to the left")
        ax.set_ylabel(style.loss_label("student loss", unit))
        handles = [
            style.series_handle(look, style.student_name(*student), marker=points > 0)
            for look, student in zip(looks, students, strict=True)
        ]
        handles.append(style.interval_handle(forecast.interval))
        if points:
            handles.append(style.mark_handle("runs", marker="o", markerfacecolor="white"))
        if stars:
            spread = "" if best is None else f",\nbar: its {style.interval_name(best.interval)}"
            handles.append(style.mark_handle(f"best teacher{spread}", marker="*", markersize=10))
        if bool(table[EXTRAPOLATED].any()):
            handles.append(extrapolation_handle())
        handles.append(style.mark_handle("student = teacher", linestyle=(0, (4, 3)), linewidth=1))
        style.legend_beside(ax, handles, "Student, and mean of its loss")
    return ax


def _star(ax: Axes, curve: pd.DataFrame, best: GapRisk | None, look: style.Series) -> bool:
    """Mark the best teacher and return true, unless the curve falls towards an end of the range."""
    place = int(curve[MEAN].to_numpy().argmin())
    if not 0 < place < len(curve) - 1:
        return False
    least = curve.iloc[place]
    at, loss = float(least[TEACHER_LOSS]), float(least[MEAN])
    if best is not None:
        same = (best.table["params"] == least["params"]) & (best.table["tokens"] == least["tokens"])
        for _, row in best.table[same].head(1).iterrows():
            at, *ends = (float(row[column]) for column in BEST)
            draw_spread(ax, ends, loss, look)
    draw_star(ax, at, loss, look, size=9, edge=0.6)
    return True


def _points(ax: Axes, runs: Runs | None, params: float, tokens: float, look: style.Series) -> int:
    """Draw the runs of one student; return how many there are."""
    if runs is None or "teacher_loss" not in runs.frame:
        return 0
    frame = runs.frame
    same = np.isclose(frame["params"].to_numpy(float), params, rtol=0.01)
    same &= np.isclose(frame["tokens"].to_numpy(float), tokens, rtol=0.01)
    draw_runs(ax, frame["teacher_loss"][same], frame["loss"][same], look, size=4)
    return int(same.sum())


def _diagonal(ax: Axes) -> None:
    """Draw where student and teacher are equally good, within the limits that the data set."""
    limits: dict[str, Any] = {"xlim": ax.get_xlim(), "ylim": ax.get_ylim()}
    low = max(limits["xlim"][0], limits["ylim"][0])
    high = min(limits["xlim"][1], limits["ylim"][1])
    ax.plot(
        [low, high],
        [low, high],
        color=style.MUTED,
        linestyle=(0, (4, 3)),
        linewidth=1,
        label="student = teacher",
    )
    ax.set(**limits)
