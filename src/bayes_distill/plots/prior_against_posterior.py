"""Prior against posterior of every coefficient: how far the runs moved it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bayes_distill.identify.variables import on_real_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.identify.report import Identifiability

PRIOR, KNOWN, UNKNOWN = "#b9b9c2", "#0067a8", "#c8542b"
WIDEST = 4.0  # prior standard deviations to either side


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
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    variables = report.variables[kind]
    names = variables.names[::-1]  # the first on top
    if ax is None:
        _, ax = plt.subplots(figsize=(8.5, 1.2 + 0.42 * len(names)), layout="constrained")
    told = report.table.set_index("name")["identified"]
    tails = [(1 - report.interval) / 2, (1 + report.interval) / 2]
    for place, name in enumerate(names):
        support = variables.supports[name]
        before, after = (
            on_real_line(draws[name], support) for draws in (variables.prior, variables.posterior)
        )
        centre, unit = before.mean(), before.std()
        colour = KNOWN if told.get(name, False) else UNKNOWN
        for draws, shade in ((before, PRIOR), (after, colour)):
            scaled = (draws - centre) / unit
            shape = ax.violinplot(
                scaled, [place], orientation="horizontal", widths=0.85,
                showextrema=False, points=200,
            )  # fmt: skip
            for body in list(shape["bodies"]):  # type: ignore[call-overload]
                body.set(facecolor=shade, edgecolor="none", alpha=0.75)
        low, high = np.quantile((after - centre) / unit, tails)
        ax.plot([low, high], [place, place], color="#17173a", linewidth=1.6, solid_capstyle="butt")
        ax.plot((np.median(after) - centre) / unit, place, marker="o", color="white",
                markeredgecolor="#17173a", markersize=4)  # fmt: skip
    ax.set_yticks(range(len(names)), names)
    ax.set_xlim(-WIDEST, WIDEST)
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.set_xlabel("prior standard deviations from the prior's mean (logarithm; log odds of shares)")
    ax.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(
        handles=[
            Patch(facecolor=PRIOR, label="prior"),
            Patch(facecolor=KNOWN, alpha=0.75, label="posterior, identified"),
            Patch(facecolor=UNKNOWN, alpha=0.75, label="posterior, not identified"),
            Line2D([], [], color="#17173a", marker="o", markerfacecolor="white", markersize=4,
                   label=f"median and {100 * report.interval:g}% credible interval"),
        ],
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9,
    )  # fmt: skip
    return ax
