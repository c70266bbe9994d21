"""How flat the optimum is: teacher sizes that cost next to nothing against the best one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayes_distill.planning.recipe_search import Recipe, complete
from bayes_distill.planning.setting import Setting

Floats = NDArray[np.float64]

NEARLY = 0.005  # nats: about what repeated runs differ by
DECADES = 2.0  # looked at, to either side of the recipe
SIZES, TOKENS, CLOSER = 49, 45, 17  # grid points


def near_optimal_teachers(
    setting: Setting, budget: Floats, recipe: Recipe
) -> tuple[Floats, Floats]:
    """Smallest and largest teacher (budgets,) that cost less than 0.005 nats of expected loss.

    Teacher tokens are chosen anew for each size, and student tokens take what is left. Looked for
    within a factor of 100 of the recipe's teacher; NaN where no teacher is described.
    """
    small, large = np.full(budget.size, np.nan), np.full(budget.size, np.nan)
    few = setting.thin(setting.draw_counts.near_optimal)
    low, high = np.log(setting.limits.teacher_params_range)
    reach = np.log(10) * DECADES
    for place in np.flatnonzero(np.isfinite(recipe.teacher_params)):
        centre = np.log(recipe.teacher_params[place])
        sizes = np.linspace(max(low, centre - reach), min(high, centre + reach), SIZES)
        sizes = np.union1d(np.log(setting.limits.menu) if setting.limits.menu else sizes, [centre])
        profile = _profile(few, float(budget[place]), sizes)
        near = np.flatnonzero(profile <= profile.min() + NEARLY)
        small[place], large[place] = np.exp(sizes[near[0]]), np.exp(sizes[near[-1]])
    return small, large


def _profile(setting: Setting, budget: float, log_sizes: Floats) -> Floats:
    """Expected loss (sizes,) of the best recipe for each size of teacher."""

    def expected(log_tokens: Floats) -> Floats:
        sizes = np.broadcast_to(log_sizes[:, None], log_tokens.shape)
        trials = np.stack([sizes, log_tokens], axis=-1).reshape(-1, 2)
        recipe = complete(setting, np.full(len(trials), budget), trials)
        loss = np.where(np.isnan(recipe.student_tokens), np.inf, recipe.losses.mean(axis=0))
        return loss.reshape(log_tokens.shape)

    limits = setting.limits
    fewest, most = np.log([limits.min_teacher_tokens, limits.max_teacher_tokens])
    coarse = np.linspace(fewest, most, TOKENS)
    best = coarse[expected(np.tile(coarse, (log_sizes.size, 1))).argmin(axis=1)]
    step = coarse[1] - coarse[0]
    closer = np.linspace(best - step, best + step, CLOSER, axis=1)
    profile: Floats = expected(np.clip(closer, fewest, most)).min(axis=1)
    return profile
