"""A teacher that costs nothing: only its loss matters, and only that is determined."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.planning.solver.batched_search import (
    Found,
    FreeTeacher,
    Problem,
    choose_teacher_loss,
)
from bayes_distill.planning.solver.limits import Limits

Floats = NDArray[np.float64]


def solve_free_teacher(
    law: TeacherLaw,
    coordinates: Mapping[str, Floats],
    draw: NDArray[np.intp],
    reference: Reference,
    params: float,
    tokens: Floats,
    limits: Limits,
) -> Found:
    """Best teacher loss for students of `params` on `tokens` (problems,).

    The teacher's size and tokens are NaN, unless the best teacher is the strongest (or weakest)
    that the limits allow: that one has the most (least) of both.
    """
    smallest, largest = limits.teacher_params_range
    students = FreeTeacher(
        *np.log(
            [
                np.full(tokens.shape, params),
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
    loss, teacher_loss, position, converged = choose_teacher_loss(
        coordinates, draw, students, Problem(law, reference, None)
    )
    ends = [position <= 0, position >= 1]
    return Found(
        loss=loss,
        teacher_loss=teacher_loss,
        teacher_params=np.select(ends, [largest, smallest], np.nan),
        teacher_tokens=np.select(
            ends, [limits.max_teacher_tokens, limits.min_teacher_tokens], np.nan
        ),
        student_tokens=tokens,
        converged=converged,
    )
