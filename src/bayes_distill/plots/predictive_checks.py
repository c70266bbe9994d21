"""Predictive checks and sensitivity, drawn by ArviZ from results that exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.checking.pit import LeaveOneOutPit
    from bayes_distill.checking.power_scaling import Sensitivity
    from bayes_distill.checking.predictive import PosteriorPredictive, PriorPredictive

REPLICATED, REAL = "#0067a8", "#17173a"
PRIOR_WIDTH = 4.0  # times the largest loss: how far a prior predictive is drawn


def predictive_distribution(checked: PriorPredictive | PosteriorPredictive, draws: int = 60) -> Any:
    """Draw the losses of replicated tables of runs over the real ones (`plot_ppc_dist`).

    Returns ArviZ's `PlotCollection`; its figure is ``.viz["figure"].item()``.
    """
    import arviz_plots

    before = "prior_predictive" in checked.tree
    group: Literal["prior_predictive", "posterior_predictive"] = (
        "prior_predictive" if before else "posterior_predictive"
    )
    collection = arviz_plots.plot_ppc_dist(
        checked.tree, var_names=["loss"], group=group, num_samples=draws, backend="matplotlib",
        kind="ecdf" if before else "kde", figure_kwargs={"figsize": (8, 4.5)},
        visuals={
            "predictive_dist": {"color": REPLICATED, "alpha": 0.2},
            "observed_dist": {"color": REAL},
            "title": False,
        },
    )  # fmt: skip
    ax = collection.viz["plot"]["loss"].item()
    name = "Prior" if before else "Posterior"
    ax.set_title(f"{name} predictive: {draws} tables of runs (thin), and the real one (dark)")
    ax.set_xlabel("loss")
    if before:  # a few prior draws reach far; what matters is how far most of them do
        ax.set_xlim(0, PRIOR_WIDTH * float(checked.table["loss"].max()))
    return collection


def loo_pit(checked: LeaveOneOutPit) -> Any:
    """Draw the runs' LOO-PITs against uniform ones (`plot_ecdf_pit`); see there for the marks.

    Returns ArviZ's `PlotCollection`.
    """
    import arviz_plots

    collection = arviz_plots.plot_ecdf_pit(
        checked.tree, var_names=["loss"], group="loo_pit", sample_dims=["run"], method="pot_c",
        backend="matplotlib", figure_kwargs={"figsize": (8, 4)},
        visuals={"title": False, "p_value_text": False},
    )  # fmt: skip
    ax = collection.viz["plot"]["loss"].item()
    ax.set_title(f"LOO-PIT of {len(checked.table)} runs: p of uniform {checked.p_uniform:.2g}")
    ax.set_xlabel("place of a run in what the others lead to expect (LOO-PIT)")
    ax.set_ylabel("share of runs below, less the place")
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
    return arviz_plots.plot_psense_dist(
        sensitivity.tree, var_names=list(chosen), prior_var_names=list(sensitivity.sites),
        backend="matplotlib",
        figure_kwargs={"figsize": (9, 2.8 * len(chosen)), "layout": "constrained"},
    )  # fmt: skip


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
    import matplotlib.pyplot as plt

    rows = checked.table.to_dict("records")
    if axes is None:
        down = -(-len(rows) // 3)
        _, axes = plt.subplots(down, 3, figsize=(10.5, 2.5 * down), layout="constrained")
    flat: list[Axes] = list(np.atleast_1d(np.asarray(axes)).reshape(-1))
    for ax in flat[len(rows) :]:
        ax.set_axis_off()
    for ax, row in zip(flat, rows, strict=False):
        new = checked.draws["replicated"].sel(quantity=row["name"])
        ax.hist(new, bins=40, color=REPLICATED, alpha=0.45, label="replicated")
        ax.axvline(row["observed"], color=REAL, linewidth=2, label="real (mean)")
        ax.set_title(row["name"].replace("_", " "), fontsize=10, loc="left")
        ax.set_title(f"P(larger) {row['p']:.3f}", fontsize=9, loc="right",
                     color="#c8542b" if row["verdict"] == "review" else "0.3")  # fmt: skip
        ax.set_yticks([])
        ax.spines[["top", "right", "left"]].set_visible(False)
    flat[0].legend(frameon=False, fontsize=8)
    return np.asarray(axes)
