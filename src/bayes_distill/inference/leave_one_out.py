"""PSIS-LOO of a fit, and the runs that it flags: losses that the other runs do not expect."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import arviz_stats
import joblib
import numpy as np
import xarray as xr

from bayes_distill.likelihoods import Likelihood

AT_ONCE = 2048  # runs: their weights stay in the processor's cache, and memory bounded
MANY = 8 * AT_ONCE  # runs from which other processes help, which take seconds to start
PARETO_K = 0.7
STUCK = "All tail values are the same"  # the error of arviz-stats for draws that hardly moved
BY_CHANCE = 0.05  # tables without an odd run in which one is flagged


@dataclass(frozen=True)
class FlaggedRun:
    """A run worth a second look; `row` is its position in the table as read."""

    row: int
    pareto_k: float
    residual: float
    reason: str


@dataclass(frozen=True)
class LeaveOneOut:
    """PSIS-LOO of a fit; arrays are (runs,).

    `residual` is the standardised residual: how many residual scales a loss lies above the mean
    (above is worse) of the law fitted to all other runs. `p_value` is the probability, under that
    law and its likelihood, of a loss as far out on either side.
    """

    elpd: float
    se: float
    elpd_i: np.ndarray
    pareto_k: np.ndarray
    residual: np.ndarray
    p_value: np.ndarray

    def flagged(self, rows: np.ndarray) -> list[FlaggedRun]:
        """Runs that the others do not expect, worst residual first.

        The least p-value of a table is held against `BY_CHANCE`, whatever the number of runs
        (Bonferroni): of tables without an odd run, one in twenty has a run flagged. A high Pareto k
        alone is no fault of a run.
        """
        flagged = []
        odd = self.p_value < BY_CHANCE / max(1, len(rows))
        for row, k, residual in zip(rows[odd], self.pareto_k[odd], self.residual[odd], strict=True):
            side = "worse" if residual > 0 else "better"
            reason = (
                f"loss {side} than the other runs lead to expect ({residual:+.1f} residual scales)"
            )
            if k > PARETO_K:
                reason += f"; the fit leans on this run (Pareto k {k:.2f})"
            flagged.append(FlaggedRun(int(row), float(k), float(residual), reason))
        return sorted(flagged, key=lambda run: -abs(run.residual))


def leave_one_out(
    tree: xr.DataTree,
    mean: np.ndarray,
    scale: np.ndarray,
    loss: np.ndarray,
    likelihood: Likelihood,
) -> LeaveOneOut:
    """PSIS-LOO from a tree with ``posterior`` and ``log_likelihood``.

    `mean` and `scale` are (draws, runs), chains joined, `loss` is (runs,), in one unit;
    `likelihood` has parameters that broadcast with (draws, runs). Where
    chains hardly moved there is no tail to smooth: elpd and k are NaN, and the residual is that of
    the fit to all runs. Such a fit fails its checks, which say why.
    """
    posterior, densities = tree["posterior"].dataset, tree["log_likelihood"].dataset

    def parts() -> Iterator[Any]:
        for begin in range(0, len(loss), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            part = densities.isel(run=some)
            standard = (loss[some] - mean[:, some]) / scale[:, some]
            yield joblib.delayed(_part)(posterior, part, standard, likelihood)

    jobs = joblib.cpu_count() if len(loss) > MANY else 1
    try:
        results = joblib.Parallel(n_jobs=jobs)(parts())
    except ValueError as error:
        if STUCK not in str(error):
            raise
        unknown = np.full(loss.shape, np.nan)
        standard = (loss - mean) / scale
        p_value = _two_sided(likelihood, standard, np.ones_like(standard))
        return LeaveOneOut(float("nan"), float("nan"), unknown, unknown, standard.mean(0), p_value)
    elpd, k, residual, p_value = (np.concatenate(each) for each in zip(*results, strict=True))
    se = float(np.sqrt(len(loss) * elpd.var()))
    return LeaveOneOut(float(elpd.sum()), se, elpd, k, residual, p_value)


def _part(
    posterior: xr.Dataset,
    densities: xr.Dataset,
    standard: np.ndarray,
    likelihood: Likelihood,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Elpd, Pareto k, residual and p-value of runs with residuals `standard` (draws, runs)."""
    tree = xr.DataTree.from_dict({"posterior": posterior, "log_likelihood": densities})
    with warnings.catch_warnings():  # every high Pareto k is reported, run by run
        warnings.filterwarnings("ignore", "Estimated shape parameter", UserWarning)
        warnings.filterwarnings("ignore", "The point-wise LOO is the same", UserWarning)  # one run
        loo = arviz_stats.loo(tree, pointwise=True)
    weights = np.exp(loo.log_weights.transpose("chain", "draw", ...).to_numpy())
    weights = weights.reshape(standard.shape)
    residual = (weights * standard).sum(0) / weights.sum(0)
    p_value = _two_sided(likelihood, standard, weights)
    return loo.elpd_i.to_numpy(), loo.pareto_k.to_numpy(), residual, p_value


def _two_sided(likelihood: Likelihood, standard: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """P-values (runs,) of standardised residuals (draws, runs), by weights of the draws."""
    tails = [
        (weights * tail(standard)).sum(0) / weights.sum(0)
        for tail in (likelihood.cdf, likelihood.sf)
    ]
    return np.asarray(2 * np.minimum(*tails))
