"""A teacher that costs nothing: only its loss matters, and only that is determined."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_distill.laws import Reference, TeacherLaw
from bayes_distill.planning.limits import Limits
from bayes_distill.planning.search import Found, choose_teacher_loss

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
    best = choose_teacher_loss(
        coordinates,
        draw,
        {
            "params": np.asarray(params, dtype=np.float64),
            "tokens": tokens,
            "min_params": np.asarray(smallest),
            "max_params": np.asarray(largest),
            "min_tokens": np.asarray(limits.min_teacher_tokens, dtype=np.float64),
            "max_tokens": np.asarray(limits.max_teacher_tokens, dtype=np.float64),
        },
        law,
        reference,
    )
    cases = [best.strongest, best.weakest]
    return Found(
        loss=best.loss,
        teacher_loss=best.teacher_loss,
        teacher_params=np.select(cases, [largest, smallest], np.nan),
        teacher_tokens=np.select(
            cases, [limits.max_teacher_tokens, limits.min_teacher_tokens], np.nan
        ),
        student_tokens=tokens,
        converged=best.converged,
    )
