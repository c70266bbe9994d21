"""One allocation problem: a student, the draws that describe it, and what a recipe may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_distill.compute import TRAINING_PASSES, Architecture, ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import Law, Reference
from bayes_distill.planning.solver.limits import Limits

Floats = NDArray[np.float64]

ARCHITECTURE = Architecture()
NO_LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Problem:
    """What a search for allocations is about, whatever the budget.

    Parameters
    ----------
    law
        A law with a teacher, unless `scenario` is supervised training.
    draws
        The law's coordinates, each of shape (draws,), and the weights of its discrepancies, (draws,
        weights); numbers are one draw. Kept as arrays of as many draws.
    reference
        The law's reference.
    params
        N_S, non-embedding parameters of the student; (draws,) where each draw has its own.
    scenario
        Who pays for the teacher.
    limits
        What a recipe may use.
    flops
        How FLOPs are counted.

    Raises
    ------
    InputError
        Naming the coordinates that have another shape than the rest; if there are none at all.
    """

    law: Law
    draws: Mapping[str, ArrayLike]
    reference: Reference
    params: float | Floats
    scenario: Scenario
    limits: Limits = NO_LIMITS
    flops: ForwardFlops = ARCHITECTURE

    def __post_init__(self) -> None:
        object.__setattr__(self, "draws", _of_one_shape(self.draws))

    @property
    def coordinates(self) -> dict[str, Floats]:
        """The draws as arrays, name -> (draws,)."""
        return dict(self.draws)  # type: ignore[arg-type]

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return len(next(iter(self.coordinates.values())))

    @cached_property
    def sizes(self) -> Floats:
        """N_S of every draw, (draws,)."""
        return np.broadcast_to(np.asarray(self.params, float), (self.n_draws,))

    @cached_property
    def flops_per_token(self) -> Floats:
        """FLOPs of training each draw's student on one token, (draws,)."""
        return TRAINING_PASSES * np.asarray(self.flops.forward_flops(self.sizes))

    @property
    def least_budget(self) -> Floats:
        """FLOPs of each draw's cheapest run within the limits, (draws,)."""
        return least_budget(self.sizes, self.scenario, self.limits, self.flops)

    def of_draws(self, index: NDArray[np.intp]) -> Problem:
        """The same problem with some of the draws."""
        draws = {k: v[index] for k, v in self.coordinates.items()}
        params = self.params if np.ndim(self.params) == 0 else self.sizes[index]
        return replace(self, draws=draws, params=params)

    def with_teacher_of(self, size: float) -> Problem:
        """The same problem with a single teacher size."""
        limits = replace(
            self.limits, min_teacher_params=size, max_teacher_params=size, teacher_sizes=()
        )
        return replace(self, limits=limits)


def least_budget(
    params: ArrayLike, scenario: Scenario, limits: Limits, flops: ForwardFlops
) -> Floats:
    """FLOPs of the cheapest run of students of `params` within the limits, of that shape."""
    student_flops = np.asarray(flops.forward_flops(np.asarray(params, float)))
    student = TRAINING_PASSES * student_flops * limits.min_tokens
    if not scenario.distils:
        return np.asarray(student)
    smallest, _ = limits.teacher_params_range
    logits = scenario.logits_share * limits.min_tokens
    training = TRAINING_PASSES * scenario.teacher_share * limits.min_teacher_tokens
    return np.asarray(student + float(flops.forward_flops(smallest)) * (logits + training))


def _of_one_shape(draws: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    arrays = {name: np.atleast_1d(np.asarray(v, float)) for name, v in draws.items()}
    if not arrays:
        raise InputError(Fault("there are no coordinates", column="draws"))
    count = max(v.shape[0] for v in arrays.values())
    faults = [
        Fault(f"must have shape ({count},), not {v.shape}", column=name)
        for name, v in arrays.items()
        if v.shape[0] not in (count, 1)
    ]
    if count == 0:
        faults = [Fault("there are no draws", column="draws")]
    if faults:
        raise InputError(faults)
    return {name: np.broadcast_to(v, (count, *v.shape[1:])) for name, v in arrays.items()}
