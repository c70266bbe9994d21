"""Where a smooth function of the budget first stops being positive, for every draw.

The zeros are found by Chandrupatla's bracketing method as SciPy has it, for all draws in step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Evaluate = Callable[[NDArray[np.intp], Floats], Floats]
"""Takes indices of draws (m,) and one abscissa for each, and returns values (m,)."""

TOLERANCES = {"xatol": 1e-11, "xrtol": 0.0, "fatol": 1e-14, "frtol": 0.0}
"""Width of a bracket in log budget, and values that count as zero: losses relative to the
reference have rounding errors of about 1e-15."""


def first_fall(evaluate: Evaluate, grid: Floats, values: Floats) -> Floats:
    """First zero at which a function turns from positive to not positive.

    Parameters
    ----------
    evaluate
        The function, see `Evaluate`.
    grid
        Increasing abscissae, shape (points,).
    values
        The function there, shape (draws, points).

    Returns
    -------
    Zeros, shape (draws,); NaN where the function does not fall through zero on the grid. Two
    crossings between neighbouring points of the grid go unseen.
    """
    positive = values > 0
    falls = positive[:, :-1] & ~positive[:, 1:]
    draws = np.flatnonzero(falls.any(axis=1))
    where = np.argmax(falls[draws], axis=1)
    root = np.full(len(values), np.nan)
    root[draws] = _zeros(evaluate, draws, grid[where], grid[where + 1])
    return root


def last_rise(evaluate: Evaluate, grid: Floats, values: Floats) -> Floats:
    """Zero above which a function is positive up to the end of the grid.

    Arguments are as for `first_fall`. Zeros, shape (draws,); NaN where it is positive everywhere
    on the grid, or not at its end.
    """
    positive = values > 0
    draws = np.flatnonzero(positive[:, -1] & ~positive.all(axis=1))
    last = grid.size - 1 - np.argmin(positive[draws, ::-1], axis=1)  # the last that is not
    root = np.full(len(values), np.nan)
    root[draws] = _zeros(evaluate, draws, grid[last], grid[last + 1])
    return root


def only_fall(evaluate: Evaluate, count: int, low: float, high: float) -> Floats:
    """Zero of a function that falls, between `low` and `high`, for each of `count` draws.

    ``-inf`` where the function is not positive at `low` already, ``inf`` where it still is at
    `high`. `evaluate` is as for `first_fall`.
    """
    everyone = np.arange(count)
    at_low = evaluate(everyone, np.full(count, low))
    at_high = evaluate(everyone, np.full(count, high))
    root = np.where(at_low <= 0, -np.inf, np.inf)
    draws = np.flatnonzero((at_low > 0) & (at_high <= 0))
    ends = (np.full(draws.size, end) for end in (low, high))
    root[draws] = _zeros(evaluate, draws, *ends)
    return root


def _zeros(evaluate: Evaluate, draws: NDArray[np.intp], low: Floats, high: Floats) -> Floats:
    """Zeros of the function in brackets (m,) of draws (m,)."""
    if not draws.size:
        return np.empty(0)
    from scipy.optimize import elementwise  # takes half a second, which few plans need

    zeros: Floats = elementwise.find_root(
        lambda x, index: evaluate(index, x), (low, high), args=(draws,), tolerances=TOLERANCES
    ).x
    return zeros
