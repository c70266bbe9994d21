"""Predictive checks and sensitivity, drawn by ArviZ from results that exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayes_distill.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.checking.pit import LeaveOneOutPit
    from bayes_distill.checking.power_scaling import Sensitivity
    from bayes_distill.checking.predictive import PosteriorPredictive, PriorPredictive

REPLICATED, REAL = "#0067a8", style.INK
# hundreds of runs: reweighting draws for a power further from 1 leaves a handful of them
POWERS = (0.95, 1.05)
PRIOR_WIDTH = 4.0  # times the largest loss: how far a prior predictive is drawn


def predictive_distribution(
    checked: PriorPredictive | PosteriorPredictive, draws: int = 60, *, unit: str = style.LOSS_UNIT
) -> Any:
    """Draw the losses of replicated tables of runs over the real ones (`plot_ppc_dist`).

    `unit` is of the losses. Returns ArviZ's `PlotCollection`; its figure is
    ``.viz["figure"].item()``.
    """
    import arviz_plots

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
                "predictive_dist": {"color": REPLICATED, "alpha": 0.25},
                "observed_dist": {"color": REAL, "width": 2.4},
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
        told = "the prior" if before else "the fit"
        style.legend_beside(
            ax,
            [
                style.mark_handle("real runs", linestyle="-", color=REAL, linewidth=2.4),
                style.mark_handle(
                    f"{draws} tables of such runs\nreplicated from {told}",
                    linestyle="-",
                    color=REPLICATED,
                    alpha=0.5,
                ),
            ],
        )
    return collection


def loo_pit(checked: LeaveOneOutPit) -> Any:
    """Draw the runs' LOO-PITs against uniform ones (`plot_ecdf_pit`); see there for the marks.

    Returns ArviZ's `PlotCollection`.
    """
    import arviz_plots

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


def power_scaling(sensitivity: Sensitivity, names: Sequence[str] | None = None) -> Any:
    """Draw how answers move as prior and likelihood are scaled (`plot_psense_dist`).

    `names` are of the answers; by default the three most sensitive to the prior. Returns ArviZ's
    `PlotCollection`.
    """
    import arviz_plots

    table = sensitivity.table
    worst = table.nlargest(3, "prior")["name"]
    chosen = table.set_index("name").loc[list(worst if names is None else names), "variable"]
    with style.house_style():
        return arviz_plots.plot_psense_dist(
            sensitivity.tree,
            alphas=POWERS,
            var_names=list(chosen),
            prior_var_names=list(sensitivity.sites),
            backend="matplotlib",
            figure_kwargs={"figsize": (9.6, 2.8 * len(chosen)), "layout": "constrained"},
        )


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
            down = -(-len(rows) // 3)
            axes = style.new_figure(10.5, 0.6 + 2.4 * down).subplots(down, 3)
            axes.reshape(-1)[0].figure.legend(
                handles=[
                    Patch(facecolor=REPLICATED, alpha=0.45, label="replicated runs"),
                    style.mark_handle("real runs (posterior mean)", linestyle="-", color=REAL),
                ],
                loc="outside upper left",
                ncols=2,
            )
        flat: list[Axes] = list(np.atleast_1d(np.asarray(axes)).reshape(-1))
        for ax in flat[len(rows) :]:
            ax.set_axis_off()
        for ax, row in zip(flat, rows, strict=False):
            new = checked.draws["replicated"].sel(quantity=row["name"])
            ax.grid(visible=False)
            ax.hist(new, bins=40, color=REPLICATED, alpha=0.45)
            ax.axvline(row["observed_mean"], color=REAL, linewidth=2)
            review = "  REVIEW" if row["verdict"] == "review" else ""
            said = f"P(larger) {row['p_larger']:.3f}{review}"
            ax.set_title(f"{row['name'].replace('_', ' ')}\n{said}", fontsize=9)
            ax.set_yticks([])
            style.plain_ticks(ax.xaxis, 4)
            ax.spines["left"].set_visible(False)
    return np.asarray(axes)
