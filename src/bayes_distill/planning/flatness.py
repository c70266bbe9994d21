"""How flat the optimum is: teacher sizes that cost next to nothing against the best one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayes_distill.planning.recipe import Recipe, Setting, complete

Floats = NDArray[np.float64]

NEARLY = 0.005  # nats: about what repeated runs differ by
SIZES, TOKENS = 49, 41
DECADES = 2.0  # looked at, to either side of the recipe
DRAWS = 64


def teacher_size_range(setting: Setting, budget: Floats, recipe: Recipe) -> tuple[Floats, Floats]:
    """Smallest and largest teacher (budgets,) that cost less than 0.005 nats of expected loss.

    Teacher tokens are chosen anew for each size, and student tokens take what is left. Looked for
    within a factor of 100 of the recipe's teacher; NaN where no teacher is described.
    """
    small, large = np.full(budget.size, np.nan), np.full(budget.size, np.nan)
    few = replace(setting, posterior=setting.posterior.thin(DRAWS))
    reach = np.log(10) * DECADES
    for place in np.flatnonzero(np.isfinite(recipe.teacher_params)):
        low, high = np.log(setting.limits.teacher_params_range)
        centre = np.log(recipe.teacher_params[place])
        sizes = np.linspace(max(low, centre - reach), min(high, centre + reach), SIZES)
        sizes = np.union1d(np.log(setting.limits.menu) if setting.limits.menu else sizes, [centre])
        best = np.log(recipe.teacher_tokens[place])
        tokens = np.union1d(np.linspace(best - reach, best + reach, TOKENS), [best])
        tokens = np.clip(
            tokens,
            np.log(setting.limits.min_teacher_tokens),
            np.log(setting.limits.max_teacher_tokens),
        )
        grid = np.stack(np.meshgrid(sizes, tokens, indexing="ij"), axis=-1).reshape(-1, 2)
        trial = complete(few, np.full(len(grid), budget[place]), grid)
        expected = np.where(np.isnan(trial.student_tokens), np.inf, trial.losses.mean(axis=0))
        profile = expected.reshape(sizes.size, tokens.size).min(axis=1)
        near = np.flatnonzero(profile <= profile.min() + NEARLY)
        small[place], large[place] = np.exp(sizes[near[0]]), np.exp(sizes[near[-1]])
    return small, large
