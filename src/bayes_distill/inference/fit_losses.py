"""Several losses of the same runs, fitted one by one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import number
from bayes_distill._input.progress import Progress
from bayes_distill.cards import Card, load_card
from bayes_distill.inference.fit import fit
from bayes_distill.posterior import Posterior
from bayes_distill.runs.several_losses import ALL, runs_of_losses

LEAST_COMMON = 4


@dataclass(frozen=True, eq=False)
class FittedLosses:
    """Fits of several losses of one table.

    Parameters
    ----------
    fits
        Posterior of each loss, by the name of its column.
    correlations
        One row a pair: ``a``, ``b``, how many ``runs`` have both, and the ``correlation`` of what
        the laws leave of their losses. Where it is high, errors of forecasts go together.
    """

    fits: dict[str, Posterior]
    correlations: pd.DataFrame

    def correlations_to_json(self) -> list[dict[str, Any]]:
        """Plain data for JSON."""
        return [
            {
                "a": row["a"],
                "b": row["b"],
                "runs": int(row["runs"]),
                "correlation": number(row["correlation"]),
            }
            for row in self.correlations.to_dict("records")
        ]


def fit_losses(
    runs: pd.DataFrame | str | Path,
    model: Card | str | Path | None = None,
    losses: str | Sequence[str] = ALL,
    *,
    where: str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> FittedLosses:
    """Fit each of several losses of the same runs by the same card.

    Parameters
    ----------
    runs
        A table with a column for each loss: a path or a DataFrame.
    model
        A card, its name or path, as for `fit`.
    losses
        Names of columns, or ``all`` for every column ``loss_*``.
    where
        As for `fit`; ``loss`` is that of the column.
    progress, settings
        As for `fit`.

    Raises
    ------
    InputError
        Naming everything that is wrong with the table, the card or the settings.
    """
    card = model if isinstance(model, Card) or model is None else load_card(model)
    tables = runs_of_losses(runs, losses, law=None if card is None else card.scaling_law)
    fits, residuals = {}, {}
    for name, table in tables.items():
        posterior = fit(table, card, where=where, progress=progress, **settings)
        fits[name] = posterior
        stored = posterior.tree["runs"].dataset
        point = (stored["params"].to_numpy(), stored["tokens"].to_numpy())
        residuals[name] = pd.Series(
            stored["residual"].to_numpy(), index=pd.MultiIndex.from_arrays(point)
        )
    return FittedLosses(fits, _correlations(residuals))


def _correlations(residuals: dict[str, pd.Series[float]]) -> pd.DataFrame:
    rows = []
    for a, b in itertools.combinations(residuals, 2):
        one, other = residuals[a], residuals[b]
        both = len(one) == len(other) and one.index.equals(other.index)
        if not both:  # runs that lack one of the two: matched by size and tokens, once each
            one, other = (each[~each.index.duplicated(keep=False)] for each in (one, other))
            shared = one.index.intersection(other.index)
            one, other = one.loc[shared], other.loc[shared]
        enough = len(one) >= LEAST_COMMON
        found = float(np.corrcoef(one, other)[0, 1]) if enough else np.nan
        rows.append({"a": a, "b": b, "runs": len(one), "correlation": found})
    return pd.DataFrame(rows, columns=["a", "b", "runs", "correlation"])
