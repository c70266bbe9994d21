"""Density of runs whose noise is independent and which share normal effects, integrated over these.

    y = mean + effects + noise,   effects ~ N(0, C),   noise_i ~ scale_i x (normal or Student t)

For normal noise that is a multivariate normal density. A Student t is a normal distribution with a
random precision, w ~ Gamma(nu / 2, nu / 2): given w the effects are integrated exactly, and w is
drawn from an approximation of its posterior (importance sampling, which is unbiased for the
density; the approximation is the variational one of Tipping and Lawrence 2005).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

SWEEPS = 5  # of the variational approximation, from weights of 1
SAMPLES = 8  # of the precisions of noise
DEFENSIVE = 0.1  # share of precisions that are drawn from their prior: bounds the weights


def normal_log_density(residual: np.ndarray, scale: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Log density (draws,) of residuals under normal noise.

    Parameters
    ----------
    residual
        Losses less their means (draws, runs).
    scale
        Standard deviations of the noise (draws, runs).
    shared
        Covariance of what runs share (draws, runs, runs).
    """
    factor = np.linalg.cholesky(_with_noise(shared, scale**2))
    # NumPy solves no batches of triangles: as if they were square
    white = np.linalg.solve(factor, residual[..., None])[..., 0]
    log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    constant = 0.5 * residual.shape[-1] * np.log(2 * np.pi)
    return np.asarray(-0.5 * (white**2).sum(axis=1) - log_det - constant)


def student_t_log_density(
    residual: np.ndarray,
    scale: np.ndarray,
    shared: np.ndarray,
    degrees_of_freedom: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Log of an unbiased estimate (draws,) of the density of residuals under Student t noise.

    `degrees_of_freedom` broadcasts with `residual`; the rest is as in `normal_log_density`.
    """
    nu = np.broadcast_to(degrees_of_freedom, residual.shape)
    shape, rate = (nu + 1) / 2, _rates(residual, scale, shared, nu)
    terms = np.empty((SAMPLES, len(residual)))
    for each in terms:
        own = generator.gamma(shape) / rate
        prior = generator.gamma(nu / 2) / (nu / 2)
        weight = np.where(generator.random(nu.shape) < DEFENSIVE, prior, own)
        weight = np.maximum(weight, 1e-12)
        before = _log_gamma_density(weight, nu / 2, nu / 2)
        drawn = np.logaddexp(
            np.log(1 - DEFENSIVE) + _log_gamma_density(weight, shape, rate),
            np.log(DEFENSIVE) + before,
        )
        each[:] = normal_log_density(residual, scale / np.sqrt(weight), shared)
        each += (before - drawn).sum(axis=1)
    return np.asarray(np.logaddexp.reduce(terms, axis=0) - np.log(SAMPLES))


def _rates(
    residual: np.ndarray, scale: np.ndarray, shared: np.ndarray, nu: np.ndarray
) -> np.ndarray:
    """Rates (draws, runs) of the Gamma distributions that approximate those of the precisions."""
    variance, rate = scale**2, (nu + 1) / 2
    for _ in range(SWEEPS):
        noise = variance * rate / ((nu + 1) / 2)
        inverse = np.linalg.inv(_with_noise(shared, noise))
        expected = noise * (inverse @ residual[..., None])[..., 0]  # of the noise in each loss
        left = noise - noise**2 * np.diagonal(inverse, axis1=1, axis2=2)
        rate = (nu + (expected**2 + np.maximum(left, 0.0)) / variance) / 2
    return np.asarray(rate)


def _with_noise(shared: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Covariance of losses (draws, runs, runs)."""
    total = shared.copy()
    place = np.arange(variance.shape[-1])
    total[:, place, place] += variance
    return total


def _log_gamma_density(x: np.ndarray, shape: np.ndarray, rate: np.ndarray) -> np.ndarray:
    return np.asarray(shape * np.log(rate) - gammaln(shape) + (shape - 1) * np.log(x) - rate * x)
