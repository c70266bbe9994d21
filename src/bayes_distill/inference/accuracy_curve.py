"""From losses to accuracies: a bounded sigmoid, fitted to runs that have both.

    a(L) = c + (t - c) / (1 + exp(k (L - m))),   y ~ Student t(4) about a(L)

c is the accuracy of guessing, which is known, t <= 1 the accuracy at no loss, m the loss half-way
and k > 0 how steeply it falls. What a measured accuracy y is off by has a scale of its own, and of
a test of n questions the binomial variance a (1 - a) / n besides.

Four numbers need no NUTS: importance sampling around the mode takes a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats
from scipy.special import expit, logit

from bayes_distill.errors import InputError
from bayes_distill.inference.importance import Proposal, importance_sample

DEGREES = 4.0
POINTS, ROUNDS, DRAWS = 4000, 6, 4000
LEAST_RUNS = 6
SLOPE = stats.norm(np.log(2.0), 1.0)
"""Prior of the log slope, in standard deviations of the losses."""
MIDDLE = stats.norm(0.0, 2.0)
"""Of the middle, in standard deviations about the median loss."""
TOP = stats.norm(1.5, 1.2)
"""Of the log odds of the top between guessing and 1: 0.82, from 0.39 to 0.97 in 90%."""
ERROR = stats.norm(np.log(0.02), 1.0)
"""Of the log of the error's scale."""
RELIABLE = 0.7
"""Pareto k of the weights above which draws are not to be trusted."""
NOWHERE = 1e12
STEP = 1e-3


@dataclass(frozen=True, eq=False)
class AccuracyCurve:
    """Draws of the curve.

    Parameters
    ----------
    chance
        Accuracy c of guessing.
    top, middle, slope, error
        Draws (draws,) of t, of m and k in the unit of the loss, and of the scale of the error.
    items
        Questions of the test; ``None`` where that is in the error.
    range_of_losses
        Lowest and highest loss of the runs.
    runs
        How many runs it was fitted to.
    pareto_k
        Of the weights of its draws: above 0.7 they are not to be trusted.
    """

    chance: float
    top: np.ndarray
    middle: np.ndarray
    slope: np.ndarray
    error: np.ndarray
    items: int | None
    range_of_losses: tuple[float, float]
    runs: int
    pareto_k: float

    def mean(self, loss: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Accuracy (draws, points) at losses (draws, points), by the draws `rows` of the curve."""
        top, middle, slope = (each[rows, None] for each in (self.top, self.middle, self.slope))
        return np.asarray(self.chance + (top - self.chance) * expit(slope * (middle - loss)))

    def measured(
        self, loss: np.ndarray, rows: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Accuracies (draws, points) that tests would measure, between 0 and 1."""
        mean = self.mean(loss, rows)
        scale = np.sqrt(_variance(mean, self.error[rows, None], self.items))
        noise = generator.standard_t(DEGREES, mean.shape)
        return np.asarray(np.clip(mean + scale * noise, 0.0, 1.0))


def fit_curve(
    loss: np.ndarray, accuracy: np.ndarray, chance: float, items: int | None, seed: int
) -> AccuracyCurve:
    """Fit the curve to losses and accuracies (runs,).

    Raises
    ------
    InputError
        If no mode is found.
    """
    centre, spread = float(np.median(loss)), float(np.std(loss))
    x = (loss - centre) / spread

    def log_density(points: np.ndarray) -> np.ndarray:
        """Log posterior density (points,) at log slope, middle, log odds of the top, log error."""
        log_slope, middle, odds, log_error = (part[:, None] for part in points.T)
        mean = chance + (1 - chance) * expit(odds) * expit(np.exp(log_slope) * (middle - x))
        scale = np.sqrt(_variance(mean, np.exp(log_error), items))
        likelihood = stats.t.logpdf(accuracy, DEGREES, mean, scale).sum(axis=1)
        priors = (SLOPE, MIDDLE, TOP, ERROR)
        prior = sum(each.logpdf(part) for each, part in zip(priors, points.T, strict=True))
        return np.asarray(likelihood + prior)

    def potential(point: np.ndarray) -> float:
        value = -float(log_density(point[None])[0])
        return value if np.isfinite(value) else NOWHERE

    highest = np.clip((accuracy.max() - chance) / (1 - chance), 0.1, 0.95)
    starts = [
        np.array([log_slope, middle, logit(highest), np.log(0.02)])
        for log_slope in (0.0, 1.0)
        for middle in (-1.0, 0.0, 1.0)
    ]
    modes = [optimize.minimize(potential, start, method="BFGS") for start in starts]
    best = min(modes, key=lambda each: float(each.fun))
    if not best.fun < NOWHERE:
        raise InputError("no curve goes through these accuracies: are they shares of 1?")
    proposal = Proposal.at(best.x, _covariance(log_density, best.x), np.ones(4, bool))
    generator = np.random.default_rng([seed, 8])
    weighted = importance_sample(log_density, proposal, generator, POINTS, ROUNDS)
    log_slope, middle, odds, log_error = weighted.resampled(DRAWS, generator).T
    return AccuracyCurve(
        chance=chance,
        top=chance + (1 - chance) * expit(odds),
        middle=centre + spread * middle,
        slope=np.exp(log_slope) / spread,
        error=np.exp(log_error),
        items=items,
        range_of_losses=(float(loss.min()), float(loss.max())),
        runs=len(loss),
        pareto_k=weighted.pareto_k,
    )


def _covariance(log_density: Callable[[np.ndarray], np.ndarray], mode: np.ndarray) -> np.ndarray:
    """Inverse of the curvature at a mode (4, 4), by differences; no direction is wider than 1."""
    size = len(mode)
    ends = STEP * np.eye(size)
    pairs = [(i, j) for i in range(size) for j in range(size)]
    sides = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    points = [mode + a * ends[i] + b * ends[j] for i, j in pairs for a, b in sides]
    values = log_density(np.array(points)).reshape(size, size, 4)
    curvature = -(values @ np.array([1.0, -1.0, -1.0, 1.0])) / (4 * STEP**2)
    along, directions = np.linalg.eigh((curvature + curvature.T) / 2)
    return np.asarray(directions / np.maximum(along, 1.0) @ directions.T)


def _variance(mean: np.ndarray, error: np.ndarray, items: int | None) -> np.ndarray:
    binomial = 0.0 if items is None else mean * (1 - mean) / items
    return np.asarray(error**2 + binomial)
