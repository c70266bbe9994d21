"""Diagnostics of a cut fit: chains that are meant to differ are judged each by itself.

Every chain has a supervised law of its own, so R-hat across chains says nothing. What can go wrong
instead: chains that have not converged, too few draws given each law, too few laws.
"""

from __future__ import annotations

import arviz_stats
import numpy as np
import xarray as xr

from bayes_distill.inference.diagnostics import RANK, Check, Diagnostics, _grade, _quiet, _worst
from bayes_distill.inference.kernel import MAX_TREE_DEPTH

MORE = "double `warmup` and `draws`"


def diagnose_within(sampled: xr.Dataset, stats: xr.Dataset) -> Diagnostics:
    """Check the chains of a cut fit, each conditional on a supervised law of its own.

    Parameters
    ----------
    sampled
        Every coordinate that was sampled given the supervised law, (chain, draw).
    stats
        ``diverging`` and ``tree_depth``, (chain, draw).
    """
    # to ArviZ every chain is a quantity with one chain
    single = sampled.rename(chain="imputation").expand_dims(chain=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bulk, bulk_name = _worst(arviz_stats.ess(single).sum("imputation"), largest=False)
        tails = arviz_stats.ess(single, method="tail").sum("imputation")
        tail, tail_name = _worst(tails, largest=False)
        rhat, rhat_name = _worst(sampled.map(pooled_rhat), largest=True)
        drift, drift_name = _worst(sampled.map(common_drift), largest=True)
    diverging, n = int(stats["diverging"].sum()), int(stats["diverging"].size)
    deep = int((stats["tree_depth"] >= MAX_TREE_DEPTH).sum())
    chains, draws = stats["diverging"].shape
    checks = (
        Check(
            "drift_max",
            drift,
            4,
            _grade(drift, 4, 6),
            f"{drift_name} still moves in one direction in most chains: {MORE}",
        ),
        Check(
            "rhat_within",
            rhat,
            1.1,
            _grade(rhat, 1.1, 1.2),
            f"the halves of single chains disagree most on {rhat_name}: {MORE}",
        ),
        Check(
            "ess_bulk_within",
            bulk,
            400,
            _grade(-bulk, -400, -100),
            f"few effective draws of {bulk_name} within chains: {MORE}",
        ),
        Check(
            "ess_tail_within",
            tail,
            400,
            _grade(-tail, -400, -100),
            f"interval ends of {tail_name} are rough: {MORE}",
        ),
        Check(
            "imputations",
            chains,
            50,
            _grade(-chains, -50, -20),
            "few draws of the supervised law: raise `imputations`",
        ),
        Check(
            "divergences",
            diverging,
            n // 1000,
            _grade(diverging, n / 1000, n / 100),
            "raise target_accept in the card (0.95, 0.99) or give vague coordinates tighter priors",
        ),
        Check(
            "tree_depth_hits",
            deep,
            n // 100,
            _grade(deep, n / 100, n),
            "trajectories are cut off: slow, not wrong; more warm-up, or tighter priors",
        ),
    )
    overall = max((c.verdict for c in checks), key=lambda v: RANK[v])
    listed = tuple(_quiet(c) for c in checks)
    return Diagnostics(overall, rhat, bulk, tail, diverging, chains, draws, listed)


def pooled_rhat(values: xr.DataArray) -> xr.DataArray:
    """Split R-hat within chains, its two variances averaged over chains (chain, draw, ...).

    That of a single short chain is mostly chance; that of all of them together is not. Halves of
    n effective draws differ by what makes it about 1 + 1/(2n), however well chains have converged:
    a threshold of 1.1 asks for some five of them.
    """
    first, second = _halves(values)
    length = first.sizes["draw"]
    within = ((first.var("draw", ddof=1) + second.var("draw", ddof=1)) / 2).mean("chain")
    between = (length * (first.mean("draw") - second.mean("draw")) ** 2 / 2).mean("chain")
    return ((length - 1) / length + between / within / length) ** 0.5


def common_drift(values: xr.DataArray) -> xr.DataArray:
    """By how many standard errors second halves of chains lie off first halves, on average."""
    first, second = _halves(values)
    moved = second.mean("draw") - first.mean("draw")
    error = moved.std("chain", ddof=1) / np.sqrt(moved.sizes["chain"])
    found: xr.DataArray = abs(moved.mean("chain")) / error
    return found


def _halves(values: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    half = values.sizes["draw"] // 2
    return values.isel(draw=slice(half)), values.isel(draw=slice(-half, None))
