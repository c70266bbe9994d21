"""Arms along compute: the loss of each, and how far each is from the best one at a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill._input.numbers import format_quantity
from bayes_distill.comparison.arms_card import FLOPS, arm_columns, arms_of
from bayes_distill.errors import InputError
from bayes_distill.plots import style
from bayes_distill.plots.drawing import LOSS_UNIT
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.predict.points import quantities
from bayes_distill.predict.verdicts import law_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.posterior import Posterior

POINTS = 60
BEYOND = 3.0  # times the compute of the point to which curves go


@register(
    "arms-along-compute",
    order=168,
    title="Arms along compute",
    shows="the loss of each arm against compute at the tokens per parameter of a point, and how "
    "far it is from the arm that is best there. Takes a fit of `arms`.",
    takes=("params", "tokens"),
    needs=(("params",), ("tokens",)),
)
def _draw(request: Request) -> Drawing:
    params, tokens = (quantities(str(request.options[n]))[0] for n in ("params", "tokens"))
    posterior = request.subject
    axes = arms_along_compute(
        posterior, params, tokens, interval=request.interval, unit=request.unit
    )
    return Drawing(figure_of(axes), law_notes(posterior))


def arms_along_compute(
    posterior: Posterior,
    params: float,
    tokens: float,
    *,
    interval: float = 0.9,
    unit: str = LOSS_UNIT,
) -> tuple[Axes, Axes]:
    """Draw the arms of a fit of `arms` from its cheapest run to beyond a point.

    Parameters
    ----------
    posterior
        The fit of the arms.
    params, tokens
        The point; curves have its tokens per parameter.
    interval
        Probability inside the bands, about the mean curves.
    unit
        Of the losses.

    Raises
    ------
    InputError
        If the posterior is not of arms.
    """
    names = arms_of(posterior.card)
    if not names:
        raise InputError(
            f"{posterior.card.name} is no fit of arms: `arms(RUNS, by, at).posterior` is one"
        )
    columns = arm_columns(len(names))
    runs = posterior.tree["runs"].dataset if "runs" in posterior.tree.children else None
    there = FLOPS * params * tokens
    least, most = there / 100, there
    if runs is not None:
        spent = FLOPS * runs["params"].to_numpy() * runs["tokens"].to_numpy()
        least, most = float(spent.min()), float(spent.max())
    flops = np.geomspace(min(least, there), BEYOND * max(most, there), POINTS)
    root = np.sqrt(flops / there)
    levels = [(1 - interval) / 2, (1 + interval) / 2]
    curves = {
        name: posterior.supervised_loss(
            params * root,
            tokens * root,
            inputs={c: np.full(POINTS, float(c == column)) for c in columns},
        )
        for column, name in zip(columns, names, strict=True)
    }
    at = int(np.abs(np.log(flops / there)).argmin())
    best = min(names, key=lambda name: float(curves[name][:, at].mean()))
    with style.house_style():
        figure = new_figure(7.6, 6.8)
        above, below = figure.subplots(2, 1, sharex=True)
        for name, column, look in zip(names, columns, style.series(len(names)), strict=True):
            for axes, values in ((above, curves[name]), (below, curves[name] - curves[best])):
                if axes is below and name == best:
                    continue
                axes.fill_between(
                    flops, *np.quantile(values, levels, axis=0), color=look.colour, alpha=0.2, lw=0
                )
                axes.plot(
                    flops, values.mean(axis=0), color=look.colour, linestyle=look.dashes, label=name
                )
            if runs is not None:
                ratio = runs["tokens"] / runs["params"] / (tokens / params)
                own = (runs[column].to_numpy() > 0) & (
                    np.abs(np.log(ratio.to_numpy())) < np.log(1.5)
                )
                above.plot(
                    spent[own],
                    runs["loss"].to_numpy()[own],
                    linestyle="none",
                    marker=look.marker,
                    markerfacecolor="white",
                    markeredgecolor=look.colour,
                )
        below.axhline(0, color="black", linewidth=0.8)
        for axes in (above, below):
            axes.axvline(there, color=style.FAINT, linestyle=":")
            if most < flops[-1]:
                axes.axvspan(most, flops[-1], color=style.FAINT, alpha=0.12, lw=0)
        above.set(xscale="log", ylabel=f"loss ({unit})")
        above.set_title(
            f"{format_quantity(tokens / params)} tokens per parameter; dotted: "
            f"{format_quantity(params)} parameters on {format_quantity(tokens)} tokens"
        )
        handles, _ = above.get_legend_handles_labels()
        style.legend_beside(
            above,
            handles,
            f"Mean and {100 * interval:g}%\ncredible band;\nmarks: runs near\nthis ratio;\n"
            "shaded: beyond\nthe runs",
        )
        below.set(xlabel="compute (FLOPs)", ylabel=f"loss above that of {best}")
    return above, below
