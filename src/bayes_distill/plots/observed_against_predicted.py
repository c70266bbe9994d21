"""Observed against predicted losses, with extrapolation marked, and the residuals below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, InReport, Request, register
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.posterior.shipped import no_runs
from bayes_distill.posterior.stored_runs import COLUMNS, rows_in, runs_of
from bayes_distill.predict.forecast import Forecast, forecast

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

FITTED, INSIDE, OUTSIDE = "fitted", "left out, inside the runs", "left out, outside the runs"
MARKS = {
    FITTED: ("o", "#8a8a94", 3.6, "white"),
    INSIDE: ("^", "#0067a8", 6.0, "#0067a8"),
    OUTSIDE: ("D", "#c8542b", 5.2, "#c8542b"),
}
MOST_BARS = 60  # more would run into each other: one area instead


@register(
    "observed-against-predicted",
    order=60,
    title="Runs against what the fit predicts for them",
    shows="runs against their predictions; those that were not fitted, and those outside the "
    "fitted ones, stand out. By default the fitted runs, or `runs`.",
    takes=("runs",),
    report=InReport(
        caption="Points beyond their bands, above all in rows, are what the law misses.", draws=1000
    ),
)
def _draw(request: Request) -> Drawing:
    compared = observed(
        request.subject,
        **request.options,
        interval=request.interval,
        seed=request.seed,
        allow_failed=True,
    )
    axes = observed_against_predicted(compared, unit=request.unit)
    return Drawing(figure_of(axes), compared.notes)


@dataclass(frozen=True, eq=False)
class Observed:
    """Runs next to their predictions.

    Parameters
    ----------
    table
        One row a run: what identifies it (``params``, ``tokens``, its teacher, ``unique_tokens``),
        ``observed``, ``loss_mean``, ``new_run_lower`` and ``new_run_upper`` of its forecast,
        ``residual`` (observed less mean), ``covered`` (whether the predictive interval holds it),
        ``extrapolated`` and ``where``: fitted, left out inside the runs of the fit, or outside.
    summary
        One row a ``where``: ``runs``, ``coverage`` (share inside the predictive interval),
        ``mean_error`` (mean absolute error), ``worst`` (largest absolute error over the observed
        loss).
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    interval: float
    notes: tuple[str, ...]


