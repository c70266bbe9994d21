"""Where a smooth function of the budget first stops being positive, for every draw at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Evaluate = Callable[[NDArray[np.intp], Floats], Floats]

STEPS = 80
WIDTH = 1e-10  # of a bracket, in log budget
FAR = 2.0  # a bracket on which the function is no straight line
NOTHING = 1e-13  # a value that counts as zero


def first_fall(evaluate: Evaluate, grid: Floats, values: Floats) -> Floats:
    """First zero at which a function turns from positive to not positive.

    Parameters
    ----------
    evaluate
        Takes indices of draws (m,) and one abscissa for each, and returns values (m,).
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
    if draws.size:
        root[draws] = _illinois(
            evaluate,
            draws,
            grid[where],
            grid[where + 1],
            values[draws, where],
            values[draws, where + 1],
        )
    return root


def only_fall(evaluate: Evaluate, count: int, low: float, high: float) -> Floats:
    """Zero of a function that falls, between `low` and `high`, for each of `count` draws.

    ``-inf`` where the function is not positive at `low` already, ``inf`` where it still is at
    `high`. `evaluate` is as for `first_fall`.
    """
    everyone = np.arange(count)
    a, b = np.full(count, low), np.full(count, high)
    fa, fb = evaluate(everyone, a), evaluate(everyone, b)
    root = np.where(fa <= 0, -np.inf, np.inf)
    draws = np.flatnonzero((fa > 0) & (fb <= 0))
    if draws.size:
        root[draws] = _illinois(evaluate, draws, a[draws], b[draws], fa[draws], fb[draws])
    return root


def _illinois(
    evaluate: Evaluate, draws: NDArray[np.intp], a: Floats, b: Floats, fa: Floats, fb: Floats
) -> Floats:
    """Regula falsi that halves the value at the end it keeps; bisection far from the zero."""
    a, b, fa, fb = a.copy(), b.copy(), fa.copy(), fb.copy()
    x = np.where(np.abs(fb) <= NOTHING, b, a)
    open_ = (np.abs(fa) > NOTHING) & (np.abs(fb) > NOTHING)
    for step in range(STEPS):
        i = np.flatnonzero(open_)
        if i.size == 0:
            break
        far = (b[i] - a[i] > FAR) | (step % 4 == 3)
        fraction = np.where(far, 0.5, fa[i] / (fa[i] - fb[i]))
        x[i] = a[i] + fraction * (b[i] - a[i])
        fx = evaluate(draws[i], x[i])
        left = fx > 0
        # the end that stays counts half, or it would never be left behind
        a[i], fa[i] = np.where(left, x[i], a[i]), np.where(left, fx, fa[i] / 2)
        b[i], fb[i] = np.where(left, b[i], x[i]), np.where(left, fb[i] / 2, fx)
        open_[i] = (np.abs(fx) > NOTHING) & (b[i] - a[i] > WIDTH)
    return x
