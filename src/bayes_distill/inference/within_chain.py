"""Diagnostics of a cut fit: checks within chains, which are meant to differ.

Every chain has a different supervised law, so R-hat across chains is no check. What can go wrong
instead: chains that have not converged, too few draws given each law, too few laws.
"""

from __future__ import annotations

import arviz_stats
import numpy as np
import xarray as xr

from bayes_distill.inference.diagnostics import (
    RANK,
    Check,
    Diagnostics,
    divergences,
    grade,
    quiet,
    tree_depth_hits,
    worst,
)

MORE = "double `warmup` and `draws`"


def diagnose_within(sampled: xr.Dataset, stats: xr.Dataset) -> Diagnostics:
    """Check the chains of a cut fit, each conditional on one draw of the supervised law.

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
        bulk, bulk_name = worst(arviz_stats.ess(single).sum("imputation"), largest=False)
        tails = arviz_stats.ess(single, method="tail").sum("imputation")
        tail, tail_name = worst(tails, largest=False)
        rhat, rhat_name = worst(sampled.map(pooled_rhat), largest=True)
        drift, drift_name = worst(sampled.map(common_drift), largest=True)
    diverging = int(stats["diverging"].sum())
    chains, draws = stats["diverging"].shape
    checks = (
        Check(
            "drift_max",
            drift,
            4,
            grade(drift, 4, 6),
            f"{drift_name} still moves in one direction in most chains: {MORE}",
        ),
        Check(
            "rhat_within",
            rhat,
            1.1,
            grade(rhat, 1.1, 1.2),
            f"the halves of single chains disagree most on {rhat_name}: {MORE}",
        ),
        Check(
            "ess_bulk_within",
            bulk,
            400,
            grade(-bulk, -400, -100),
            f"few effective draws of {bulk_name} within chains: {MORE}",
        ),
        Check(
            "ess_tail_within",
            tail,
            400,
            grade(-tail, -400, -100),
            f"interval ends of {tail_name} are rough: {MORE}",
        ),
        Check(
            "imputations",
            chains,
            50,
            grade(-chains, -50, -20),
            "few draws of the supervised law: raise `imputations`",
        ),
        divergences(stats),
        tree_depth_hits(stats),
    )
    overall = max((c.verdict for c in checks), key=lambda v: RANK[v])
    listed = tuple(quiet(c) for c in checks)
    return Diagnostics(overall, rhat, bulk, tail, diverging, chains, draws, listed)


def pooled_rhat(values: xr.DataArray) -> xr.DataArray:
    """Split R-hat within chains, its two variances averaged over chains (chain, draw, ...).

    Of a single short chain it is mostly chance; of all of them together it is not. Halves of n
    effective draws differ so that it is about 1 + 1/(2n), however well chains have converged: a
    threshold of 1.1 needs some five of them.
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
    drift: xr.DataArray = abs(moved.mean("chain")) / error
    return drift


def _halves(values: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    half = values.sizes["draw"] // 2
    return values.isel(draw=slice(half)), values.isel(draw=slice(-half, None))
