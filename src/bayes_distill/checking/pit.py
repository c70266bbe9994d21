"""LOO-PIT: the place of every run in its predictive distribution given the other runs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.checking.predictive import PosteriorPredictive, posterior_predictive
from bayes_distill.posterior import Posterior
from bayes_distill.predict.results.display import Result

LEVELS = (0.5, 0.8, 0.9, 0.95)
SIGNIFICANT = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class LeaveOneOutPit(Result):
    """Probability integral transforms of the runs, each left out.

    Parameters
    ----------
    table
        One row a run: ``params``, ``tokens``, ``loss``, ``pit``. If the fit is calibrated, the
        PITs are uniform: half of the runs lie in the central 50% interval, and so on.
    coverage
        ``level`` and ``held``: the share of runs within central predictive intervals.
    p_uniform
        Of the test of uniformity (POT-C, which allows for LOO-PITs depending on each other).
    tree
        Groups for ArviZ's plots: those of the posterior predictive check, and ``loo_pit``.
    """

    table: pd.DataFrame
    coverage: pd.DataFrame
    p_uniform: float
    tree: xr.DataTree

    @property
    def verdict(self) -> str:
        """``pass`` or ``review``."""
        return "pass" if self.p_uniform >= SIGNIFICANT else "review"

    @property
    def reading(self) -> str:
        """What shape the PITs have, in words; empty if they pass."""
        if self.verdict == "pass":
            return ""
        pit = self.table["pit"].to_numpy()
        n, centre, spread = len(pit), pit.mean() - 0.5, pit.var() - 1 / 12
        found = []
        # three standard errors of the mean and of the variance of uniform numbers
        if abs(centre) > 3 * np.sqrt(1 / 12 / n):
            found.append(f"losses are {'worse' if centre > 0 else 'better'} than forecast")
        if abs(spread) > 3 * np.sqrt(1 / 180 / n):
            found.append("bands are too narrow" if spread > 0 else "bands are too wide")
        return " and ".join(found) or "not uniform, in no simple way: plot it"

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "p_uniform": self.p_uniform,
            "verdict": self.verdict,
            "reading": self.reading,
            "coverage": self.coverage.to_dict("records"),
        }


def leave_one_out_pit(
    posterior: Posterior, *, seed: int = 0, predictive: PosteriorPredictive | None = None
) -> LeaveOneOutPit:
    """LOO-PIT of every run by PSIS, and a test of their uniformity.

    A run counts as new in the size it has: what runs of one size have in common is estimated from
    the others of that size. For new sizes leave whole sizes out.

    Parameters
    ----------
    posterior
        A fit, with its runs.
    seed
        Seed of the replicated runs.
    predictive
        The posterior predictive check, if it has been made already.

    Raises
    ------
    InputError
        If the posterior holds no runs.
    """
    checked = predictive or posterior_predictive(posterior, seed=seed)
    with warnings.catch_warnings():  # a fit reports its high Pareto k run by run
        warnings.filterwarnings("ignore", "Estimated shape parameter", UserWarning)
        # tails from a fitted Pareto: no PIT is 0 or 1 merely for want of draws
        found = arviz_stats.loo_pit(checked.tree, var_names="loss", pareto_pit=True)
    p_value, *_ = found["loss"].azstats.uniformity_test(dim="run", method="pot_c")
    pit = found["loss"].to_numpy()
    shown = [n for n in ("params", "tokens", "teacher_loss", "loss") if n in checked.by_run]
    coverage = pd.DataFrame(
        {"level": LEVELS, "held": [float((np.abs(pit - 0.5) <= x / 2).mean()) for x in LEVELS]}
    )
    tree = checked.tree.copy()
    tree["loo_pit"] = xr.DataTree(found)
    return LeaveOneOutPit(
        checked.by_run[shown].assign(pit=pit), coverage, float(np.squeeze(p_value)), tree
    )
