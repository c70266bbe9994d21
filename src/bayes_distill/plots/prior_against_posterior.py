"""Prior against posterior of every coefficient: how far the runs moved it.

Their numbers are those of `identification.identifiability`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bayes_distill.identification.identifiability import Identifiability, identifiability
from bayes_distill.identification.variables import on_real_line
from bayes_distill.plots import style
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.registry import Drawing, Request, register

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRIOR, IDENTIFIED, UNIDENTIFIED = style.FAINT, "#0067a8", "#d3a23a"
MEANING = {"sampled": "sampled coordinates", "published": "published coefficients"}
WIDEST = 4.0  # prior standard deviations to either side


@register(
    "prior-against-posterior",
    order=90,
    title="Prior against posterior",
    shows="how far the runs moved every sampled coordinate, in standard deviations of its prior. "
    "Needs runs.",
)
def _draw(request: Request) -> Drawing:
    report = identifiability(
        request.subject, interval=request.interval, seed=request.seed, allow_failed=True
    )
    return Drawing(figure_of(prior_against_posterior(report)), report.notes)


def prior_against_posterior(
    report: Identifiability,
    kind: Literal["sampled", "published"] = "sampled",
    ax: Axes | None = None,
) -> Axes:
    """Draw prior and posterior of every coefficient of one kind, in prior standard deviations.

    Parameters
    ----------
    report
        Of a fit.
    kind
        Sampled coordinates or published coefficients.
    ax
        Axes to draw on; by default new ones.
    """
    from matplotlib.patches import Patch

    variables = report.variables[kind]
    names = variables.names[::-1]  # the first on top
    identified = report.table.set_index("name")["identified"]
    tails = [(1 - report.interval) / 2, (1 + report.interval) / 2]
    with style.house_style():
        ax = axes_or_new(ax, 10.2, 1.4 + 0.34 * len(names))
        ax.grid(visible=False)
        ax.axvline(0, color=style.FAINT, linewidth=0.8, zorder=0)
        for place, name in enumerate(names):
            support = variables.supports[name]
            before, after = (
                on_real_line(draws[name], support)
                for draws in (variables.prior, variables.posterior)
            )
            centre, unit = before.mean(), before.std()
            sure = bool(identified.get(name, False))
            for draws, colour in ((before, PRIOR), (after, IDENTIFIED if sure else UNIDENTIFIED)):
                shape = ax.violinplot(
                    (draws - centre) / unit,
                    [place],
                    orientation="horizontal",
                    widths=0.85,
                    showextrema=False,
                    points=200,
                )
                for body in list(shape["bodies"]):  # type: ignore[call-overload]
                    body.set(facecolor=colour, edgecolor="none", alpha=0.75)
            low, middle, high = (
                (np.quantile(after, share) - centre) / unit for share in (tails[0], 0.5, tails[1])
            )
            ax.plot(
                [low, high], [place, place], color=style.INK, linewidth=1.6, solid_capstyle="butt"
            )
            ax.plot(
                middle,
                place,
                marker="o" if sure else "D",
                color="white",
                markeredgecolor=style.INK,
                markersize=4,
            )
        ax.set_yticks(range(len(names)), names)
        ax.set_xlim(-WIDEST, WIDEST)
        ax.set_ylim(-0.7, len(names) - 0.3)
        ax.set_xlabel(
            "standard deviations of the prior from its mean, of the logarithm\n"
            "(of log odds for what lies between 0 and 1)"
        )
        ax.set_title(f"What the runs told: {MEANING[kind]} before and after")
        dot = {"linestyle": "-", "color": style.INK, "markerfacecolor": "white", "markersize": 4}
        style.legend_beside(
            ax,
            [
                Patch(facecolor=PRIOR, label="prior"),
                Patch(facecolor=IDENTIFIED, alpha=0.75, label="posterior, known from the runs"),
                Patch(facecolor=UNIDENTIFIED, alpha=0.75, label="posterior, not known from them"),
                style.mark_handle(
                    f"known: median, {style.percent(report.interval)}\n"
                    "credible interval, equal-tailed",
                    marker="o",
                    **dot,
                ),
                style.mark_handle("the same, not known", marker="D", **dot),
            ],
        )
    return ax
