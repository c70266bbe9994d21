"""Student loss against teacher loss for some students, and the best teacher of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.posterior.hull import Hull
from bayes_distill.posterior.stored_runs import runs_of
from bayes_distill.predict import points
from bayes_distill.predict.capacity_gap import GapRisk, risk
from bayes_distill.predict.forecast import Forecast, forecast
from bayes_distill.predict.points import Quantity

TEACHERS = 80
MOST_STUDENTS = 5
CANDIDATES = 15  # sizes to take them from, where there are no runs
FEWEST_TEACHERS = 3
USUAL_RATIO = 20.0  # tokens a parameter, about compute-optimal
FALLBACK = (1.8, 2.8)  # nats per token, for point coefficients that came from no runs


@dataclass(frozen=True)
class TeacherCurves:
    """Curves of student loss over teacher loss.

    Parameters
    ----------
    curves
        Forecast of every student at every teacher loss.
    best
        The best teacher of every student, one row a student.
    """

    curves: Forecast
    best: GapRisk


def teacher_curves(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    at: pd.DataFrame | str | Path | None = None,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> TeacherCurves:
    """Forecast students over a range of teachers.

    Parameters
    ----------
    posterior
        Of a distillation law: a `Posterior`, a file written by `fit`, or a card's name.
    params, tokens
        Students: every combination. Left out, some of the students of the runs.
    teacher_loss
        The two ends of the range, or all the losses to look at; by default the range of the runs.
    at
        A table of students instead, with the columns ``params`` and ``tokens``.
    interval, seed, allow_failed
        As in `forecast`.

    Raises
    ------
    InputError
        Naming every argument at fault.
    """
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    losses = _losses(loaded, teacher_loss)
    if at is not None:
        if params is not None or tokens is not None:
            raise InputError(Fault("give either a table or single values, not both", column="at"))
        asked = points.from_table(at)
        students = list(dict.fromkeys(zip(asked.params, asked.tokens, strict=True)))
    elif params is None and tokens is None:
        students = students_of(loaded)
    else:
        asked = points.grid(params, tokens)
        students = list(zip(asked.params, asked.tokens, strict=True))
    table = pd.DataFrame(
        [{"params": n, "tokens": d, "teacher_loss": t} for n, d in students for t in losses]
    )
    curves = forecast(loaded, at=table, interval=interval, seed=seed, allow_failed=allow_failed)
    one = table.drop_duplicates(["params", "tokens"])
    best = risk(loaded, at=one, interval=interval, seed=seed, allow_failed=allow_failed)
    return TeacherCurves(curves, best)


def students_of(posterior: Posterior) -> list[tuple[float, float]]:
    """Students of the runs that saw several teachers, one a size, smallest first.

    Of each size the one nearest to 20 tokens a parameter. Where the posterior holds no runs, as
    those that ship, sizes across the range of its runs, on 20 tokens a parameter.

    Raises
    ------
    InputError
        If the posterior holds no runs with teachers, and knows of none.
    """
    runs = runs_of(posterior)
    if runs is not None and "teacher_loss" in runs:
        seen = runs.dropna(subset="teacher_loss").groupby(["params", "tokens"])["teacher_loss"]
        counts = seen.nunique().rename("teachers").reset_index()
        counts = counts[counts["teachers"] >= FEWEST_TEACHERS]
        off = np.abs(np.log(counts["tokens"] / counts["params"] / USUAL_RATIO)).to_numpy()
        chosen = counts.iloc[off.argsort(kind="stable")].drop_duplicates("params")
        chosen = chosen.sort_values("params")
        if len(chosen):
            few = np.unique(np.linspace(0, len(chosen) - 1, MOST_STUDENTS).round().astype(int))
            return list(chosen.iloc[few][["params", "tokens"]].itertuples(index=False, name=None))
    elif runs is None and posterior.hull is not None and posterior.hull.teacher_loss:
        return _students_within(posterior.hull)
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
    few = np.unique(np.linspace(0, len(inside) - 1, MOST_STUDENTS).round().astype(int))
    return [inside[i] for i in few] if inside else students[:1]


def _losses(posterior: Posterior, given: Quantity | None) -> np.ndarray:
    if given is None:
        hull = posterior.hull
        ends = hull.teacher_loss if hull is not None and hull.teacher_loss else FALLBACK
        return np.linspace(*ends, TEACHERS)
    found = teacher_losses(given)
    return np.linspace(found[0], found[1], TEACHERS) if len(found) == 2 else np.array(found)


def teacher_losses(given: Quantity) -> Sequence[float]:
    """Teacher losses in rising order.

    Raises
    ------
    InputError
        If they are not at least two different losses.
    """
    losses = np.unique(points.grid(1e9, 1e9, given).teacher_loss)
    if losses.size < 2:
        raise InputError(
            Fault("give the two ends of a range, such as 1.8,2.8", column="teacher_loss")
        )
    return [float(loss) for loss in losses]
