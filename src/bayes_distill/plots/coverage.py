"""Nominal against observed coverage of predictive intervals, group by group.

Its numbers are those of `validation.result`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from bayes_distill.plots import style
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.marks import draw_calibrated
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.validation.rows import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.validation.result import Validation


@register(
    "coverage",
    order=160,
    title="Coverage of left-out runs",
    shows="share of left-out runs inside predictive bands, against their level. Takes what "
    "validate wrote, or a card that ships with a validation.",
    source="validation",
)
def _draw(request: Request) -> Drawing:
    return Drawing(figure_of(coverage(request.subject)), request.subject.notes)


def coverage(validation: Validation, ax: Axes | None = None) -> Axes:
    """Draw the share of left-out runs inside each predictive interval against its level.

    Below the diagonal intervals are too narrow, above it too wide.

    Parameters
    ----------
    validation
        Its table is drawn, one line a group and a thick one for all runs.
    ax
        Axes to draw on; by default new ones.
    """
    with style.house_style():
        ax = axes_or_new(ax, 7.6, 5.4)
        draw_calibrated(ax)
        levels = list(validation.levels)
        groups = validation.table.iloc[:-1]
        many = len(groups) > style.MOST_SERIES
        looks = style.series(len(groups)) if not many else style.series(1) * len(groups)
        for place, (row, look) in enumerate(zip(groups.to_dict("records"), looks, strict=True)):
            ax.plot(
                levels,
                [row[f"coverage_{percent(level)}"] for level in levels],
                color=style.FAINT if many else look.colour,
                marker=look.marker,
                linewidth=1.2,
                linestyle="-" if many else look.dashes,
                markerfacecolor="white",
                label=None if many and place else _label(row, many, len(groups)),
            )
        overall = validation.table.iloc[-1]
        ax.plot(
            levels,
            [overall[f"coverage_{percent(level)}"] for level in levels],
            color="black",
            marker="o",
            linewidth=2.6,
            label=f"all together ({overall['runs']} runs)",
            zorder=4,
        )
        ax.set(xlim=(min(levels) - 0.06, 1.0), ylim=(-0.02, 1.02))
        ticks = [v for i, v in enumerate(levels) if not i or v - levels[i - 1] > 0.02]
        ax.set_xticks(ticks, [f"{percent(level)}%" for level in ticks])
        ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
        ax.set_xlabel("level of the predictive band, equal-tailed")
        ax.set_ylabel("share of the left-out runs inside it")
        ax.set_title(f"Coverage of left-out runs, {validation.model}")
        handles, _ = ax.get_legend_handles_labels()
        style.legend_beside(ax, handles, "Left out; below the diagonal\nbands are too narrow")
    return ax


def _label(row: Mapping[Hashable, Any], many: bool, count: int) -> str:
    return f"each of {count} groups" if many else f"{row['group']} ({row['runs']} runs)"
