"""Solutions of many problems, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Solutions(NamedTuple):
    """Best allocations; arrays of one shape, mostly (problems,).

    Sizes and tokens are counts, losses in the runs' unit. NaN where nothing is determined.
    """

    loss: Floats
    teacher_loss: Floats
    teacher_params: Floats
    teacher_tokens: Floats
    student_tokens: Floats
    converged: Flags

    def map(self, change: Callable[[Any], Any]) -> Solutions:
        """The same change made to every array."""
        return Solutions(*(change(x) for x in self))

    def where(self, condition: Flags, other: Solutions) -> Solutions:
        """These solutions where `condition` holds, and the others elsewhere."""
        return Solutions(*(np.where(condition, a, b) for a, b in zip(self, other, strict=True)))

    def put(self, where: NDArray[np.intp], other: Solutions) -> Solutions:
        """These solutions with those at some places replaced."""
        return Solutions(*(put(a, where, b) for a, b in zip(self, other, strict=True)))

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> Solutions:
        """No solutions: losses are infinite."""
        unknown = np.full(shape, np.nan)
        return cls(np.full(shape, np.inf), unknown, unknown, unknown, unknown, np.ones(shape, bool))


def put(values: NDArray[Any], where: NDArray[np.intp], new: NDArray[Any]) -> NDArray[Any]:
    """A copy of some values in which those at some places are replaced."""
    changed = values.copy()
    changed[where] = new
    return changed
