"""One draw of a Matern process as a function of log size, which anyone may ask about any size.

A Matern 3/2 process is white noise that a kernel smooths,

    f(x) = integral of h(x - s) dW(s),   h(t) = 2 rate^1.5 t exp(-rate t),   rate = sqrt(3) / length

(Rasmussen and Williams 2006, appendix B). The noise is constant over cells of a fixed grid. What a
cell has follows from the draw's key and from the number of the cell, so that f is the same function
whatever is asked, and has no ends.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from bayes_distill.posterior.keyed_normal import keyed_normal

CELLS = 8  # of a length; correlations are off by at most 0.003
REACH = 12.0  # of 1 / rate: beyond it lies a billionth of the variance


def matern_path(key: np.ndarray, log_sizes: np.ndarray, length: float) -> np.ndarray:
    """Values (draws, points) of independent functions with a variance of 1, one a draw.

    Parameters
    ----------
    key
        A number (draws,), from which each function follows.
    log_sizes
        Where (points,).
    length
        How far the Matern correlation reaches.
    """
    rate, step = np.sqrt(3) / length, length / CELLS
    number = int(np.ceil(REACH / rate / step)) + 1
    cells = np.floor(log_sizes / step).astype(int)[:, None] - np.arange(number)
    since = rate * (log_sizes[:, None] - cells * step)  # the beginning of the cell
    weights = _smoothed(since) - _smoothed(np.maximum(since - rate * step, 0.0))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    each, place = np.unique(cells, return_inverse=True)
    begins = np.arange(0, cells.size + 1, number)
    smoothing = sparse.csr_array(
        (weights.ravel(), place.ravel(), begins), shape=(len(log_sizes), len(each))
    )
    noise = keyed_normal(key, each)
    return np.asarray((smoothing @ noise.T).T)


def _smoothed(t: np.ndarray) -> np.ndarray:
    """Integral of the kernel from 0 to t, both in units of 1 / rate, but for a factor."""
    return np.asarray(1 - (1 + t) * np.exp(-t))
