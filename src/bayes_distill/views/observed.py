"""Observed losses of runs against what a posterior predicts for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.posterior.shipped import no_runs
from bayes_distill.posterior.stored_runs import COLUMNS, rows_in, runs_of
from bayes_distill.predict.forecast import forecast

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

FITTED, INSIDE, OUTSIDE = "fitted", "left out, inside the runs", "left out, outside the runs"


@dataclass(frozen=True)
class Observed:
    """Runs next to their predictions.

    Parameters
    ----------
    table
        One row a run: ``observed``, ``mean`` and the bands of a forecast, ``residual`` (observed
        less mean), ``inside`` (whether the predictive band holds it) and ``where``: fitted, left
        out inside the runs of the fit, or left out outside them.
    summary
        One row a ``where``: ``runs``, ``held`` (share inside the predictive band), ``mean_error``
        (mean absolute error), ``worst`` (largest absolute error over the observed loss).
    interval
        Probability inside every band.
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
    """Hold runs against a posterior's predictions for them.

    Parameters
    ----------
    posterior
        A `Posterior`, a file written by `fit`, or a card's name.
    runs
        Runs, a table of them, or the name of a named table. By default those that were fitted.
    interval, seed, allow_failed
        As in `forecast`.

    Raises
    ------
    InputError
        If there are no runs, or a cell of their table is at fault.
    """
    from bayes_distill.runs import Runs, read_runs

    loaded = load_posterior(posterior, allow_failed=allow_failed)
    fitted = runs_of(loaded)
    if runs is None:
        if fitted is None:
            raise no_runs(loaded, "this shows them (or name others with `runs`)")
        frame = fitted
    else:
        frame = (runs if isinstance(runs, Runs) else read_runs(runs)).frame
    frame = frame[[n for n in COLUMNS if n in frame]].reset_index(drop=True)
    if "teacher_loss" in frame and "teacher_params" in frame:  # a loss that was measured goes first
        known = frame["teacher_loss"].notna()
        frame.loc[known, ["teacher_params", "teacher_tokens"]] = np.nan
    if not loaded.law.knows_repeats:  # it takes every token for a new one
        frame = frame.drop(columns="unique_tokens", errors="ignore")
    found = forecast(
        loaded,
        at=frame.drop(columns="loss"),
        interval=interval,
        seed=seed,
        allow_failed=allow_failed,
    )
    table = found.table
    table.insert(0, "observed", frame["loss"].to_numpy(float))
    table["residual"] = table["observed"] - table["loss_mean"]
    table["inside"] = table["observed"].between(table["new_run_lower"], table["new_run_upper"])
    among = rows_in(frame, fitted)
    table["where"] = np.where(among, FITTED, np.where(table["outside"], OUTSIDE, INSIDE))
    return Observed(table, _summary(table), interval, found.notes)


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for where in (FITTED, INSIDE, OUTSIDE):
        mine = table[table["where"] == where]
        if len(mine):
            error = mine["residual"].abs()
            rows.append(
                {
                    "where": where,
                    "runs": len(mine),
                    "held": float(mine["inside"].mean()),
                    "mean_error": float(error.mean()),
                    "worst": float((error / mine["observed"]).max()),
                }
            )
    return pd.DataFrame(rows)
