"""Ranges that are asked for by their two ends."""

from __future__ import annotations

import numpy as np

from bayes_distill.errors import Fault, InputError
from bayes_distill.predict.points import Quantity, quantities


def log_range(
    name: str, given: Quantity | None, default: tuple[float, float], count: int
) -> np.ndarray:
    """Numbers (count,) from the lower to the upper end, evenly spaced in the logarithm.

    Raises
    ------
    InputError
        If `given` is not two different positive numbers.
    """
    low, high = default if given is None else _ends(name, given)
    return np.geomspace(low, high, count)


def _ends(name: str, given: Quantity) -> tuple[float, float]:
    try:
        found = quantities(given)
    except ValueError as error:
        raise InputError(Fault(str(error), column=name)) from None
    wrong = [value for value in found if not 0 < value < np.inf]
    if wrong:
        raise InputError(
            [Fault(f"{value:g} is not a positive number", column=name) for value in wrong]
        )
    if len(found) != 2 or found[0] == found[1]:
        raise InputError(Fault("give the two ends of a range, such as 100M,10B", column=name))
    low, high = sorted(found)
    return low, high
