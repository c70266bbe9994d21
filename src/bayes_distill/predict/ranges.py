"""Ranges of sizes or tokens, from their two ends."""

from __future__ import annotations

import numpy as np

from bayes_distill.errors import Fault, InputError
from bayes_distill.predict.points import Quantity, quantities


def log_range(
    name: str, ends: Quantity | None, default: tuple[float, float], count: int
) -> np.ndarray:
    """Numbers (count,) from the lower to the upper end, evenly spaced in the logarithm.

    Parameters
    ----------
    name
        Name of the argument, for errors.
    ends
        The two ends in either order; ``None`` for `default`.
    default
        Lower and upper end.
    count
        How many numbers.

    Raises
    ------
    InputError
        If `ends` is not two different positive numbers.
    """
    low, high = default if ends is None else _sorted_ends(name, ends)
    return np.geomspace(low, high, count)


def _sorted_ends(name: str, ends: Quantity) -> tuple[float, float]:
    try:
        numbers = quantities(ends)
    except ValueError as error:
        raise InputError(Fault(str(error), column=name)) from None
    wrong = [number for number in numbers if not 0 < number < np.inf]
    if wrong:
        raise InputError(
            [Fault(f"{number:g} is not a positive number", column=name) for number in wrong]
        )
    if len(numbers) != 2 or numbers[0] == numbers[1]:
        raise InputError(Fault("give the two ends of a range, such as 100M,10B", column=name))
    low, high = sorted(numbers)
    return low, high
