"""Observed against predicted losses, with extrapolation marked, and the residuals below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill.plots import style

if TYPE_CHECKING:
    from bayes_distill.views.observed import Observed

MARKS = {
    "fitted": ("o", "#8a8a94", 3.6, "white"),
    "left out, inside the runs": ("^", "#0067a8", 6.0, "#0067a8"),
    "left out, outside the runs": ("D", "#c8542b", 5.2, "#c8542b"),
}
MOST_BARS = 60  # more would run into each other: a band instead


def observed_against_predicted(
    observed: Observed, axes: np.ndarray | None = None, *, unit: str = style.LOSS_UNIT
) -> np.ndarray:
    """Draw runs over their predictions, and what is left; runs outside the fit stand out.

    Parameters
    ----------
    observed
        Runs next to their predictions.
    axes
        Two axes: observed against predicted, and the residuals. By default new ones.
    unit
        Unit of the losses, for the labels.
    """
    with style.house_style():
        if axes is None:
            axes = style.new_figure(9.6, 7.4).subplots(
                2, 1, sharex=True, gridspec_kw={"height_ratios": [1.5, 1]}
            )
        top, bottom = np.asarray(axes).reshape(2)
        table, summary = observed.table, observed.summary.set_index("where")
        ends = [
            table[["loss_mean", "observed"]].to_numpy().min(),
            table[["loss_mean", "observed"]].to_numpy().max(),
        ]
        top.plot(ends, ends, color=style.MUTED, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
        bottom.axhline(0, color=style.MUTED, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
        handles = []
        for where, (marker, edge, size, face) in MARKS.items():
            mine = table[table["where"] == where]
            if mine.empty:
                continue
            mean = mine["loss_mean"].to_numpy()
            reach = np.abs(mine[["new_run_lower", "new_run_upper"]].to_numpy().T - mean)
            fitted = where == "fitted"
            look = {
                "marker": marker,
                "markersize": size,
                "markerfacecolor": face,
                "markeredgecolor": edge,
                "markeredgewidth": 0.8,
                "linestyle": "none",
            }
            order = 2 if fitted else 3
            top.plot(mean, mine["observed"], zorder=order, **look)
            # the band belongs to the prediction: it stands around zero residual
            if len(mine) > MOST_BARS:
                rank = mean.argsort()
                bottom.fill_between(
                    mean[rank], -reach[0, rank], reach[1, rank], color=edge, alpha=0.2, linewidth=0
                )
            else:
                bottom.errorbar(
                    mean,
                    np.zeros(len(mine)),
                    yerr=reach,
                    fmt="none",
                    ecolor=edge,
                    alpha=0.35,
                    elinewidth=3.4,
                    zorder=1.5,
                )
            bottom.plot(mean, mine["residual"], zorder=order, **look)
            s = summary.loc[where]
            handles.append(
                style.mark_handle(
                    f"{where}: {s['runs']:.0f} runs,\n{100 * s['held']:.0f}% inside the predictive "
                    f"band,\nmean error {s['mean_error']:.4f}, worst {100 * s['worst']:.2f}%",
                    **look,
                )
            )
        handles.append(style.band_handle(observed.interval, "predictive"))
        handles.append(
            style.mark_handle("observed = predicted", linestyle=(0, (4, 3)), linewidth=1)
        )
        top.set_ylabel(style.loss_label("observed loss", unit))
        bottom.set_ylabel(f"observed less predicted\n({unit})")
        bottom.set_xlabel(style.loss_label("predicted loss, posterior mean", unit))
        style.legend_beside(top, handles)
    return np.asarray(axes)
