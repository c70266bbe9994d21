"""IsoFLOP profiles: loss over student size at fixed budgets, with the best size of each.

Their numbers are those of `predict.isoflop`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_distill._input.numbers import format_quantity
from bayes_distill.plots import style
from bayes_distill.plots.curves import Curve, draw_curve, extrapolation_handle
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.marks import draw_runs, draw_spread, draw_star
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.predict.isoflop import IsoFlop, isoflop

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSS = ("loss_mean", "loss_lower", "loss_upper")


@register(
    "isoflop-profiles",
    order=50,
    title="IsoFLOP profiles",
    shows="loss against student size when a budget goes to the student's training alone, with the "
    "best size; under a free teacher if `teacher_loss` is given.",
    takes=("budget", "params", "teacher_loss", "flops", "draws"),
    needs=(("budget",),),
)
def _draw(request: Request) -> Drawing:
    profiles = isoflop(
        request.subject, **request.options, interval=request.interval, allow_failed=True
    )
    return Drawing(figure_of(isoflop_profiles(profiles, unit=request.unit)), profiles.notes)


def isoflop_profiles(
    profiles: IsoFlop, ax: Axes | None = None, *, unit: str = style.LOSS_UNIT
) -> Axes:
    """Draw loss over student size, one curve a budget, with the interval of the best size.

    Parameters
    ----------
    profiles
        Of one or more budgets.
    ax
        Axes to draw on; by default new ones.
    unit
        Unit of the losses, for the labels.
    """
    with style.house_style():
        ax = axes_or_new(ax)
        ax.set_xscale("log")
        table = profiles.table
        budgets = list(table["budget"].unique())
        looks = style.series(len(budgets))
        has_runs = len(profiles.runs) > 0
        for budget, look in zip(budgets, looks, strict=True):
            curve = table[table["budget"] == budget]
            draw_curve(
                ax,
                Curve.of(curve, "params", LOSS, "extrapolated"),
                look,
                f"{budget:.3g} FLOPs",
            )
            near = profiles.runs[profiles.runs["budget"] == budget]
            draw_runs(ax, near["params"], near["loss"], look, size=4.5)
            best = profiles.optima[profiles.optima["budget"] == budget].iloc[0]
            ends = (best["params_lower"], best["params_upper"])
            draw_spread(ax, ends, best["loss"], look)
            draw_star(ax, best["params_median"], best["loss"], look, size=7, edge=0.4)
        style.count_axis(ax, "x")
        ax.set_xlabel("student size (non-embedding parameters)")
        ax.set_ylabel(style.loss_label("student loss", unit))
        how = (
            "supervised training"
            if profiles.teacher_loss is None
            else f"distilled from a free teacher of loss {style.loss_text(profiles.teacher_loss)}"
        )
        ax.set_title(f"IsoFLOP profiles, {how}")
        handles = []
        for budget, look in zip(budgets, looks, strict=True):
            best = profiles.optima[profiles.optima["budget"] == budget].iloc[0]
            low, middle, high = (
                format_quantity(best[f"params_{end}"]) for end in ("lower", "median", "upper")
            )
            name = f"{format_quantity(budget)}: best {middle} ({low} to {high})"
            handles.append(style.series_handle(look, name, marker=has_runs))
        handles.append(style.interval_handle(profiles.interval))
        handles.append(
            style.mark_handle(
                f"best size, median;\nbar: its {style.interval_name(profiles.interval)}",
                marker="*",
                markersize=10,
            )
        )
        if has_runs:
            handles.append(
                style.mark_handle(
                    "runs within 10% of the budget", marker="o", markerfacecolor="white"
                )
            )
        if bool(table["extrapolated"].any()):
            handles.append(extrapolation_handle())
        style.legend_beside(ax, handles, "Budget (FLOPs), and mean of the loss")
    return ax
