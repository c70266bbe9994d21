"""How single runs of a recipe scatter about its mean curve: the same numbers for every recipe.

A promise is about a run, which has observation noise and the effects of its teacher and condition,
so its probability is computed on draws of a new run. Recipes are compared under common random
numbers: noise and effects are those of the draw, whatever the recipe, so that a difference of
recipes has no noise of its own and the search sees a criterion as smooth as with many more draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bayes_distill.posterior import Posterior
from bayes_distill.posterior.draw_keys import draw_keys
from bayes_distill.posterior.effects import EFFECTS, RUN
from bayes_distill.posterior.keyed_normal import keyed_normal

Floats = NDArray[np.float64]

RUNS = 8
"""Runs of every draw. Their noise is spread evenly over its distribution (a systematic sample)."""


@dataclass(frozen=True, eq=False)
class RunScatter:
    """Scatter of single new runs, each under a new teacher and condition.

    The teacher of a recipe is taken to reach its own mean curve.

    Parameters
    ----------
    posterior
        Of the recipes' losses.
    params
        Size of the student.
    distils
        Whether it has a teacher.
    noise
        Standardised residuals (draws, runs).
    shared
        Effects of teacher, condition and run (draws, runs), in the unit of the loss.
    """

    posterior: Posterior
    params: float
    distils: bool
    noise: Floats
    shared: Floats

    @classmethod
    def of(cls, posterior: Posterior, params: float, *, distils: bool, seed: int = 0) -> RunScatter:
        """Draw noise and effects, which follow from each draw and from the seed."""
        draws = posterior.draws
        start = ndtr(keyed_normal(draw_keys(draws, "noise of runs", seed), np.zeros(1)))
        probability = (start + np.arange(RUNS) / RUNS) % 1.0
        noise = np.empty(probability.shape)
        for likelihood, rows in posterior.likelihoods(np.array([distils])):
            noise[rows] = likelihood.quantile(probability[rows])
        shared = np.zeros(noise.shape)
        for name in EFFECTS:
            if (distils or name == RUN) and f"{name}_sd" in draws:
                keys = draw_keys(draws, f"{name} of runs", seed)
                shared += draws[f"{name}_sd"][:, None] * keyed_normal(keys, np.arange(RUNS))
        return cls(posterior, params, distils, noise, shared * posterior.reference.loss)

    def of_runs(self, losses: Floats) -> Floats:
        """Losses of runs (draws x runs, recipes), from those of the mean curve (draws, recipes)."""
        distils = np.full(losses.shape[1], self.distils)
        params = np.full(losses.shape[1], self.params)
        middle = losses + self.posterior.size_effects(losses, params, distils)
        spread = self.posterior.noise_scale(losses, distils)
        runs = (
            middle[:, None, :]
            + self.shared[:, :, None]
            + spread[:, None, :] * self.noise[:, :, None]
        )
        return np.asarray(runs.reshape(-1, losses.shape[1]))
