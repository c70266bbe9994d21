"""What one recipe for all draws costs against knowing the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Of the reference loss: how far an optimum may lie above a recipe by rounding.

Newton's method ends once it expects to win less than 1e-13, and two programs that evaluate one law
differ by 1e-15.
"""
MISSED = 0.01
"""Share of the draws whose optimum may lie higher than that.

A law with a smooth discrepancy may have several valleys, and Newton's method, which starts from a
grid, end in the second best: in 1 of 9000 strongly bent draws it did. More than a few are no matter
of the optimiser's: then recipe and optimum are judged by two functions.
"""


def regret_of(recipe: Floats, optimum: Floats, unit: float) -> Floats:
    """Loss of a recipe minus that of each draw's own optimum, (draws, budgets), in the loss's unit.

    Both are by the same draws and the same discrepancies, so that no recipe is better than the
    optimum: the difference is zero or more, and nothing is cut off.

    Parameters
    ----------
    recipe, optimum
        Losses (draws, budgets).
    unit
        The reference loss.

    Raises
    ------
    AssertionError
        If a recipe is better than the optimum by more than `TOLERANCE` in more draws than `MISSED`.
    """
    difference = recipe - optimum
    better = difference < -TOLERANCE * unit
    if (better.mean(axis=0) > MISSED).any():
        raise AssertionError(
            f"a recipe is better than the optimum of {better.mean(axis=0).max():.1%} of the draws, "
            f"by up to {-np.nanmin(difference):.2g}"
        )
    return np.asarray(difference)
