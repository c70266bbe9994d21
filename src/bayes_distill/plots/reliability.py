"""Reliability diagram of the gap risk: forecast probabilities against what happened.

Its numbers are those of `validation.result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_distill.errors import InputError
from bayes_distill.plots import style
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.marks import draw_calibrated
from bayes_distill.plots.registry import Drawing, Request, register

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.validation.result import Validation

SIDES = {"predictive": -1, "credible": 1}  # where its numbers stand: upper left, lower right
MEANING = {"predictive": "of the runs as measured", "credible": "of the mean curves"}


@register(
    "reliability",
    order=170,
    title="Reliability of the gap risk",
    shows="forecast gap risk of left-out pairs of teachers against how often it came true. Takes "
    "what validate wrote, or a card that ships with a validation.",
    source="validation",
)
def _draw(request: Request) -> Drawing:
    return Drawing(figure_of(reliability(request.subject)), request.subject.notes)


def reliability(validation: Validation, ax: Axes | None = None) -> Axes:
    """Draw observed frequency against forecast probability, bin by bin, with numbers of pairs.

    On the diagonal, what was forecast with 30% came true in 30% of the pairs. The area of a marker
    grows with its pairs; pairs share runs, so that their number overstates what they tell.

    Parameters
    ----------
    validation
        Of a distillation law; its reliability table is drawn.
    ax
        Axes to draw on; by default new ones.

    Raises
    ------
    InputError
        If there are no pairs of teachers, as under a law without teachers.
    """
    if not validation.reliability["pairs"].sum():
        raise InputError(
            f"the validation of {validation.model} holds no pairs of runs that differ in their "
            "teacher alone: there is no gap risk to judge"
        )
    with style.house_style():
        ax = axes_or_new(ax, 8.6, 5.6)
        draw_calibrated(ax)
        table = validation.reliability
        most = int(table["pairs"].max())
        for (kind, side), look in zip(SIDES.items(), style.series(2), strict=True):
            bins = table[(table["band"] == kind) & (table["pairs"] > 0)]
            brier = validation.table.iloc[-1][f"brier_{kind}"]
            ax.plot(
                bins["forecast"],
                bins["observed"],
                color=look.colour,
                linestyle=look.dashes,
                linewidth=1.2,
                marker=look.marker,
                markersize=0.1,
                zorder=3,
                label=f"{kind}: {MEANING[kind]}\n(Brier score {brier:.3f})",
            )
            ax.scatter(
                bins["forecast"],
                bins["observed"],
                s=20 + 180 * (bins["pairs"] / most) ** 0.5,
                color=look.colour,
                marker=look.marker,
                edgecolor="white",
                zorder=3,
            )
            for forecast, observed, pairs in bins[["forecast", "observed", "pairs"]].itertuples(
                index=False
            ):
                ax.annotate(
                    f"{pairs}",
                    (forecast, observed),
                    xytext=(side * 11, -side * 9),
                    textcoords="offset points",
                    ha="left" if side > 0 else "right",
                    va="center",
                    color=look.colour,
                    fontsize=8,
                )
        ax.set(xlim=(-0.14, 1.14), ylim=(-0.1, 1.1), aspect="equal")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_ticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
            axis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
        ax.set_xlabel("forecast probability that the stronger teacher\ngives the worse student")
        ax.set_ylabel("share of the pairs in which it did")
        ax.set_title(f"Gap risk of left-out pairs of teachers, {validation.model}")
        handles = [ax.lines[0]] + [
            style.mark_handle(
                str(line.get_label()),
                marker=look.marker,
                markersize=7,
                color=look.colour,
                markeredgecolor="white",
                linestyle=look.dashes,
                linewidth=1.2,
            )
            for line, look in zip(ax.lines[1:], style.series(2), strict=True)
        ]
        style.legend_beside(ax, handles, "Numbers: pairs in the bin")
    return ax
