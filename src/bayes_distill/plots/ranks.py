"""Rank ECDFs of a calibration study: a wrong posterior has curves that leave their intervals.

Its numbers are those of `calibration.result`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, Request, register

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.calibration.result import Calibration

COLUMNS = 4
TOGETHER = (0, (4, 3))
INTERVAL = "#dcdce2"
# titles say it in words too
LOOKS = {
    verdict: style.series(style.MOST_SERIES)[place]
    for verdict, place in (("pass", 2), ("fail", 3), ("review", 5))
}


@register(
    "ranks",
    order=180,
    title="Ranks of a calibration study",
    shows="rank ECDFs of simulation-based calibration. Takes what calibrate wrote.",
    source="calibration",
)
def _draw(request: Request) -> Drawing:
    return Drawing(figure_of(ranks(request.subject)), request.subject.notes)


def ranks(calibration: Calibration, axes: np.ndarray | None = None) -> np.ndarray:
    """Draw the ECDF of the ranks of every quantity, less the diagonal, with its intervals.

    Ranks of a right posterior stay inside the grey area in 95 of 100 studies, for one quantity; all
    curves together stay between the dashed lines.

    Parameters
    ----------
    calibration
        The study.
    axes
        As many axes as there are quantities, of any shape; by default new ones.
    """
    rows = calibration.table.to_dict("records")
    with style.house_style():
        if axes is None:
            axes = _new_axes(len(rows))
        panels = np.asarray(axes)
        for ax, row in zip(panels.reshape(-1), rows, strict=False):
            _panel(ax, calibration, row)
    return panels


def _new_axes(count: int) -> np.ndarray:
    """Small panels on a new figure, labelled at its edges, with its legend."""
    lines = math.ceil(count / COLUMNS)
    figure = new_figure(11, 1.0 + 1.9 * lines)
    axes: np.ndarray = figure.subplots(lines, COLUMNS, sharex=True, sharey=True, squeeze=False)
    flat = axes.reshape(-1)
    for unused in flat[count:]:
        unused.set_visible(False)
    for ax in flat[max(0, count - COLUMNS) : count]:  # the last of each column
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("rank of the truth")
    for ax in axes[:, 0]:
        ax.set_ylabel("ECDF less diagonal")
    handles = [
        style.mark_handle(
            "ECDF of the ranks, less the diagonal", linestyle="-", color=LOOKS["pass"].colour
        ),
        style.interval_handle(0.95, text="95% simultaneous band, one quantity"),
        style.mark_handle(f"the same, all {count} together", linestyle=TOGETHER, linewidth=0.9),
    ]
    handles[1].set(facecolor=INTERVAL, alpha=1.0)
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return axes


def _panel(ax: Axes, calibration: Calibration, row: dict[Any, Any]) -> None:
    intervals = calibration.bands
    ax.grid(visible=False)
    ax.fill_between(
        intervals["x"], intervals["lower"], intervals["upper"], color=INTERVAL, linewidth=0
    )
    for side in ("lower_all", "upper_all"):
        ax.plot(
            intervals["x"], intervals[side], color=style.MUTED, linewidth=0.9, linestyle=TOGETHER
        )
    ax.axhline(0, color=style.MUTED, linewidth=0.6)
    ax.plot(*calibration.curve(row["name"]), color=LOOKS[row["verdict"]].colour, linewidth=1.5)
    verdict = "" if row["verdict"] == "pass" else f"  {row['verdict'].upper()}"
    ax.set_title(
        f"{row['name']}{verdict}\np = {_p(row['p_value'])}, adjusted {_p(row['p_adjusted'])}",
        fontsize=9,
        loc="left",
    )
    ax.set_xlim(0, 1)
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])


def _p(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}"
