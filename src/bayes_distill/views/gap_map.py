"""Capacity-gap risk over student size and tokens, for one teacher."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import mean_of
from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict import points as asked
from bayes_distill.predict.arguments import check_teachers
from bayes_distill.predict.extrapolation import extrapolation
from bayes_distill.predict.optimal_teacher import loss_slope
from bayes_distill.predict.points import Points, Quantity
from bayes_distill.views.ranges import log_range

CELLS = 64
DRAWS = 500
BEYOND = 3.0  # factor by which the map reaches beyond the runs
FALLBACK = {"params": (1e8, 1e11), "tokens": (1e9, 1e13)}  # for a posterior that came from no runs


@dataclass(frozen=True)
class GapMap:
    """Capacity-gap risk on a grid of students.

    Parameters
    ----------
    table
        One row a size and number of tokens: ``params, tokens, p_stronger_teacher_hurts`` (as in
        `GapRisk`) and ``outside``, whether the student lies outside the runs.
    teacher_loss
        Mean loss of the teacher.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    teacher_loss: float
    notes: tuple[str, ...]


def gap_map(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    cells: int = CELLS,
    draws: int = DRAWS,
    allow_failed: bool = False,
) -> GapMap:
    """Probability that a stronger teacher hurts, on a grid of students under one teacher.

    Parameters
    ----------
    posterior
        Of a distillation law: a `Posterior`, a file written by `fit`, or a card's name.
    params, tokens
        The two ends of each range; by default the runs' with a factor of 3 on either side.
    teacher_loss, teacher_params, teacher_tokens
        The teacher, as in `capacity_gap`.
    cells
        Grid points along each side.
    draws
        Most draws to use; more are thinned evenly.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.

    Raises
    ------
    InputError
        Naming every argument at fault.
    """
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    thin = loaded.thin(draws)
    faults: list[Fault] = []
    sides = []
    default = _default(thin)
    for name, given in (("params", params), ("tokens", tokens)):
        try:
            sides.append(log_range(name, given, default[name], cells))
        except InputError as error:
            faults += error.faults
    try:
        one = asked.grid(1e9, 1e10, teacher_loss, teacher_params, teacher_tokens)
        if not one.distilled.all():
            faults.append(
                Fault("is needed (or teacher_params and teacher_tokens)", column="teacher_loss")
            )
        elif len(one) > 1:
            faults.append(Fault("name one teacher: a map is of one", column="teacher_loss"))
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    check_teachers(thin, one)
    teacher = one.teacher_draws(thin)  # (draws, 1)
    n, d = (side.ravel() for side in np.meshgrid(*sides))
    slope = loss_slope(thin, n, d, np.repeat(teacher, n.size, axis=1))
    mean = float(mean_of(teacher)[0])
    nothing = np.full(n.size, np.nan)
    where = extrapolation(thin, Points(n, d, nothing, nothing, nothing), nothing)
    table = pd.DataFrame(
        {
            "params": n,
            "tokens": d,
            "p_stronger_teacher_hurts": (slope < 0).mean(axis=0),
            "outside": where["outside"],
        }
    )
    return GapMap(table, mean, loaded.warnings)


def _default(posterior: Posterior) -> dict[str, tuple[float, float]]:
    hull = posterior.hull
    if hull is None:
        return FALLBACK
    corners = np.exp(np.array(hull.points))
    return {
        name: (float(side.min() / BEYOND), float(side.max() * BEYOND))
        for name, side in zip(("params", "tokens"), corners.T, strict=True)
    }
