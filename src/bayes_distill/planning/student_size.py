"""Which student to train, when serving it is paid from the same budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.criteria import Utility
from bayes_distill.planning.recipe import Setting, best_recipe
from bayes_distill.planning.solver.allocation import least_budget
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.solver.optimise import optimise
from bayes_distill.posterior import Posterior

Floats = NDArray[np.float64]

RANGE = (1e7, 1e13)
COARSE, FINE = 25, 5
ROUNDS = 4
DRAWS = 128


@dataclass(frozen=True)
class StudentSize:
    """A size of student, and how sure it is.

    Parameters
    ----------
    size
        N_S whose recipe has the best utility over the whole posterior.
    own
        Each draw's own best among the sizes looked at, (draws,); they lie closest around `size`.
    """

    size: float
    own: Floats


def best_student_size(
    posterior: Posterior,
    budget: float,
    scenario: Scenario,
    limits: Limits,
    flops: ForwardFlops,
    served: float,
    utility: Utility,
) -> StudentSize:
    """Size N_S whose recipe has the best utility after F(N_S) FLOPs for each token served.

    Raises
    ------
    InputError
        If the budget pays for no student at all.
    """
    thin = posterior.thin(DRAWS)
    losses: dict[float, Floats] = {}  # of each draw's own best allocation

    def chosen(size: float) -> StudentSize:
        looked_at = np.array(list(losses))
        return StudentSize(size, looked_at[np.stack(list(losses.values())).argmin(axis=0)])

    def score(size: float) -> float:
        left = budget - float(flops.forward_flops(size)) * served
        if left <= least_budget(float(flops.forward_flops(size)), scenario, limits, flops) * 1.001:
            return float("inf")
        left_over = np.array([left])
        optimum = optimise(
            thin.law, thin.student(size), thin.reference, size, left_over, scenario, limits, flops
        )
        losses[size] = optimum.loss[:, 0]
        setting = Setting(thin, size, scenario, limits, flops)
        recipe = best_recipe(setting, left_over, optimum, utility)
        return float(np.asarray(utility(recipe.losses))[0])

    sizes = np.geomspace(*RANGE, COARSE)
    scores = np.array([score(float(size)) for size in sizes])
    if not np.isfinite(scores).any():
        each = float(flops.forward_flops(RANGE[0]))
        least = least_budget(each, scenario, limits, flops) + each * served
        raise InputError(
            Fault(
                f"{budget:.3g} FLOPs do not pay for training any student and serving {served:.3g} "
                f"tokens under {scenario.name}: with {RANGE[0]:.0e} parameters it takes "
                f"{least:.3g}",
                column="budget",
            )
        )
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
