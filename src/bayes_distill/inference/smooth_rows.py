"""The smooth discrepancy at the runs of a table: few directions instead of all weights.

Runs lie in a small part of the plane, so they tell only some combinations of the weights: those
along the right singular vectors of the basis at the runs. These are sampled. The rest has no
bearing on any run, and keeps its prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_distill.inference.padding import padded
from bayes_distill.laws.smooth_discrepancy import (
    STUDENT_SMOOTH,
    UPWARD,
    basis,
    student_basis,
)

LEAST = 0.02
"""Singular value, all runs together, below which a combination of weights counts as untold."""
LEAST_OF_EXCESS = 0.1
"""The same for the excess of students, which is a tenth to a half of their loss."""
PAD = 8  # numbers of combinations are rounded up to this


@dataclass(frozen=True)
class SmoothRows:
    """Discrepancy of the runs as a linear function of a few combinations of the weights.

    Parameters
    ----------
    student, teacher
        Matrices (rows, combinations), of students and of teachers known by size; zero for runs
        without such a teacher.
    directions
        Orthonormal columns (weights, combinations); zero columns are padding.
    """

    student: np.ndarray
    teacher: np.ndarray
    directions: np.ndarray

    @classmethod
    def of(cls, student: np.ndarray, teacher: np.ndarray, least: float = LEAST) -> SmoothRows:
        """Of the basis (rows, weights) at students and at teachers, zero where there is none."""
        directions = told(np.concatenate([student, teacher]), least)
        return cls(student @ directions, teacher @ directions, directions)


def smooth_rows(
    student: tuple[np.ndarray, np.ndarray],
    teacher: tuple[np.ndarray, np.ndarray],
    log_teacher: np.ndarray,
) -> dict[str, SmoothRows]:
    """Both sides of the discrepancy of supervised losses, and that of the excess of students.

    `student` and `teacher` are logs of size and tokens over the reference's, (rows,) each; NaN for
    a teacher that is not known by its size. `log_teacher` is the same of the teacher's loss;
    without a measured one (NaN) a teacher counts as one of middling strength.
    """
    known = np.isfinite(teacher[0]) & np.isfinite(teacher[1])
    at_teacher = np.asarray(basis(*(np.where(known, each, 0.0) for each in teacher)))
    at_student, at_teacher = np.asarray(basis(*student)), at_teacher * known[:, None]
    strength = np.where(np.isfinite(log_teacher), log_teacher, 0.0)
    excess = np.asarray(student_basis(*student, strength))
    return {
        "smooth_up": SmoothRows.of(at_student[:, UPWARD], at_teacher[:, UPWARD]),
        "smooth_down": SmoothRows.of(at_student[:, ~UPWARD], at_teacher[:, ~UPWARD]),
        STUDENT_SMOOTH: SmoothRows.of(excess, np.zeros_like(excess), LEAST_OF_EXCESS),
    }


def told(rows: np.ndarray, least: float = LEAST) -> np.ndarray:
    """Combinations of weights (weights, padded number) that `rows` (rows, weights) tell apart.

    `least` is the singular value from which a combination counts as told.
    """
    _, values, vectors = np.linalg.svd(rows, full_matrices=False)
    count = max(1, int((values > least).sum()))
    directions = np.zeros((rows.shape[1], padded(count, PAD)))
    directions[:, :count] = vectors[:count].T
    return directions


def all_weights(
    drawn: np.ndarray, directions: np.ndarray, strength: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Weights (draws, weights): the combinations that were sampled, and the rest from its prior.

    `drawn` is (draws, combinations), `strength` (draws,) the standard deviation of a weight.
    """
    told_ones = directions[:, np.abs(directions).sum(axis=0) > 0]
    fresh = strength[:, None] * generator.standard_normal((len(drawn), len(directions)))
    untold = fresh - (fresh @ told_ones) @ told_ones.T
    return np.asarray(drawn @ directions.T + untold)
