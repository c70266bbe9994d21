"""Student loss against teacher loss, with bands: the picture of the capacity gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bayes_distill.predict.capacity_gap import GapRisk
    from bayes_distill.predict.forecast import Forecast
    from bayes_distill.runs import Runs


def student_against_teacher(
    forecast: Forecast,
    runs: Runs | None = None,
    ax: Axes | None = None,
    *,
    best: GapRisk | None = None,
    unit: str = style.LOSS_UNIT,
) -> Axes:
    """Draw student loss against teacher loss, one curve a student, with its credible band.

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
        ax = style.axes_or_new(ax)
        table = forecast.table
        students = list(table[["params", "tokens"]].drop_duplicates().itertuples(index=False))
        looks = style.series(len(students))
        stars = points = 0
        for (params, tokens), look in zip(students, looks, strict=True):
            mine = (table["params"] == params) & (table["tokens"] == tokens)
            curve = table[mine].sort_values("teacher_loss_mean")
            style.curve_with_band(
                ax,
                curve["teacher_loss_mean"],
                curve["loss_mean"],
                curve["loss_lower"],
                curve["loss_upper"],
                look,
                curve["outside"],
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
        handles.append(style.band_handle(forecast.interval))
        if points:
            handles.append(style.mark_handle("runs", marker="o", markerfacecolor="white"))
        if stars:
            spread = "" if best is None else f",\nbar: its {style.interval_name(best.interval)}"
            handles.append(style.mark_handle(f"best teacher{spread}", marker="*", markersize=10))
        if bool(table["outside"].any()):
            handles.append(style.outside_handle())
        handles.append(style.mark_handle("student = teacher", linestyle=(0, (4, 3)), linewidth=1))
        style.legend_beside(ax, handles, "Student, and mean of its loss")
    return ax


def _star(ax: Axes, curve: pd.DataFrame, best: GapRisk | None, look: style.Series) -> bool:
    """Mark the best teacher, unless the curve still falls at an end of the range."""
    place = int(curve["loss_mean"].to_numpy().argmin())
    if not 0 < place < len(curve) - 1:
        return False
    least = curve.iloc[place]
    at = float(least["teacher_loss_mean"])
    if best is not None:
        same = (best.table["params"] == least["params"]) & (best.table["tokens"] == least["tokens"])
        for _, row in best.table[same].head(1).iterrows():
            at = float(row["optimal_teacher_loss_mean"])
            ends = [row["optimal_teacher_loss_lower"], row["optimal_teacher_loss_upper"]]
            ax.plot(
                ends,
                [least["loss_mean"]] * 2,
                color=look.colour,
                linewidth=1.6,
                marker="|",
                markersize=9,
                markeredgewidth=1.6,
                zorder=3.5,
            )
    ax.plot(
        at,
        least["loss_mean"],
        marker="*",
        color=look.colour,
        markersize=9,
        markeredgecolor="white",
        markeredgewidth=0.6,
        linestyle="none",
        zorder=4,
    )
    return True


def _points(ax: Axes, runs: Runs | None, params: float, tokens: float, look: style.Series) -> int:
    """Draw the runs of one student; says how many there are."""
    if runs is None or "teacher_loss" not in runs.frame:
        return 0
    frame = runs.frame
    mine = np.isclose(frame["params"].to_numpy(float), params, rtol=0.01)
    mine &= np.isclose(frame["tokens"].to_numpy(float), tokens, rtol=0.01)
    ax.plot(
        frame["teacher_loss"][mine],
        frame["loss"][mine],
        marker=look.marker,
        color=look.colour,
        markersize=4,
        markerfacecolor="white",
        markeredgewidth=0.9,
        linestyle="none",
        zorder=3,
    )
    return int(mine.sum())


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
