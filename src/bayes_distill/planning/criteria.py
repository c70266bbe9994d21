"""What makes one recipe better than another: functions of the draws of its loss; less is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_distill.errors import Fault, InputError

Utility = Callable[[NDArray[np.float64]], Any]
"""Takes losses (draws, recipes) and returns numbers (recipes,), to be minimised."""


def mean(losses: NDArray[np.float64]) -> Any:
    """Expected loss: for whoever repeats such decisions."""
    return losses.mean(axis=0)


def quantile(level: float) -> Utility:
    """Loss that is exceeded with probability 1 - level: for whoever promises a loss."""
    return lambda losses: np.quantile(losses, level, axis=0)


def cvar(level: float) -> Utility:
    """Mean of the worst 1 - level of the draws (conditional value at risk)."""

    def worst(losses: NDArray[np.float64]) -> Any:
        count = max(1, round((1 - level) * losses.shape[0]))
        return np.partition(losses, losses.shape[0] - count, axis=0)[-count:].mean(axis=0)

    return worst


def miss(target: float) -> Utility:
    """Probability of missing a target loss; ties are broken by the expected loss.

    The tie-break is worth at most a thousandth of a probability, so it decides only where all
    draws agree.
    """

    def probability(losses: NDArray[np.float64]) -> Any:
        average = losses.mean(axis=0)
        return (losses > target).mean(axis=0) + 1e-3 * average / (average + target)

    return probability


def per_recipe(own: Callable[[NDArray[np.float64]], float]) -> Utility:
    """Make a utility of a user's own function of the draws (draws,) of one recipe.

    Raises
    ------
    InputError
        If it is no function, or gives no number for some made-up losses.
    """
    needed = "must be a function that takes losses (draws,) and returns a number"
    if not callable(own):
        raise InputError(Fault(f"{needed}, not {own!r}", column="utility"))
    given = own(np.linspace(2.0, 2.1, 11))
    if np.ndim(given) or not np.isfinite(given):
        raise InputError(Fault(f"{needed}; it returned {given!r}", column="utility"))
    return lambda losses: np.array([float(own(column)) for column in losses.T])


def utility_named(name: str) -> Utility:
    """Read ``mean``, ``quantile:0.9``, ``cvar:0.9`` or ``target:2.2``.

    Raises
    ------
    InputError
        If it is none of them, or its number is out of range.
    """
    kind, _, text = name.partition(":")
    if kind == "mean" and not text:
        return mean
    makers = {"quantile": quantile, "cvar": cvar, "target": miss}
    if kind not in makers:
        raise InputError(
            Fault(
                f"{name!r} is not known: write mean, quantile:0.9, cvar:0.9 or target:2.2",
                column="utility",
            )
        )
    try:
        value = float(text)
    except ValueError:
        raise InputError(
            Fault(f"{name!r} needs a number, as in {kind}:0.9", column="utility")
        ) from None
    allowed = 0 < value < np.inf if kind == "target" else 0 < value < 1
    if not allowed:
        what = "a positive loss" if kind == "target" else "between 0 and 1"
        raise InputError(Fault(f"the number of {name!r} must be {what}", column="utility"))
    return makers[kind](value)
