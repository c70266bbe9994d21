"""Which student to train, when serving it is paid from the same budget."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_distill.planning.recipe_search import best_recipe
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.optimise import optimise

Floats = NDArray[np.float64]

RANGE = (1e7, 1e13)
COARSE, FINE = 25, 5
ROUNDS = 4
SPARE = 1.001  # of the cheapest run: with less than this left, a size is not tried


@dataclass(frozen=True, eq=False)
class StudentSize:
    """A size of student, and how sure it is.

    Parameters
    ----------
    size
        N_S whose recipe is best by the criterion over the whole posterior.
    per_draw
        The best for each draw among the sizes tried, (draws,); they lie closest around `size`.
    """

    size: float
    per_draw: Floats


def affordable_sizes(setting: Setting, budget: float) -> Floats:
    """Sizes of the first grid that the budget pays for, after the tokens served; may be none."""
    sizes = np.geomspace(*RANGE, COARSE)
    return np.array([n for n in sizes if np.isfinite(_left(setting, float(n), budget))])


def best_student_size(setting: Setting, budget: float) -> StudentSize:
    """Size N_S whose recipe is best by the criterion, with the tokens served paid for.

    The size in `setting` is of no account. At least one of `affordable_sizes` is needed.
    """
    thin = setting.thin(setting.draw_counts.student_size)
    losses: dict[float, Floats] = {}  # of each draw's best allocation

    def chosen(size: float) -> StudentSize:
        tried = np.array(list(losses))
        return StudentSize(size, tried[np.stack(list(losses.values())).argmin(axis=0)])

    def score(size: float) -> float:
        left = _left(thin, size, budget)
        if not np.isfinite(left):
            return float("inf")
        student, budgets = replace(thin, params=size), np.array([left])
        optimum = optimise(student.problem, budgets)
        losses[size] = optimum.loss[:, 0]
        recipe = best_recipe(student, budgets, optimum)
        assert recipe.score is not None
        return float(recipe.score[0])

    sizes = np.geomspace(*RANGE, COARSE)
    scores = np.array([score(float(size)) for size in sizes])
    for _ in range(ROUNDS):
        best = int(scores.argmin())
        low, high = sizes[max(best - 1, 0)], sizes[min(best + 1, sizes.size - 1)]
        sizes = np.geomspace(low, high, FINE)
        scores = np.array([score(float(size)) for size in sizes])
    best = int(scores.argmin())
    if not 0 < best < FINE - 1 or not np.isfinite(scores[best - 1 : best + 2]).all():
        return chosen(float(sizes[best]))
    # the lowest point of the parabola through the best and its neighbours
    left, middle, right = scores[best - 1 : best + 2]
    step = np.log(sizes[1] / sizes[0])
    bend = left - 2 * middle + right
    finest = float(sizes[best] * np.exp(step * (left - right) / (2 * bend))) if bend > 0 else 0.0
    return chosen(finest if finest > 0 and score(finest) < middle else float(sizes[best]))


def _left(setting: Setting, size: float, budget: float) -> float:
    """What a student of `size` leaves of the budget for training, FLOPs; NaN if it is too little.

    The budget pays for the tokens served first.
    """
    student = replace(setting, params=size)
    left = budget - student.serving_flops
    return left if left > student.least_budget * SPARE else float("nan")
