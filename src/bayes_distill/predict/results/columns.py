"""Columns of tables of results: ``{quantity}_{mean|median|sd|lower|upper}``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STATISTICS = ("mean", "median", "sd", "lower", "upper")


def summary(
    quantity: str,
    draws: np.ndarray,
    interval: float,
    statistics: Sequence[str] = STATISTICS,
) -> dict[str, np.ndarray]:
    """Summarise a quantity's draws over their first axis.

    Parameters
    ----------
    quantity
        Name of the quantity, which is also that of its draws.
    draws
        Draws (draws, ...). A point without a value is NaN in all draws.
    interval
        Probability inside the equal-tailed interval from ``lower`` to ``upper``.
    statistics
        Which of them; draws that are not all finite have no ``mean`` and no ``sd``.

    Returns
    -------
    dict
        ``{quantity}_mean``, ``_median``, ``_sd``, ``_lower`` and ``_upper``, each (...). Where all
        draws agree they are that value itself, and not what rounding makes of its mean.
    """
    first = draws[0]
    agree = (draws == first).all(axis=0)
    unknown = np.isnan(first) & np.isnan(draws).all(axis=0)
    if (agree | unknown).all():
        found = dict.fromkeys(STATISTICS, first) | {"sd": np.where(unknown, np.nan, 0.0)}
    else:
        # one sort serves all quantiles, and takes less time than selecting two of them
        n = len(draws)
        ordered = np.sort(np.moveaxis(draws, 0, -1), axis=-1)
        found = {
            "median": np.asarray((ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2),
            "lower": _quantile(ordered, (1 - interval) / 2),
            "upper": _quantile(ordered, (1 + interval) / 2),
        }
        if "mean" in statistics:
            found["mean"] = np.where(agree, first, draws.mean(axis=0))
        if "sd" in statistics:
            found["sd"] = np.where(agree, 0.0, draws.std(axis=0))
    return {f"{quantity}_{name}": found[name] for name in statistics}


def _quantile(ordered: np.ndarray, probability: float) -> np.ndarray:
    """What ``np.quantile`` gives, to the last digit, of draws sorted along the last axis."""
    place = (ordered.shape[-1] - 1) * probability
    below = int(np.floor(place))
    a, b = ordered[..., below], ordered[..., min(below + 1, ordered.shape[-1] - 1)]
    part = place - below
    if part == 0:
        return np.asarray(a)
    with np.errstate(invalid="ignore"):  # infinite neighbours have no difference
        between = a + (b - a) * part if part < 0.5 else b - (b - a) * (1 - part)
    return np.where(a == b, a, between)


def columns_of(quantity: str, statistics: Sequence[str] = STATISTICS) -> tuple[str, ...]:
    """Names of a quantity's columns: ``columns_of("loss", ("lower", "upper"))``."""
    return tuple(f"{quantity}_{name}" for name in statistics)
