"""Students of the runs, where the caller names none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.plots.student_against_teacher import (
    teacher_curves,
)
from studies import with_table


def test_students_of_the_runs_are_those_near_20_tokens_a_parameter(scattered):
    cells = [(2e8, 4e9, 5), (2e8, 4e10, 5), (1e9, 2e11, 5), (1e9, 2e10, 3), (3e9, 6e10, 2)]
    rows = [
        {"params": n, "tokens": d, "loss": 2.4, "teacher_loss": 2.0 + 0.1 * i}
        for n, d, teachers in cells
        for i in range(teachers)
    ]
    curves = teacher_curves(with_table(scattered, pd.DataFrame(rows))).forecast.table
    students = curves[["params", "tokens"]].drop_duplicates().to_numpy().tolist()
    assert students == [[2e8, 4e9], [1e9, 2e10]]  # the last has too few teachers


def test_without_runs_students_lie_across_their_range(scattered):
    """As for the posteriors that ship."""
    curves = teacher_curves(scattered).forecast.table
    students = curves[["params", "tokens"]].drop_duplicates()
    assert len(students) > 1
    assert students["params"].between(1e8, 6e9).all()
    np.testing.assert_allclose(students["tokens"] / students["params"], 20)
