"""What a recipe may use: tokens that exist, teachers that can be trained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.schema import MOST_PARAMS, MOST_TOKENS

PAIRS = (
    ("min_tokens", "max_tokens"),
    ("min_teacher_tokens", "max_teacher_tokens"),
    ("min_teacher_params", "max_teacher_params"),
)
MOST = {
    "max_tokens": MOST_TOKENS,
    "max_teacher_tokens": MOST_TOKENS,
    "max_teacher_params": MOST_PARAMS,
}
"""What runs, and the points of a forecast, may have: a recipe beyond it could not be forecast."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on the unknowns of a recipe; the defaults are the box of Busbridge et al. 2025.

    That goes to teachers of 1e17 parameters; here to 1e15, the most that runs and forecasts take.

    Parameters
    ----------
    min_tokens, max_tokens
        Tokens D_S that the student may see.
    min_teacher_tokens, max_teacher_tokens
        Tokens D_T that the teacher may see.
    min_teacher_params, max_teacher_params
        Sizes N_T of the teacher.
    teacher_sizes
        A menu of teacher sizes; empty means that any size between the two above will do. Sizes
        of the menu outside of these are left out.

    Raises
    ------
    InputError
        Naming every bound that is not positive and finite, or above what runs and forecasts may
        have (1e15 parameters, 1e19 tokens), every empty range, and a menu of which nothing is left.
    """

    min_tokens: float = 1e6
    max_tokens: float = 1e17
    min_teacher_tokens: float = 1e6
    max_teacher_tokens: float = 1e17
    min_teacher_params: float = 1e6
    max_teacher_params: float = MOST_PARAMS
    teacher_sizes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise InputError(faults)

    def _faults(self) -> Iterator[Fault]:
        bad = set()
        for name in (name for pair in PAIRS for name in pair):
            value = getattr(self, name)
            if not _is_positive(value):
                bad.add(name)
                yield Fault(f"must be a positive number, not {value!r}", column=name)
        for name, most in MOST.items():
            if name not in bad and getattr(self, name) > most:
                bad.add(name)
                value = getattr(self, name)
                problem = f"{value:g} is more than {most:g}, the most that a forecast takes"
                yield Fault(problem, column=name)
        for low, high in PAIRS:
            if bad.isdisjoint((low, high)) and getattr(self, low) > getattr(self, high):
                yield Fault(
                    f"{getattr(self, low):g} is above {high} = {getattr(self, high):g}", column=low
                )
        wrong = [size for size in self.teacher_sizes if not _is_positive(size)]
        if wrong:
            yield Fault(f"must hold positive numbers, not {wrong}", column="teacher_sizes")
        elif self.teacher_sizes and bad.isdisjoint(PAIRS[2]) and not self.menu:
            yield Fault(
                f"none lies between {self.min_teacher_params:g} and {self.max_teacher_params:g}",
                column="teacher_sizes",
            )

    @property
    def menu(self) -> tuple[float, ...]:
        """Teacher sizes to choose from, in order and within the bounds; empty for a continuum."""
        within = {
            float(size)
            for size in self.teacher_sizes
            if self.min_teacher_params <= size <= self.max_teacher_params
        }
        if not self.teacher_sizes and self.min_teacher_params == self.max_teacher_params:
            return (float(self.min_teacher_params),)
        return tuple(sorted(within))

    @property
    def teacher_params_range(self) -> tuple[float, float]:
        """Smallest and largest teacher that may be chosen."""
        sizes = self.menu or (self.min_teacher_params, self.max_teacher_params)
        return float(sizes[0]), float(sizes[-1])


def _is_positive(value: object) -> bool:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return number and 0 < float(value) < math.inf  # type: ignore[arg-type]
