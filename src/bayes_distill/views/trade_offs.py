"""Coefficients that trade off: draws of those that data determine only together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.errors import InputError
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.views.coefficients import CHINCHILLA, TABLE_6_PRINTED

DRAWS = 2000
SHOWN = (0.005, 0.995)  # c1 runs off to infinity: an axis has to end somewhere
WITH_TEACHER = (("A'", "alpha'", "gamma'"), ("c1", "d1"))
WITH_GAMMA = (("A", "alpha", "gamma"), ("B", "beta"))
CHINCHILLA_GROUPS = (("A", "alpha", "E"), ("B", "beta"))


@dataclass(frozen=True)
class TradeOffs:
    """Draws of coefficients that trade off.

    Parameters
    ----------
    groups
        Names that belong together: three, then two.
    draws
        Name -> (draws,), under the paper's names.
    correlation
        Of the logarithms, a square table by name.
    ranges
        Where almost all draws lie, by name: the axes of a picture.
    published
        Point values in print.
    source
        Where those are printed.
    notes
        Sentences for people.
    """

    groups: tuple[tuple[str, ...], ...]
    draws: Mapping[str, np.ndarray]
    correlation: pd.DataFrame
    ranges: Mapping[str, tuple[float, float]]
    published: Mapping[str, float]
    source: str
    notes: tuple[str, ...]


def trade_offs(
    posterior: Posterior | str | Path, *, draws: int = DRAWS, allow_failed: bool = False
) -> TradeOffs:
    """Draws and correlations of the coefficients that trade off under a law.

    With a teacher: A', alpha', gamma', and c1, d1. Without: A, alpha, gamma (or E where gamma is
    1), and B, beta.

    Parameters
    ----------
    posterior
        A `Posterior`, a file written by `fit`, or a card's name.
    draws
        Most draws to use; more are thinned evenly.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.

    Raises
    ------
    InputError
        If the posterior is a single point, which has no trade-offs.
    """
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    if loaded.n_draws < 2:
        raise InputError(
            f"{loaded.card.name} holds point coefficients: there is nothing to trade off"
        )
    names = set(loaded.law.coefficient_names)
    groups = next(
        g
        for g in (WITH_TEACHER, WITH_GAMMA, CHINCHILLA_GROUPS)
        if {n for p in g for n in p} <= names
    )
    thin = loaded.thin(draws)
    found = {name: thin.published[name] for group in groups for name in group}
    logs = pd.DataFrame({name: np.log(value) for name, value in found.items()})
    finite = logs[np.isfinite(logs).all(axis=1)]
    source = TABLE_6_PRINTED if "gamma" in names else CHINCHILLA
    ranges = {name: _range(finite[name].to_numpy(), source.points.get(name)) for name in found}
    return TradeOffs(
        groups,
        found,
        finite.corr(),
        ranges,
        source.points,
        source.source.split(", with")[0],
        loaded.warnings,
    )


def _range(logs: np.ndarray, published: float | None) -> tuple[float, float]:
    low, high = np.quantile(logs, SHOWN)
    if published is not None:
        low, high = min(low, np.log(published)), max(high, np.log(published))
    pad = 0.04 * (high - low)
    return float(np.exp(low - pad)), float(np.exp(high + pad))
