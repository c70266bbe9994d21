"""Fits ranked by PSIS-LOO."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.utils import ELPDDataLOO

from bayes_distill.errors import Fault, InputError
from bayes_distill.inference.leave_one_out import PARETO_K
from bayes_distill.posterior import Posterior


def loo_table(fits: Mapping[str, Posterior]) -> pd.DataFrame:
    """Rank fits by the expected log predictive density of a run that is left out, best first.

    Parameters
    ----------
    fits
        Label -> posterior, of the same runs.

    Returns
    -------
    pd.DataFrame
        One row a fit: ``fit``, ``rank`` (from 1), ``elpd`` (sum over the runs, of losses in their
        own unit) and its standard error ``se``, ``elpd_diff`` (to the best, at most 0) and
        ``se_diff``, ``weight`` (stacking, Yao et al. 2018) and ``high_pareto_k``, the number of
        runs whose figure is unreliable (k above 0.7).

    Raises
    ------
    InputError
        Naming every fit that holds no leave-one-out figures.
    """
    lacking = [
        Fault(f"{name} holds no leave-one-out figures: it was not made by fit", column="fits")
        for name, fit in fits.items()
        if "runs" not in fit.tree.children or "elpd_i" not in fit.tree["runs"]
    ]
    if lacking:
        raise InputError(lacking)
    found = {name: _elpd(fit) for name, fit in fits.items()}
    with warnings.catch_warnings():  # what it warns of is counted, fit by fit
        warnings.simplefilter("ignore", UserWarning)
        ranked = arviz_stats.compare(found, method="stacking", round_to="none")
    order = [str(name) for name in ranked.index]
    return pd.DataFrame(
        {
            "fit": order,
            "rank": np.arange(1, len(order) + 1),
            "elpd": ranked["elpd"].to_numpy(float),
            "se": ranked["se"].to_numpy(float),
            "elpd_diff": ranked["elpd_diff"].to_numpy(float),
            "se_diff": ranked["dse"].to_numpy(float),
            "weight": ranked["weight"].to_numpy(float),
            "high_pareto_k": [int((found[n].pareto_k > PARETO_K).sum()) for n in order],
        }
    )


def _elpd(fit: Posterior) -> ELPDDataLOO:
    """What the fit stored, as ArviZ takes it: a fit of many runs keeps no log likelihood."""
    runs = fit.tree["runs"].dataset
    # stored for losses over the reference loss
    each = runs["elpd_i"].to_numpy() - np.log(fit.reference.loss)
    k = runs["pareto_k"].to_numpy()
    return ELPDDataLOO(
        elpd=float(each.sum()),
        se=float(np.sqrt(len(each) * each.var())),
        p=np.nan,
        n_samples=fit.n_draws,
        n_data_points=len(each),
        scale="log",
        warning=bool((k > PARETO_K).any()),
        good_k=PARETO_K,
        elpd_i=xr.DataArray(each, dims="run"),
        pareto_k=xr.DataArray(k, dims="run"),
    )
