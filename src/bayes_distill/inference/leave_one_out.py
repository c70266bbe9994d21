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
from scipy.special import ndtr, ndtri

from bayes_distill.likelihoods import Likelihood

AT_ONCE = 2048  # runs: their weights stay in the processor's cache, and memory bounded
MANY = 8 * AT_ONCE  # runs from which other processes help, which take seconds to start
PARETO_K = 0.7
STUCK = "All tail values are the same"  # the error of arviz-stats for draws that hardly moved
FAR_OUT = 3.0  # residual scales, the median of a size
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

    def flagged(self, rows: np.ndarray, sizes: np.ndarray | None = None) -> list[FlaggedRun]:
        """Runs that the others do not expect, worst residual first.

        `rows` are their places in the table, `sizes` the groups of runs of one size (runs,), of
        which all runs are flagged where they lie far out to one side together.

        P-values are held against `BY_CHANCE` by the rule of Benjamini and Hochberg (1995), whatever
        the number of runs: of tables without an odd run, one in twenty has a run flagged, and of
        those that are flagged one in twenty is not odd. A high Pareto k alone is no fault of a run.
        """
        flagged = []
        together = np.zeros(len(rows), bool) if sizes is None else self._odd_sizes(sizes)
        odd = (self.p_value <= _threshold(self.p_value)) | together
        parts = (rows, self.pareto_k, self.residual, together)
        for row, k, residual, of_size in zip(*(part[odd] for part in parts), strict=True):
            side = "worse" if residual > 0 else "better"
            reason = (
                f"loss {side} than the other runs lead to expect ({residual:+.1f} residual scales)"
            )
            if of_size:
                reason += ", as are all runs of its size: is the size right?"
            if k > PARETO_K:
                reason += f"; the fit leans on this run (Pareto k {k:.2f})"
            flagged.append(FlaggedRun(int(row), float(k), float(residual), reason))
        return sorted(flagged, key=lambda run: -abs(run.residual))

    def _odd_sizes(self, sizes: np.ndarray) -> np.ndarray:
        """Runs (runs,) of sizes of which all runs lie far out to one side.

        Their p-values are joined as normal scores (Stouffer), and the least of all sizes is held
        against `BY_CHANCE`.
        """
        score = np.sign(self.residual) * ndtri(1 - self.p_value / 2)
        found = np.zeros(len(sizes), bool)
        several = [group for group in np.unique(sizes) if (sizes == group).sum() > 1]
        for group in several:
            own = sizes == group
            joint = 2 * ndtr(-np.abs(score[own].sum()) / np.sqrt(own.sum()))
            far = np.abs(np.median(self.residual[own])) > FAR_OUT
            found[own] = far and joint < BY_CHANCE / len(several)
        return found


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


def _threshold(p_values: np.ndarray) -> float:
    """Largest p-value that counts as odd; below all of them where none does."""
    known = np.sort(p_values[np.isfinite(p_values)])
    below = known[known <= BY_CHANCE * np.arange(1, known.size + 1) / max(1, known.size)]
    return float(below[-1]) if below.size else -1.0


def _two_sided(likelihood: Likelihood, standard: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """P-values (runs,) of standardised residuals (draws, runs), by weights of the draws."""
    tails = [
        (weights * tail(standard)).sum(0) / weights.sum(0)
        for tail in (likelihood.cdf, likelihood.sf)
    ]
    return np.asarray(2 * np.minimum(*tails))
