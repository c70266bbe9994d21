"""Criteria: what makes one recipe better than another.

A criterion is a risk measure of the draws of a recipe's loss, which is minimised. That loss is the
one that a single run measures: a quantile, the mean of the worst part and the probability of
missing a target count its noise, and what it shares with other runs, with the uncertainty of the
law. Only the expected loss is that of the mean curve, which is the same but for less Monte Carlo
error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_distill.errors import Fault, InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Criterion:
    """A risk measure that is minimised.

    Parameters
    ----------
    name
        As `criterion_named` reads it; empty for a function of the caller's.
    measure
        Takes losses (draws, recipes) and returns numbers (recipes,).
    of_run
        Whether the draws are of single new runs (`run_scatter`), several for each draw of the
        posterior, and not of the mean curve, of which there is one.
    """

    name: str
    measure: Callable[[Floats], Any]
    of_run: bool = True

    def __call__(self, losses: Floats) -> Floats:
        """Numbers (recipes,) of losses (draws, recipes)."""
        return np.asarray(self.measure(losses), dtype=float)


mean = Criterion("mean", lambda losses: losses.mean(axis=0), of_run=False)
"""Expected loss: for whoever repeats such decisions."""


def quantile(level: float) -> Criterion:
    """Loss that a run exceeds with probability 1 - level: for whoever promises a loss."""
    return Criterion(f"quantile:{level!r}", lambda losses: np.quantile(losses, level, axis=0))


def cvar(level: float) -> Criterion:
    """Mean of the worst 1 - level of runs (conditional value at risk)."""

    def worst(losses: Floats) -> Any:
        count = max(1, round((1 - level) * losses.shape[0]))
        return np.partition(losses, losses.shape[0] - count, axis=0)[-count:].mean(axis=0)

    return Criterion(f"cvar:{level!r}", worst)


def miss(target: float) -> Criterion:
    """Probability that a run misses a target loss; ties are broken by the expected loss.

    The tie-break is worth at most a thousandth of a probability, so it decides only where all
    draws agree.
    """

    def probability(losses: Floats) -> Any:
        average = losses.mean(axis=0)
        return (losses > target).mean(axis=0) + 1e-3 * average / (average + target)

    return Criterion(f"target:{target!r}", probability)


def per_recipe(function: Callable[[Floats], float]) -> Criterion:
    """Make a criterion of a function of the losses (draws,) of runs of one recipe.

    ``Criterion("", measure, of_run=False)`` has those of the mean curve.

    Raises
    ------
    InputError
        If it is no function, or gives no number for some made-up losses.
    """
    needed = "must be a function that takes losses (draws,) and returns a number"
    if not callable(function):
        raise InputError(Fault(f"{needed}, not {function!r}", column="criterion"))
    value = function(np.linspace(2.0, 2.1, 11))
    if np.ndim(value) or not np.isfinite(value):
        raise InputError(Fault(f"{needed}; it returned {value!r}", column="criterion"))
    return Criterion("", lambda losses: [float(function(column)) for column in losses.T])


def criterion_named(name: str) -> Criterion:
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
                column="criterion",
            )
        )
    try:
        value = float(text)
    except ValueError:
        raise InputError(
            Fault(f"{name!r} needs a number, as in {kind}:0.9", column="criterion")
        ) from None
    allowed = 0 < value < np.inf if kind == "target" else 0 < value < 1
    if not allowed:
        what = "a positive loss" if kind == "target" else "between 0 and 1"
        raise InputError(Fault(f"the number of {name!r} must be {what}", column="criterion"))
    return makers[kind](value)


def read_criterion(criterion: str | Criterion | Callable[[Floats], float]) -> Criterion:
    """A criterion from its name, or from a function of the draws (draws,) of one recipe.

    Raises
    ------
    InputError
        As `criterion_named` and `per_recipe` do.
    """
    if isinstance(criterion, Criterion):
        return criterion
    return criterion_named(criterion) if isinstance(criterion, str) else per_recipe(criterion)
