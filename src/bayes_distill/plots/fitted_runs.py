"""The runs of a posterior, and students of theirs to show where the caller names none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.hull import Hull
from bayes_distill.posterior.stored_runs import runs_of

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

MOST_STUDENTS = 5
CANDIDATES = 15  # sizes to take them from, where there are no runs
FEWEST_TEACHERS = 3
USUAL_RATIO = 20.0  # tokens a parameter, about compute-optimal


def fitted_runs(posterior: Posterior) -> Runs | None:
    """The runs that were fitted, as a table of runs; ``None`` if the posterior holds none."""
    from bayes_distill.runs import read_runs

    frame = runs_of(posterior)
    return None if frame is None else read_runs(frame)


def distilled_hull(posterior: Posterior) -> Hull | None:
    """Where the distilled runs were; ``None`` if there were none."""
    return None if posterior.hulls is None else posterior.hulls.distilled


def students_of(posterior: Posterior) -> list[tuple[float, float]]:
    """Sizes and tokens of students of the runs with several teachers, one a size, smallest first.

    Of each size the one nearest to 20 tokens a parameter. Where the posterior holds no runs, as
    those that ship, sizes across the range of its runs, on 20 tokens a parameter.

    Raises
    ------
    InputError
        If the posterior holds no runs with teachers, and no range of them.
    """
    runs = runs_of(posterior)
    if runs is not None and "teacher_loss" in runs:
        taught = runs.dropna(subset="teacher_loss").groupby(["params", "tokens"])["teacher_loss"]
        counts = taught.nunique().rename("teachers").reset_index()
        counts = counts[counts["teachers"] >= FEWEST_TEACHERS]
        off = np.abs(np.log(counts["tokens"] / counts["params"] / USUAL_RATIO)).to_numpy()
        nearest = counts.iloc[off.argsort(kind="stable")].drop_duplicates("params")
        nearest = nearest.sort_values("params")
        if len(nearest):
            few = nearest.iloc[_spaced(len(nearest))]
            return list(few[["params", "tokens"]].itertuples(index=False, name=None))
    elif runs is None and (hull := distilled_hull(posterior)) is not None:
        return _students_within(hull)
    raise InputError(
        [
            Fault("is needed: this posterior holds no runs to take students from", column=name)
            for name in ("params", "tokens")
        ]
    )


def _students_within(hull: Hull) -> list[tuple[float, float]]:
    """Students on 20 tokens a parameter across the runs' sizes, as far as the runs reach."""
    log_sizes = [x for x, _ in hull.points]
    between = np.geomspace(np.exp(min(log_sizes)), np.exp(max(log_sizes)), CANDIDATES)
    sizes = [float(f"{size:.1e}") for size in between]
    students = [(size, USUAL_RATIO * size) for size in sizes]
    inside = [student for student in students if hull.factors(*student) == (1.0, 1.0)]
    return [inside[i] for i in _spaced(len(inside))] if inside else students[:1]


def _spaced(count: int) -> np.ndarray:
    """At most `MOST_STUDENTS` places out of so many, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, MOST_STUDENTS).round().astype(int))
