"""How good a forecast in the form of draws was, once the loss is known.

All scores are of the predictive draws of a single new run, except where a mean curve is named.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from bayes_distill._input.intervals import equal_tailed


def crps(draws: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score (points,), in the unit of the loss; less is better.

    E|X - y| - E|X - X'| / 2 (Gneiting & Raftery 2007, eq. 21) for X, X' independent and of the
    forecast, each expectation unbiased for the draws (Zamo & Naveau 2018, eq. 6). A forecast of
    one draw is scored by its absolute error.

    Parameters
    ----------
    draws
        Predictive draws (draws, points).
    loss
        Measured losses (points,).
    """
    n = len(draws)
    error: np.ndarray = np.abs(draws - loss).mean(axis=0)
    if n == 1:
        return error
    # the sum over all pairs of |x_i - x_j|, from the order statistics
    weights = 2 * np.arange(1, n + 1) - n - 1
    pairs = weights @ np.sort(draws, axis=0)
    score: np.ndarray = error - pairs / (n * (n - 1))
    return score


def pit(draws: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Probability integral transform (points,): the share of draws below the loss.

    Uniform where the forecast is calibrated; 0 or 1 where the loss lies outside all draws.
    """
    below: np.ndarray = (draws < loss).mean(axis=0)
    ties: np.ndarray = (draws == loss).mean(axis=0)
    return below + ties / 2


def bands(draws: np.ndarray, levels: Sequence[float]) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """Equal-tailed predictive bands (points,) at each level."""
    return {level: equal_tailed(draws, level) for level in levels}


def log_predictive(log_density: np.ndarray) -> np.ndarray:
    """Log predictive density (points,) of each loss, from its log density (draws, points)."""
    found: np.ndarray = logsumexp(log_density, axis=0) - np.log(len(log_density))
    return found


def joint_log_predictive(log_density: np.ndarray) -> tuple[float, float]:
    """Log predictive density of all losses together, and how many draws it rests on.

    Losses that are wrong together within a draw are judged together: `log_density` (draws,) is that
    of all of them in each draw (`joint_density`), and the densities are averaged. The second figure
    is the effective number of draws, (sum w)^2 / sum w^2 of the densities w; where it is close to 1
    the first is a lower bound.
    """
    total = logsumexp(log_density)
    effective = np.exp(2 * total - logsumexp(2 * log_density))
    return float(total - np.log(len(log_density))), float(effective)


def brier(forecast: np.ndarray, happened: np.ndarray) -> float:
    """Mean squared distance of forecast probabilities from what happened (0 or 1)."""
    return float(np.mean((forecast - happened) ** 2))


def base_rate_brier(happened: np.ndarray) -> float:
    """Brier score of always forecasting the frequency that was observed, known in hindsight."""
    rate = float(np.mean(happened))
    return rate * (1 - rate)
