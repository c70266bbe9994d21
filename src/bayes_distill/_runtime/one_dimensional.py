"""Searches along one line inside compiled programs: golden section and bisection.

SciPy's elementwise searches (`scipy.optimize.elementwise`) take NumPy arrays and a function that
returns to Python at every step; these are for functions that are traced into one program. Every
element of an array is a separate problem, and takes the same number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

GOLDEN = (5**0.5 - 1) / 2


class Bracket(NamedTuple):
    """Where the least value lies, arrays of one shape.

    Parameters
    ----------
    low, high
        Ends of the bracket.
    best
        The better of the two inner points that were looked at last.
    """

    low: Array
    high: Array
    best: Array


def golden_section(
    objective: Callable[[Array], Array], low: Array, high: Array, steps: int
) -> Bracket:
    """Bracket the minimum of a function with a single valley between two ends.

    Parameters
    ----------
    objective
        Elementwise: takes abscissae and returns values, both of the shape of the ends.
    low, high
        Ends of the bracket, of one shape.
    steps
        Sections; each shrinks the bracket by the golden ratio, for one evaluation.
    """

    def section(_: int, state: tuple[Array, ...]) -> tuple[Array, ...]:
        """Drop the worse end; one of the two inner points stays one, with its value."""
        a, b, left, right, at_left, at_right = state
        keep_left = at_left < at_right
        a, b = jnp.where(keep_left, a, left), jnp.where(keep_left, right, b)
        new = jnp.where(keep_left, b - GOLDEN * (b - a), a + GOLDEN * (b - a))
        at_new = objective(new)
        return (
            a,
            b,
            jnp.where(keep_left, new, right),
            jnp.where(keep_left, left, new),
            jnp.where(keep_left, at_new, at_right),
            jnp.where(keep_left, at_left, at_new),
        )

    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    start = (low, high, left, right, objective(left), objective(right))
    a, b, left, right, at_left, at_right = jax.lax.fori_loop(0, steps, section, start)
    return Bracket(a, b, jnp.where(at_left < at_right, left, right))


def bisect(holds: Callable[[Array], Array], low: Array, high: Array, steps: int) -> Array:
    """Least value between two ends at which a condition holds that then holds for all above.

    Parameters
    ----------
    holds
        Elementwise: takes abscissae and returns truth values.
    low, high
        Ends, which broadcast.
    steps
        Halvings of the bracket.

    Returns
    -------
    Array
        `low` where the condition holds there already, `high` where it holds nowhere.
    """

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        left, right = ends
        middle = (left + right) / 2
        above = holds(middle)
        return jnp.where(above, left, middle), jnp.where(above, middle, right)

    left, right = jnp.broadcast_arrays(low, high)
    left, right = jax.lax.fori_loop(0, steps, halve, (left, right))
    return jnp.where(holds(left), left, right)
