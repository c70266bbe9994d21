"""Draws of what runs would measure, and of what is wanted of targets."""

from __future__ import annotations

import numpy as np

from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior
from bayes_distill.predict.optimal_teacher import loss_slope
from bayes_distill.predict.points import Points

LEAST_LOSS = 1e-9


def outcomes_of(posterior: Posterior, points: Points, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Log loss (draws, points) of each run without its noise, and the variance of that (points,).

    What runs of one size, teacher or condition share is in the draws, the same for all that share
    it. Noise counts by its Fisher information of the location, as normal noise: outliers carry
    little information.
    """
    curve = points.loss_draws(posterior)
    mean = curve + posterior.shared_effects(points.distilled, seed, **points.groups)
    mean += posterior.size_effects(curve, points.params, points.distilled)
    mean = np.maximum(mean, LEAST_LOSS)
    return np.log(mean), noise_of(posterior, mean, points, relative=True)


def noise_of(
    posterior: Posterior, mean: np.ndarray, points: Points, *, relative: bool
) -> np.ndarray:
    """Variance (points,) of the noise of a run about `mean` (draws, points), or of its log loss."""
    scale = posterior.noise_scale(mean, points.distilled)
    variance = np.empty_like(mean)
    for likelihood, rows in posterior.likelihoods(points.distilled):
        information = np.asarray(likelihood.fisher_information().location)
        variance[rows] = scale[rows] ** 2 / information
    if relative:
        variance /= mean**2
    return np.asarray(np.median(variance, axis=0))


def wanted_of(
    posterior: Posterior, points: Points, about: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of what is wanted of targets, and the variance of a run's noise at each (points,).

    Raises
    ------
    InputError
        If the gap is wanted of a target without a teacher.
    """
    if about == "loss":
        loss = points.loss_draws(posterior)
        return loss, noise_of(posterior, loss, points, relative=False)
    if not points.distilled.all():
        raise InputError(Fault("a gap is of targets that have a teacher", column="about"))
    teacher = points.teacher_draws(posterior, seed)
    slope = loss_slope(posterior, points.params, points.tokens, teacher)
    return slope, np.zeros(len(points))
