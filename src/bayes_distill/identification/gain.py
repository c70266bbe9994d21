"""Information gain of one more run: the expected share of a target's variance that it removes.

There are two estimates, both from posterior draws. *Linear*: were target and measurement jointly
normal, measuring m with noise of variance s^2 would reduce the variance of a target t by
cov(t, m)^2 / (var(m) + s^2). *Reweighted*: outcomes are simulated from the draws, the draws are
weighted by the likelihood of each outcome (smoothed, PSIS), and the target's weighted variance is
averaged over outcomes; that assumes no normal distribution.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from arviz_stats.base import array_stats

from bayes_distill.likelihoods import Likelihood

OUTCOMES = 64
HIGH_K = 0.7


class Reweighted(NamedTuple):
    """Gain by target (targets,), its Monte Carlo error, and the share of outcomes with k > 0.7."""

    gain: np.ndarray
    error: np.ndarray
    unreliable: float


def linear_gain(
    targets: np.ndarray, means: np.ndarray, scales: np.ndarray, likelihood: Likelihood
) -> np.ndarray:
    """Share of variance that each run would remove, to first order: (candidates, targets).

    Parameters
    ----------
    targets
        Draws of the targets, (draws, targets).
    means, scales
        Mean and residual scale of each candidate run, (draws, candidates).
    likelihood
        That of single runs; parameters that are sampled have one value a draw, (draws,). Noise
        counts by its Fisher information I of the location, as normal noise with the variance
        scale^2 / I: outliers carry little information.
    """
    information = likelihood.fisher_information().location
    variances = scales**2 / np.reshape(information, (-1, 1))
    noise = variances.mean(axis=0)
    t, m = targets - targets.mean(axis=0), means - means.mean(axis=0)
    covariance = m.T @ t / len(t)
    variance = (t**2).mean(axis=0)
    total = (m**2).mean(axis=0) + noise
    # nothing is left to gain for a target that is the same in all draws
    safe = np.where(variance > 0, variance, 1.0)
    return np.asarray(np.where(variance > 0, covariance**2 / (total[:, None] * safe), 0.0))


def reweighted_gain(
    targets: np.ndarray,
    mean: np.ndarray,
    scale: np.ndarray,
    likelihood: Likelihood,
    generator: np.random.Generator,
    outcomes: int = OUTCOMES,
) -> Reweighted:
    """Share of variance that one run would remove, averaged over simulated outcomes.

    `targets` is (draws, targets), `mean` and `scale` (draws,) are those of the run, and parameters
    of the likelihood that are sampled are (draws,).
    """
    draws = len(mean)
    # outcomes of evenly spaced quantiles of the mean: less Monte Carlo error than at random
    place = (np.arange(outcomes) + generator.random()) / outcomes
    source = np.argsort(mean)[(place * draws).astype(int)]
    # and evenly spaced quantiles of the noise, in random order
    probability = (generator.permutation(outcomes) + generator.random()) / outcomes
    noise = likelihood.map_parameters(lambda values: values[source]).quantile(probability)
    measured = mean[source] + scale[source] * noise
    log_weights = likelihood.log_density(measured[:, None], mean, scale)
    smoothed, k = array_stats.psislw(-log_weights, axis=-1)  # it takes their negative
    weights = np.exp(smoothed - smoothed.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    centre = weights @ targets
    left = weights @ targets**2 - centre**2
    left /= 1 - (weights**2).sum(axis=-1, keepdims=True)  # as n - 1, for weights
    variance = targets.var(axis=0)
    share = left / np.where(variance > 0, variance, 1.0)
    gain = np.where(variance > 0, 1 - share.mean(axis=0), 0.0)
    error = share.std(axis=0) / np.sqrt(outcomes)
    return Reweighted(gain, error, float((k > HIGH_K).mean()))
