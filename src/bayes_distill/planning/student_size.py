"""Which student to train: the size that is best for all draws, and each draw's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayes_distill.planning.recipe_search import best_recipe
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.optimise import Optimum, optimal_loss, optimise
from bayes_distill.planning.solver.problem import Problem, least_budget

Floats = NDArray[np.float64]

RANGE = (1e7, 1e13)
COARSE, FINE = 25, 5
ROUNDS = 4
SPARE = 1.001  # of the cheapest run: with less than this left, a size is not tried
BETWEEN = 0.08  # of a natural logarithm between sizes, where sizes have discrepancies
NARROWING = (2.0, 6.0, 18.0)  # steps around each draw's best size, in parts of the grid's


def affordable_sizes(setting: Setting, budget: float) -> Floats:
    """Sizes of the first grid that the budget pays for, after the tokens served; may be none."""
    sizes = np.geomspace(*RANGE, COARSE)
    return sizes[np.isfinite(_left(setting, sizes, budget))]


def best_student_size(setting: Setting, budget: float) -> float:
    """Size N_S whose recipe is best by the criterion, with the tokens served paid for.

    The size in `setting` is of no account. At least one of `affordable_sizes` is needed.
    """
    thin = setting.thin(setting.draw_counts.student_size)

    def score(size: float) -> float:
        left = _left(thin, np.array([size]), budget)
        if not np.isfinite(left).all():
            return float("inf")
        student = replace(thin, params=size)
        recipe = best_recipe(student, left, optimise(student.problem, left))
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
        return float(sizes[best])
    step = np.log(sizes[1] / sizes[0])
    finest = float(sizes[best] * np.exp(_lowest(scores[best - 1 : best + 2, None], step)[0]))
    return finest if score(finest) < scores[best] else float(sizes[best])


def own_optima(setting: Setting, budget: float) -> Optimum:
    """Each draw's best size and split of one budget, arrays (draws, 1); sizes are its `params`.

    Sizes are searched on a grid, then in shrinking steps around each draw's best. The size in
    `setting`, that of the recipe, is one of those tried: no recipe is better than the optimum.
    """
    draws = setting.posterior.n_draws
    best = np.full(draws, float(setting.params))
    losses = _losses(setting, best, budget)

    def tried(sizes: Floats) -> Floats:
        nonlocal best, losses
        found = _losses(setting, sizes, budget)
        best, losses = np.where(found < losses, sizes, best), np.minimum(found, losses)
        return found

    for size in affordable_sizes(setting, budget):
        tried(np.full(draws, size))
    coarse = np.log(RANGE[1] / RANGE[0]) / (COARSE - 1)
    if setting.posterior.discrepancies:  # paths over size have more valleys than a law
        low, high = np.clip([np.exp(-coarse) * best.min(), np.exp(coarse) * best.max()], *RANGE)
        for size in np.geomspace(low, high, 2 + int(np.log(high / low) / BETWEEN)):
            tried(np.full(draws, size))
    for part in NARROWING:
        step = coarse / part
        middle, of_middle = best, losses
        below, above = (tried(np.clip(middle * np.exp(x), *RANGE)) for x in (-step, step))
        tried(np.clip(middle * np.exp(_lowest(np.array([below, of_middle, above]), step)), *RANGE))
    left = _left(setting, best, budget)
    return optimise(_problem(setting, best), left[:, None])


def _lowest(losses: Floats, step: float) -> Floats:
    """Lowest point (draws,) of parabolas through losses (3, draws) at -step, 0 and step.

    At most two steps away; 0 where there is none.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        bend = losses[0] - 2 * losses[1] + losses[2]
        place = step * (losses[0] - losses[2]) / (2 * bend)
    return np.where((bend > 0) & np.isfinite(place), np.clip(place, -2 * step, 2 * step), 0.0)


def _losses(setting: Setting, sizes: Floats, budget: float) -> Floats:
    """Losses (draws,) of each draw's best allocation for its size; infinite if it is too dear."""
    left = _left(setting, sizes, budget)
    paid = np.flatnonzero(np.isfinite(left))
    losses = np.full(sizes.size, np.inf)
    if paid.size:
        problem = _problem(setting, sizes).of_draws(paid)
        losses[paid] = optimal_loss(problem, left[paid, None])[:, 0]
    return losses


def _problem(setting: Setting, sizes: Floats) -> Problem:
    """The solver's problem with a size for each draw (draws,)."""
    return replace(setting.problem, draws=setting.posterior.student(sizes), params=sizes)


def _left(setting: Setting, sizes: Floats, budget: float) -> Floats:
    """What students of `sizes` leave of the budget for training, FLOPs; NaN if it is too little.

    The budget pays for the tokens served first. Of the shape of `sizes`.
    """
    serving = np.asarray(setting.flops.forward_flops(sizes)) * setting.served_tokens
    least = least_budget(sizes, setting.scenario, setting.limits, setting.flops)
    left = budget - serving
    return np.where(left > least * SPARE, left, np.nan)
