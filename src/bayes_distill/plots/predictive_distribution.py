"""Losses of replicated tables of runs, from the prior or the posterior, over the real ones.

Their numbers are those of `checking.predictive`.
"""

from __future__ import annotations

from typing import Any, Literal

import arviz_plots

from bayes_distill.checking.predictive import (
    PosteriorPredictive,
    PriorPredictive,
    posterior_predictive,
    prior_predictive,
)
from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of_collection
from bayes_distill.plots.registry import Drawing, Request, register

PRIOR_WIDTH = 4.0  # times the largest loss: how far a prior predictive is drawn


@register(
    "prior-predictive",
    order=110,
    title="Prior predictive check",
    shows="losses that the prior foresaw for these runs, and the real ones. Needs runs.",
)
def _draw_prior(request: Request) -> Drawing:
    checked = prior_predictive(request.subject, interval=request.interval, seed=request.seed)
    return _drawing(checked, request)


@register(
    "posterior-predictive",
    order=120,
    title="Posterior predictive check",
    shows="losses of tables of runs replicated from the fit, and the real ones. Needs runs.",
)
def _draw_posterior(request: Request) -> Drawing:
    checked = posterior_predictive(request.subject, interval=request.interval, seed=request.seed)
    return _drawing(checked, request)


def _drawing(checked: PriorPredictive | PosteriorPredictive, request: Request) -> Drawing:
    collection = predictive_distribution(checked, unit=request.unit)
    return Drawing(figure_of_collection(collection), request.subject.warnings)


def predictive_distribution(
    checked: PriorPredictive | PosteriorPredictive, draws: int = 60, *, unit: str = style.LOSS_UNIT
) -> Any:
    """Draw the losses of replicated tables of runs over the real ones (`plot_ppc_dist`).

    Parameters
    ----------
    checked
        A predictive check.
    draws
        Replicated tables to show.
    unit
        Unit of the losses, for the labels.

    Returns
    -------
    arviz_plots.PlotCollection
        Its figure is ``.viz["figure"].item()``.
    """
    before = "prior_predictive" in checked.tree
    group: Literal["prior_predictive", "posterior_predictive"] = (
        "prior_predictive" if before else "posterior_predictive"
    )
    with style.house_style():
        collection = arviz_plots.plot_ppc_dist(
            checked.tree,
            var_names=["loss"],
            group=group,
            num_samples=draws,
            backend="matplotlib",
            kind="ecdf" if before else "kde",
            figure_kwargs={"figsize": (9.6, 4.8), "layout": "constrained"},
            visuals={
                "predictive_dist": {"color": style.REPLICATED, "alpha": 0.25},
                "observed_dist": {"color": style.INK, "width": 2.4},
                "title": False,
            },
        )
        ax = collection.viz["plot"]["loss"].item()
        name = "Prior" if before else "Posterior"
        ax.set_title(f"{name} predictive distribution of the losses of these runs")
        ax.set_xlabel(style.loss_label("loss", unit))
        ax.set_ylabel("share of the runs below" if before else "density of the runs' losses")
        ax.set_ylim(bottom=0)
        if before:  # a few prior draws reach far; what matters is how far most of them do
            ax.set_xlim(0, PRIOR_WIDTH * float(checked.table["loss"].max()))
        source = "the prior" if before else "the fit"
        style.legend_beside(
            ax,
            [
                style.mark_handle("real runs", linestyle="-", color=style.INK, linewidth=2.4),
                style.mark_handle(
                    f"{draws} tables of such runs\nreplicated from {source}",
                    linestyle="-",
                    color=style.REPLICATED,
                    alpha=0.5,
                ),
            ],
        )
    return collection