def observed(
    posterior: Posterior | str | Path,
    runs: Runs | pd.DataFrame | str | Path | None = None,
    *,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> Observed:
    """Compare runs with a posterior's predictions for them.

    Parameters
    ----------
    posterior, interval, seed, allow_failed
        As in `forecast`.
    runs
        Runs, a table of them, or the name of a named table. By default those that were fitted.

    Raises
    ------
    InputError
        If there are no runs, or a cell of their table is at fault.
    """
    from bayes_distill.runs import Runs, read_runs

    loaded = load_posterior(posterior, allow_failed=allow_failed)
    fitted = runs_of(loaded)
    if runs is not None:
        frame = (runs if isinstance(runs, Runs) else read_runs(runs)).frame
    elif fitted is not None:
        frame = fitted
    else:
        raise no_runs(loaded, "this shows them (or name others with `runs`)")
    frame = frame[[name for name in COLUMNS if name in frame]].reset_index(drop=True)
    if "teacher_loss" in frame and "teacher_params" in frame:  # a measured loss comes first
        measured = frame["teacher_loss"].notna()
        frame.loc[measured, ["teacher_params", "teacher_tokens"]] = np.nan
    if not loaded.law.knows_repeats:  # it takes every token for a new one
        frame = frame.drop(columns="unique_tokens", errors="ignore")
    predicted = forecast(
        loaded,
        at=frame.drop(columns="loss"),
        interval=interval,
        seed=seed,
        allow_failed=allow_failed,
    )
    table = _compared(frame, predicted)
    among = rows_in(frame, fitted)
    table["where"] = np.where(among, FITTED, np.where(table["extrapolated"], OUTSIDE, INSIDE))
    return Observed(table, _summary(table), interval, predicted.notes)


def _compared(runs: pd.DataFrame, predicted: Forecast) -> pd.DataFrame:
    table = runs.rename(columns={"loss": "observed"})
    table["loss_mean"] = predicted.table["loss_mean"]
    for end in ("lower", "upper"):
        table[f"new_run_{end}"] = predicted.table[f"new_run_{end}"]
    table["residual"] = table["observed"] - table["loss_mean"]
    ends = table["new_run_lower"], table["new_run_upper"]
    return table.assign(
        covered=table["observed"].between(*ends), extrapolated=predicted.table["outside"]
    )


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for where in (FITTED, INSIDE, OUTSIDE):
        rows = table[table["where"] == where]
        if len(rows):
            error = rows["residual"].abs()
            parts.append(
                {
                    "where": where,
                    "runs": len(rows),
                    "coverage": float(rows["covered"].mean()),
                    "mean_error": float(error.mean()),
                    "worst": float((error / rows["observed"]).max()),
                }
            )
    return pd.DataFrame(parts)


def observed_against_predicted(
    compared: Observed, axes: np.ndarray | None = None, *, unit: str = style.LOSS_UNIT
) -> np.ndarray:
    """Draw runs over their predictions, and the residuals; runs that were not fitted stand out.

    Parameters
    ----------
    compared
        Runs next to their predictions.
    axes
        Two axes: observed against predicted, and the residuals. By default new ones.
    unit
        Unit of the losses, for the labels.
    """
    with style.house_style():
        if axes is None:
            axes = new_figure(9.6, 7.4).subplots(
                2, 1, sharex=True, gridspec_kw={"height_ratios": [1.5, 1]}
            )
        top, bottom = np.asarray(axes).reshape(2)
        table, summary = compared.table, compared.summary.set_index("where")
        ends = [
            table[["loss_mean", "observed"]].to_numpy().min(),
            table[["loss_mean", "observed"]].to_numpy().max(),
        ]
        top.plot(ends, ends, color=style.MUTED, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
        bottom.axhline(0, color=style.MUTED, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
        handles = []
        for where, (marker, edge, size, face) in MARKS.items():
            rows = table[table["where"] == where]
            if rows.empty:
                continue
            mean = rows["loss_mean"].to_numpy()
            reach = np.abs(rows[["new_run_lower", "new_run_upper"]].to_numpy().T - mean)
            fitted = where == FITTED
            look = {
                "marker": marker,
                "markersize": size,
                "markerfacecolor": face,
                "markeredgecolor": edge,
                "markeredgewidth": 0.8,
                "linestyle": "none",
            }
            order = 2 if fitted else 3
            top.plot(mean, rows["observed"], zorder=order, **look)
            # the interval belongs to the prediction: it stands around zero residual
            if len(rows) > MOST_BARS:
                rank = mean.argsort()
                bottom.fill_between(
                    mean[rank], -reach[0, rank], reach[1, rank], color=edge, alpha=0.2, linewidth=0
                )
            else:
                bottom.errorbar(
                    mean,
                    np.zeros(len(rows)),
                    yerr=reach,
                    fmt="none",
                    ecolor=edge,
                    alpha=0.35,
                    elinewidth=3.4,
                    zorder=1.5,
                )
            bottom.plot(mean, rows["residual"], zorder=order, **look)
            s = summary.loc[where]
            handles.append(
                style.mark_handle(
                    f"{where}: {s['runs']:.0f} runs,\n{100 * s['coverage']:.0f}% inside the "
                    f"predictive band,\nmean error {s['mean_error']:.4f}, "
                    f"worst {100 * s['worst']:.2f}%",
                    **look,
                )
            )
        handles.append(style.interval_handle(compared.interval, "predictive"))
        handles.append(
            style.mark_handle("observed = predicted", linestyle=(0, (4, 3)), linewidth=1)
        )
        top.set_ylabel(style.loss_label("observed loss", unit))
        bottom.set_ylabel(f"observed less predicted\n({unit})")
        bottom.set_xlabel(style.loss_label("predicted loss, posterior mean", unit))
        style.legend_beside(top, handles)
    return np.asarray(axes)
