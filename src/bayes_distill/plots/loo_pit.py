"""LOO-PITs of the runs against uniform ones.

Their numbers are those of `checking.pit`.
"""

from __future__ import annotations

from typing import Any

import arviz_plots

from bayes_distill.checking.pit import LeaveOneOutPit, leave_one_out_pit
from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of_collection
from bayes_distill.plots.registry import Drawing, Request, register


@register(
    "loo-pit",
    order=140,
    title="LOO-PIT",
    shows="where each run falls in what the others lead to expect. Needs runs.",
)
def _draw(request: Request) -> Drawing:
    collection = loo_pit(leave_one_out_pit(request.subject, seed=request.seed))
    return Drawing(figure_of_collection(collection), request.subject.warnings)


def loo_pit(checked: LeaveOneOutPit) -> Any:
    """Draw the runs' LOO-PITs against uniform ones (`plot_ecdf_pit`); see there for the marks.

    Parameters
    ----------
    checked
        The LOO-PITs of a fit.

    Returns
    -------
    arviz_plots.PlotCollection
        Its figure is ``.viz["figure"].item()``.
    """
    with style.house_style():
        collection = arviz_plots.plot_ecdf_pit(
            checked.tree,
            var_names=["loss"],
            group="loo_pit",
            sample_dims=["run"],
            method="pot_c",
            backend="matplotlib",
            figure_kwargs={"figsize": (9.6, 4.4), "layout": "constrained"},
            visuals={"title": False, "p_value_text": False},
        )
        ax = collection.viz["plot"]["loss"].item()
        ax.set_title(
            f"LOO-PIT of {len(checked.table)} runs: flat if bands are right "
            f"(p of uniform {checked.p_uniform:.2g})"
        )
        ax.set_xlabel("place of a run in what the others lead to expect (LOO-PIT)")
        ax.set_ylabel("share of the runs below, less the place")
    return collection
