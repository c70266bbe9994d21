"""Scores of a forecast that is known by its quantiles."""

from __future__ import annotations

import numpy as np


def ends(probabilities: np.ndarray, quantiles: np.ndarray, level: float) -> tuple[float, float]:
    """Lower and upper end of the equal-tailed interval of a level; linear between quantiles."""
    lower, upper = np.interp([(1 - level) / 2, (1 + level) / 2], probabilities, quantiles)
    return float(lower), float(upper)


def interval_score(lower: float, upper: float, loss: float, level: float) -> float:
    """Width, and 2 / (1 - level) times the distance of a loss outside; in the unit of the loss.

    Gneiting and Raftery 2007, eq. 43.
    """
    outside = max(lower - loss, 0.0) + max(loss - upper, 0.0)
    return upper - lower + 2 / (1 - level) * outside


def crps(probabilities: np.ndarray, quantiles: np.ndarray, loss: float) -> float:
    """Continuous ranked probability score, in the unit of the loss.

    Twice the quantile loss, integrated over probabilities (Gneiting and Ranjan 2011, eq. 14) by
    the trapezoidal rule; beyond the outermost quantiles the forecast is taken to end.
    """
    p = np.concatenate([[0.0], probabilities, [1.0]])
    q = np.concatenate([quantiles[:1], quantiles, quantiles[-1:]])
    quantile_loss = ((loss <= q) - p) * (q - loss)
    return float(2 * np.trapezoid(quantile_loss, p))


def pit(probabilities: np.ndarray, quantiles: np.ndarray, loss: float) -> float:
    """Share of the forecast below the loss; 0 or 1 beyond the outermost quantiles."""
    if loss < quantiles[0]:
        return 0.0
    if loss > quantiles[-1]:
        return 1.0
    return float(np.interp(loss, quantiles, probabilities))
