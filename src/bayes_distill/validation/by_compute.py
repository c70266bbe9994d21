"""Forecasts of dearer runs than those that were fitted, by the factor between them.

For every factor f the runs below one f-th of the dearest one's compute are fitted, and all dearer
ones forecast (`budgets`). A forecast counts with the factor between its run and the dearest fitted
one, so that every refit tells something of small factors too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.validation.held import held
from bayes_distill.validation.rows import clusters_of, interval_score, percent, within


def by_factor(
    rows: pd.DataFrame,
    factors: Sequence[float],
    levels: Sequence[float],
    interval: float,
) -> pd.DataFrame:
    """Scores of forecasts by the factor of extrapolation.

    Parameters
    ----------
    rows
        As `Validation.rows`, with ``factor``.
    factors
        Upper ends of the ranges of factors; what lies beyond the last belongs to it.
    levels, interval
        Probabilities of bands: of the coverage, and of width, interval score and verdict.

    Returns
    -------
    DataFrame
        One row a range that has runs: ``above`` and ``factor`` (its ends), ``runs`` (forecasts; a
        run counts once for every refit), ``factor_median``, ``coverage_50`` and so on, ``width``,
        ``interval_score``, ``crps`` and ``error`` (mean absolute), all relative to the loss,
        ``effective_runs`` and ``verdict`` (see `held`).
    """
    edges = sorted(set(factors))
    place = np.minimum(np.searchsorted(edges, rows["factor"].to_numpy(float)), len(edges) - 1)
    found: list[dict[str, Any]] = []
    for i, factor in enumerate(edges):
        mine = rows[place == i]
        if not len(mine):
            continue
        loss = mine["loss"]
        lower, upper = (mine[f"new_run_{end}_{percent(interval)}"] for end in ("lower", "upper"))
        judged = held(within(mine, interval), clusters_of(mine), interval)
        found.append(
            {
                "above": edges[i - 1] if i else 1.0,
                "factor": factor,
                "runs": len(mine),
                "factor_median": float(mine["factor"].median()),
                **{f"coverage_{percent(v)}": float(within(mine, v).mean()) for v in levels},
                "width": float(((upper - lower) / loss).mean()),
                "interval_score": float((interval_score(mine, interval) / loss).mean()),
                "crps": float((mine["crps"] / loss).mean()),
                "error": float(((mine["loss_mean"] - loss).abs() / loss).mean()),
                "effective_runs": judged.effective,
                "verdict": judged.verdict,
            }
        )
    return pd.DataFrame(found)
