"""A law's coefficients, from the posterior, the prior and in print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import interval_fault
from bayes_distill.errors import InputError
from bayes_distill.laws import TABLE_6_AS_PRINTED
from bayes_distill.posterior import Posterior, load_posterior

FINITE = 1e300

TABLE_6_INTERVALS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "E": (1.190, 1.247),
        "A": (3346, 3360),
        "B": (18157, 18236),
        "alpha": (0.405, 0.411),
        "beta": (0.428, 0.433),
        "gamma": (0.442, 0.461),
        "A'": (2227, 2255),
        "B'": (24084, 24266),
        "alpha'": (0.319, 0.324),
        "beta'": (0.634, 0.640),
        "gamma'": (0.732, 0.788),
        "c0": (2.425, 2.615),
        "c1": (522.6, 522.6),
        "d1": (1.302, 1.327),
        "f1": (0.088, 0.093),
    }
)
"""The 90% bootstrap intervals of Busbridge et al. 2025, table 6, as printed."""

BESIROGLU_2024 = MappingProxyType(
    {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
)
"""The Chinchilla law fitted to 240 runs of Hoffmann et al. by Besiroglu et al. 2024."""


@dataclass(frozen=True)
class Published:
    """Values in print.

    Parameters
    ----------
    source
        Where they are printed, for a legend.
    points
        Point values under the paper's names.
    intervals
        Intervals, where any are printed.
    """

    source: str
    points: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Coefficients:
    """Coefficients next to published ones.

    Parameters
    ----------
    table
        One row a coefficient: ``median, lower, upper`` of the posterior, the same of the prior with
        ``prior_`` in front, ``published`` with ``published_lower`` and ``published_upper``, and
        ``identified``. NaN where there is none.
    interval
        Probability inside the posterior's and the prior's intervals, which are equal-tailed.
    source
        Where the published values come from.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    interval: float
    source: str
    notes: tuple[str, ...]


TABLE_6_PRINTED = Published(
    "Busbridge et al. 2025, table 6, with its 90% bootstrap interval",
    TABLE_6_AS_PRINTED,
    TABLE_6_INTERVALS,
)
CHINCHILLA = Published("Besiroglu et al. 2024", BESIROGLU_2024, {})


def coefficients(
    posterior: Posterior | str | Path,
    *,
    published: Published | None = None,
    interval: float = 0.9,
    allow_failed: bool = False,
) -> Coefficients:
    """Set a posterior's coefficients beside published ones.

    Parameters
    ----------
    posterior
        A `Posterior`, a file written by `fit`, or a card's name.
    published
        By default table 6 of Busbridge et al. 2025, or for the Chinchilla law the replication of
        Besiroglu et al. 2024.
    interval
        Probability inside the intervals.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.

    Raises
    ------
    InputError
        If the posterior cannot be used or the interval is no probability.
    """
    fault = interval_fault(interval)
    if fault is not None:
        raise InputError(fault)
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    if published is None:
        published = TABLE_6_PRINTED if "gamma" in loaded.law.coefficient_names else CHINCHILLA
    known = {c["name"]: bool(c["identified"]) for c in loaded.info.get("coefficients", [])}
    before = _prior(loaded)
    rows = []
    for name in loaded.law.coefficient_names:
        low, high = published.intervals.get(name, (np.nan, np.nan))
        rows.append(
            {
                "name": name,
                **_spread("", loaded.published[name], interval),
                **_spread("prior_", before.get(name), interval),
                "published": published.points.get(name, np.nan),
                "published_lower": low,
                "published_upper": high,
                "identified": known.get(name, True),
            }
        )
    return Coefficients(pd.DataFrame(rows), interval, published.source, loaded.warnings)


def _prior(posterior: Posterior) -> dict[str, np.ndarray]:
    """Draws of the prior under published names; none for a posterior that was not sampled."""
    if "prior" not in posterior.tree.children:
        return {}
    group = posterior.tree["prior"].dataset
    names = posterior.law.coordinate_names
    if not set(names) <= set(group.data_vars):
        return {}
    draws = {name: group[name].to_numpy().reshape(-1) for name in names}
    found = posterior.law.to_published(draws, posterior.reference)
    return {name: np.asarray(value) for name, value in found.items()}


def _spread(prefix: str, draws: np.ndarray | None, interval: float) -> dict[str, float]:
    levels = (("lower", (1 - interval) / 2), ("median", 0.5), ("upper", (1 + interval) / 2))
    if draws is None:
        return {prefix + name: np.nan for name, _ in levels}
    finite = np.minimum(draws, FINITE)  # c1 can reach infinity, and neighbours would average to it
    return {prefix + name: float(np.quantile(finite, level)) for name, level in levels}
