"""Coverage and error of forecasts of dearer runs, against the factor of extrapolation.

Its numbers are those of `validation.by_compute`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill.errors import InputError
from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.validation.rows import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.validation.result import Validation


@register(
    "coverage-by-factor",
    order=165,
    title="Forecasts of dearer runs",
    shows="coverage and error of forecasts of dearer runs, against how many times as dear as the "
    "dearest fitted one they are. Takes what validate wrote with `leave_out` compute.",
    source="validation",
)
def _draw(request: Request) -> Drawing:
    return Drawing(figure_of(coverage_by_factor(request.subject)), request.subject.notes)


def coverage_by_factor(validation: Validation) -> tuple[Axes, Axes]:
    """Draw coverage above, and error with half the width of the intervals below.

    Where the error lies above half the width, or coverage below its level, intervals are too
    narrow for runs as far away as that.

    Parameters
    ----------
    validation
        With ``leave_out="compute"``.

    Raises
    ------
    InputError
        If it is another validation.
    """
    if not validation.factors or not len(validation.by_factor):
        raise InputError(
            f"the validation of {validation.model} is not along compute: "
            'use `validate(RUNS, leave_out="compute")`'
        )
    table = validation.by_factor
    place = table["factor"].to_numpy(float)
    with style.house_style():
        figure = new_figure(7.6, 6.4)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for level, look in zip(
            validation.levels, style.series(len(validation.levels)), strict=True
        ):
            above.axhline(level, color=look.colour, linewidth=0.8, linestyle=":")
            above.plot(
                place,
                table[f"coverage_{percent(level)}"].to_numpy(),
                color=look.colour,
                marker=look.marker,
                linestyle=look.dashes,
                markerfacecolor="white",
                label=f"{percent(level)}%",
            )
        for x, runs in zip(place, table["runs"], strict=True):
            above.annotate(f"{runs}", (x, 0.0), ha="center", va="bottom", fontsize=8)
        above.set(ylim=(-0.02, 1.04))
        above.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
        above.set_ylabel("share of the runs inside")
        above.set_title(f"Forecasts of dearer runs, {validation.model}")
        handles, _ = above.get_legend_handles_labels()
        style.legend_beside(above, handles, "Predictive interval;\ndotted: its level")
        below.plot(place, 100 * table["error"], color="black", marker="o", label="error")
        half = 50 * table["width"]
        below.plot(
            place,
            half,
            color=style.FAINT,
            marker="s",
            linestyle="--",
            label=f"half the width of {percent(validation.interval)}%",
        )
        below.set(xscale="log", ylim=(0, None))
        below.set_xticks(place, [f"{x:g}" for x in place])
        below.set_xticks(np.empty(0), minor=True)
        below.set_ylabel("% of the loss")
        below.set_xlabel("times as dear as the dearest fitted run, up to (numbers: forecasts)")
        handles, _ = below.get_legend_handles_labels()
        style.legend_beside(below, handles, "Mean absolute")
    return above, below
