"""Calibration of registered forecasts over time.

Its numbers are those of `validation.registered.result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill.plots import style
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.validation.rows import percent, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.validation.registered.result import Scores


@register(
    "registered-forecasts",
    order=175,
    title="Registered forecasts over time",
    shows="where losses lay in their registered forecasts, by the time of the forecast, and the "
    "running share inside the interval. Takes what score wrote.",
    source="scores",
)
def _draw(request: Request) -> Drawing:
    return Drawing(figure_of(registered_forecasts(request.subject)), request.subject.notes)


def registered_forecasts(scores: Scores, ax: Axes | None = None) -> Axes:
    """Draw the share of each forecast below its loss, and the running coverage, over time.

    Marks are spread evenly over the height where forecasts are calibrated, and the line lies at
    the level of the interval.

    Parameters
    ----------
    scores
        Its table is drawn, one colour a command.
    ax
        Axes to draw on; by default new ones.
    """
    table = scores.table.sort_values(["time", "line"], kind="stable")
    level = scores.interval
    with style.house_style():
        ax = axes_or_new(ax, 8.6, 5.0)
        ax.axhspan((1 - level) / 2, (1 + level) / 2, color=style.FAINT, alpha=0.35, linewidth=0)
        kinds = sorted(table["kind"].unique())
        for kind, look in zip(kinds, style.series(len(kinds)), strict=False):
            mine = table[table["kind"] == kind]
            ax.plot(
                mine["time"].dt.tz_localize(None).to_numpy(),
                mine["pit"].to_numpy(),
                marker=look.marker,
                color=look.colour,
                markerfacecolor="white",
                linestyle="none",
                label=f"{kind} ({len(mine)})",
            )
        inside = within(table, level)
        ax.plot(
            table["time"].dt.tz_localize(None).to_numpy(),
            np.cumsum(inside) / np.arange(1, len(inside) + 1),
            color="black",
            linewidth=1.8,
            drawstyle="steps-post",
            marker="." if len(table) == 1 else "",
            label=f"share inside the {percent(level)}% interval so far",
        )
        ax.axhline(level, color="black", linewidth=0.9, linestyle=":")
        ax.set(ylim=(-0.03, 1.03))
        ax.set_xlabel("time of the forecast")
        ax.set_ylabel("share of the forecast below the loss")
        ax.set_title("Registered forecasts, and the runs that came")
        handles, _ = ax.get_legend_handles_labels()
        title = f"shaded: {percent(level)}% interval;\ndotted: its level"
        style.legend_beside(ax, handles, title)
        ax.figure.autofmt_xdate()
    return ax
