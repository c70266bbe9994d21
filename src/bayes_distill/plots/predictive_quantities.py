"""Test quantities of replicated tables of runs, and of the real one.

Their numbers are those of `checking.predictive` and `inference.quantities`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill.checking.predictive import PosteriorPredictive, posterior_predictive
from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, Request, register

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3


@register(
    "predictive-quantities",
    order=130,
    title="Signs of a wrong law",
    shows="signs of a wrong law (trends, spread, best teachers), in tables of runs replicated from "
    "the fit and in the real one. Needs runs.",
)
def _draw(request: Request) -> Drawing:
    checked = posterior_predictive(request.subject, interval=request.interval, seed=request.seed)
    return Drawing(figure_of(predictive_quantities(checked)), request.subject.warnings)


def predictive_quantities(
    checked: PosteriorPredictive, axes: np.ndarray | None = None
) -> np.ndarray:
    """Draw each test quantity of the replicated runs, and the real one's mean as a line.

    Parameters
    ----------
    checked
        The posterior predictive check.
    axes
        As many axes as there are quantities, or more; by default new ones.
    """
    from matplotlib.patches import Patch

    rows = checked.table.to_dict("records")
    with style.house_style():
        if axes is None:
            down = -(-len(rows) // COLUMNS)
            axes = new_figure(10.5, 0.6 + 2.4 * down).subplots(down, COLUMNS)
            axes.reshape(-1)[0].figure.legend(
                handles=[
                    Patch(facecolor=style.REPLICATED, alpha=0.45, label="replicated runs"),
                    style.mark_handle("real runs (posterior mean)", linestyle="-", color=style.INK),
                ],
                loc="outside upper left",
                ncols=2,
            )
        flat: list[Axes] = list(np.atleast_1d(np.asarray(axes)).reshape(-1))
        for ax in flat[len(rows) :]:
            ax.set_axis_off()
        for ax, row in zip(flat, rows, strict=False):
            replicated = checked.draws["replicated"].sel(quantity=row["name"])
            ax.grid(visible=False)
            ax.hist(replicated, bins=40, color=style.REPLICATED, alpha=0.45)
            ax.axvline(row["observed_mean"], color=style.INK, linewidth=2)
            review = "  REVIEW" if row["verdict"] == "review" else ""
            p = f"P(larger) {row['p_larger']:.3f}{review}"
            ax.set_title(f"{row['name'].replace('_', ' ')}\n{p}", fontsize=9)
            ax.set_yticks([])
            style.plain_ticks(ax.xaxis, 4)
            ax.spines["left"].set_visible(False)
    return np.asarray(axes)
