"""The budget identity (Busbridge et al. 2025, eq. 9) and its inverses.

C = 3 F(N_S) D_S + F(N_T) (delta_lgt D_S + 3 delta_pre D_T)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_distill.compute.architecture import ForwardFlops
from bayes_distill.compute.scenario import Scenario
from bayes_distill.errors import Fault, InputError

TRAINING_PASSES = 3.0
"""Cost of a training step over that of its forward pass."""


class Spending(NamedTuple):
    """FLOPs by what they are spent on; arrays of one shape."""

    student: NDArray[np.float64]
    logits: NDArray[np.float64]
    teacher: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        """Everything, C of eq. 9."""
        return self.student + self.logits + self.teacher


def total_flops(
    student_params: ArrayLike,
    student_tokens: ArrayLike,
    scenario: Scenario,
    flops: ForwardFlops,
    teacher_params: ArrayLike = 0.0,
    teacher_tokens: ArrayLike = 0.0,
) -> Spending:
    """FLOPs of a recipe (eq. 9), split into the student's training, logits and teacher training.

    All sizes and tokens are counts and broadcast. A teacher that costs nothing may be unknown
    (NaN).

    Raises
    ------
    InputError
        If a size or a number of tokens is negative, or one that is charged is not finite.
    """
    charged_model = scenario.logits_share > 0 or scenario.teacher_share > 0
    values = {
        "student_params": _count(student_params),
        "student_tokens": _count(student_tokens),
        "teacher_params": _count(teacher_params, needed=charged_model),
        "teacher_tokens": _count(teacher_tokens, needed=scenario.teacher_share > 0),
    }
    _refuse_bad_counts(values)
    n_s, d_s, n_t, d_t = np.broadcast_arrays(*values.values())
    teacher_flops = flops.forward_flops(n_t)
    student = TRAINING_PASSES * flops.forward_flops(n_s) * d_s
    return Spending(
        student,
        scenario.logits_share * teacher_flops * d_s,
        TRAINING_PASSES * scenario.teacher_share * teacher_flops * d_t,
    )


def student_tokens_left(
    budget: ArrayLike,
    student_params: ArrayLike,
    scenario: Scenario,
    flops: ForwardFlops,
    teacher_params: ArrayLike = 0.0,
    teacher_tokens: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Student tokens D_S that use up `budget` (FLOPs), given the rest; inverse of `total_flops`.

    Raises
    ------
    InputError
        As `total_flops`, and if the teacher alone costs more than the budget.
    """
    budget = _count(budget)
    _refuse_bad_counts({"budget": budget})
    spent = total_flops(student_params, 0.0, scenario, flops, teacher_params, teacher_tokens)
    rest = budget - spent.teacher
    if np.any(rest < 0):
        least = float(np.max(spent.teacher))
        raise InputError(Fault(f"training the teacher alone takes {least:.4g}", column="budget"))
    # the cost is linear in student tokens, so the cost of one is its slope
    one = total_flops(student_params, 1.0, scenario, flops, teacher_params, teacher_tokens)
    return np.asarray(rest / (one.student + one.logits))


def teacher_tokens_left(
    budget: ArrayLike,
    student_params: ArrayLike,
    student_tokens: ArrayLike,
    scenario: Scenario,
    flops: ForwardFlops,
    teacher_params: ArrayLike,
) -> NDArray[np.float64]:
    """Teacher tokens D_T that use up `budget` (FLOPs), given the rest; inverse of `total_flops`.

    Raises
    ------
    InputError
        As `total_flops`; if teacher training is not charged (any number would do); if the student
        and its logits alone cost more than the budget.
    """
    if scenario.teacher_share == 0:
        raise InputError(
            Fault("teacher training is free here: its tokens are open", column="scenario")
        )
    budget = _count(budget)
    _refuse_bad_counts({"budget": budget})
    spent = total_flops(student_params, student_tokens, scenario, flops, teacher_params, 0.0)
    rest = budget - spent.total
    if np.any(rest < 0):
        least = float(np.max(spent.total))
        raise InputError(Fault(f"the student and logits take {least:.4g}", column="budget"))
    one = total_flops(student_params, 0.0, scenario, flops, teacher_params, 1.0)
    return np.asarray(rest / one.teacher)


def _count(value: ArrayLike, needed: bool = True) -> NDArray[np.float64]:
    array = np.asarray(value, dtype=np.float64)
    return array if needed else np.nan_to_num(array, nan=0.0)


def _refuse_bad_counts(values: dict[str, NDArray[np.float64]]) -> None:
    faults = [
        Fault("must be finite and not negative", column=name)
        for name, value in values.items()
        if not np.all((value >= 0) & np.isfinite(value))
    ]
    if faults:
        raise InputError(faults)
