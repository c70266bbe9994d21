"""PSIS-LOO of a fit, and the runs that it flags: high Pareto k, or a large residual."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import arviz_stats
import joblib
import numpy as np
import xarray as xr

AT_ONCE = 2048  # runs: their weights stay in the processor's cache, and memory bounded
MANY = 8 * AT_ONCE  # runs from which other processes help, which take seconds to start
PARETO_K = 0.7
STUCK = "All tail values are the same"  # the error of arviz-stats for draws that hardly moved
RESIDUAL = 3.29  # residual scales; by chance 0.1% of a normal, 3% of a Student t with 4 degrees


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
    (above is worse) of the law fitted to all other runs.
    """

    elpd: float
    se: float
    elpd_i: np.ndarray
    pareto_k: np.ndarray
    residual: np.ndarray

    def flagged(self, rows: np.ndarray) -> list[FlaggedRun]:
        """Runs with a high Pareto k or a large residual, worst residual first."""
        flagged = []
        for row, k, residual in zip(rows, self.pareto_k, self.residual, strict=True):
            reasons = []
            if abs(residual) > RESIDUAL:
                side = "worse" if residual > 0 else "better"
                reasons.append(
                    f"loss {side} than the other runs lead to expect "
                    f"({residual:+.1f} residual scales)"
                )
            if k > PARETO_K:
                reasons.append(f"the fit leans on this run (Pareto k {k:.2f})")
            if reasons:
                flagged.append(FlaggedRun(int(row), float(k), float(residual), "; ".join(reasons)))
        return sorted(flagged, key=lambda run: -abs(run.residual))


def leave_one_out(
    tree: xr.DataTree, mean: np.ndarray, scale: np.ndarray, loss: np.ndarray
) -> LeaveOneOut:
    """PSIS-LOO from a tree with ``posterior`` and ``log_likelihood``.

    `mean` and `scale` are (draws, runs), chains joined, `loss` is (runs,), in one unit. Where
    chains hardly moved there is no tail to smooth: elpd and k are NaN, and the residual is that of
    the fit to all runs. Such a fit fails its checks, which say why.
    """
    posterior, likelihood = tree["posterior"].dataset, tree["log_likelihood"].dataset

    def parts() -> Iterator[Any]:
        for begin in range(0, len(loss), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            part = likelihood.isel(run=some)
            yield joblib.delayed(_part)(posterior, part, mean[:, some], scale[:, some], loss[some])

    jobs = joblib.cpu_count() if len(loss) > MANY else 1
    try:
        results = joblib.Parallel(n_jobs=jobs)(parts())
    except ValueError as error:
        if STUCK not in str(error):
            raise
        unknown = np.full(loss.shape, np.nan)
        residual = ((loss - mean) / scale).mean(0)
        return LeaveOneOut(float("nan"), float("nan"), unknown, unknown, residual)
    elpd, k, residual = (np.concatenate(each) for each in zip(*results, strict=True))
    se = float(np.sqrt(len(loss) * elpd.var()))
    return LeaveOneOut(float(elpd.sum()), se, elpd, k, residual)


def _part(
    posterior: xr.Dataset,
    likelihood: xr.Dataset,
    mean: np.ndarray,
    scale: np.ndarray,
    loss: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Elpd, Pareto k and residual of some of the runs."""
    tree = xr.DataTree.from_dict({"posterior": posterior, "log_likelihood": likelihood})
    with warnings.catch_warnings():  # every high Pareto k is reported, run by run
        warnings.filterwarnings("ignore", "Estimated shape parameter", UserWarning)
        warnings.filterwarnings("ignore", "The point-wise LOO is the same", UserWarning)  # one run
        loo = arviz_stats.loo(tree, pointwise=True)
    weights = np.exp(loo.log_weights.transpose("chain", "draw", ...).to_numpy())
    weights = weights.reshape(mean.shape)
    residual = (weights * (loss - mean) / scale).sum(0) / weights.sum(0)
    return loo.elpd_i.to_numpy(), loo.pareto_k.to_numpy(), residual
