"""A teacher that costs nothing: only its loss matters, and only that is determined."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from bayes_distill.laws import TeacherLaw
from bayes_distill.planning.solver.batched_search import (
    Family,
    FreeTeacher,
    choose_teacher_loss,
)
from bayes_distill.planning.solver.problem import Problem
from bayes_distill.planning.solver.solutions import Solutions

Floats = NDArray[np.float64]


def solve_free_teacher(problem: Problem, draw: NDArray[np.intp], tokens: Floats) -> Solutions:
    """Best teacher loss for students on `tokens` (cases,); `draw` (cases,) is the draw of each.

    The teacher's size and tokens are NaN, unless the best teacher is the strongest (or weakest)
    that the limits allow: that one has the most (least) of both.
    """
    limits = problem.limits
    smallest, largest = limits.teacher_params_range
    students = FreeTeacher(
        *np.log(
            [
                problem.sizes[draw],
                tokens,
                *(
                    np.full(tokens.shape, bound)
                    for bound in (
                        smallest,
                        largest,
                        limits.min_teacher_tokens,
                        limits.max_teacher_tokens,
                    )
                ),
            ]
        )
    )
    family = Family(cast(TeacherLaw, problem.law), problem.reference, None)
    loss, teacher_loss, position, converged = choose_teacher_loss(
        problem.coordinates, draw, students, family
    )
    ends = [position <= 0, position >= 1]
    return Solutions(
        loss=loss,
        teacher_loss=teacher_loss,
        teacher_params=np.select(ends, [largest, smallest], np.nan),
        teacher_tokens=np.select(
            ends, [limits.max_teacher_tokens, limits.min_teacher_tokens], np.nan
        ),
        student_tokens=tokens,
        converged=converged,
    )
