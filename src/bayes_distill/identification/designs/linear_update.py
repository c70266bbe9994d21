"""What runs tell, to first order: normal updates of draws, without their outcomes.

Were losses of runs and targets jointly normal, measuring a run with the loss m and noise of
variance s^2 would change the covariance of everything else by

    cov(a, b)  ->  cov(a, b) - cov(a, m) cov(m, b) / (var(m) + s^2),

whatever the outcome. Covariances are those over draws of a posterior. What runs share (the law, the
offset of a size, the effect of a teacher or of a condition, a discrepancy) is in their draws, so a
second run of one size tells nothing more of the size than what the first left open.
"""

from __future__ import annotations

import numpy as np


class LinearUpdate:
    """Covariances of candidates and targets given the runs that were chosen so far.

    Parameters
    ----------
    runs
        Draws of what each candidate would measure without its noise, (draws, candidates).
    noise
        Variance of the noise of each, (candidates,).
    targets
        Draws of what is wanted, (draws, targets).
    """

    def __init__(self, runs: np.ndarray, noise: np.ndarray, targets: np.ndarray) -> None:
        root = np.sqrt(max(len(runs) - 1, 1))
        self._runs = (runs - runs.mean(axis=0)) / root
        self._targets = (targets - targets.mean(axis=0)) / root
        self.noise = noise
        self.variance = (self._runs**2).sum(axis=0)
        """Of each candidate without its noise, (candidates,)."""
        self.between = self._runs.T @ self._targets
        """Covariances (candidates, targets)."""
        self.left = self._targets.T @ self._targets
        """Covariance (targets, targets) of the targets."""
        self._directions = np.empty((0, runs.shape[1]))
        self.chosen: list[int] = []

    @property
    def scale(self) -> np.ndarray:
        """Standard deviation (candidates,) of each outcome, noise included."""
        return np.asarray(np.sqrt(np.maximum(self.variance, 0.0) + self.noise))

    def shifts(self) -> np.ndarray:
        """By how much the outcome of each moves the targets' means, a standard deviation up.

        (candidates, targets); the variance that it removes from a target is its square.
        """
        scale = self.scale
        safe = np.where(scale > 0, scale, 1.0)
        return np.asarray(np.where(scale[:, None] > 0, self.between / safe[:, None], 0.0))

    def take(self, candidate: int) -> np.ndarray:
        """Choose a candidate: its shifts (targets,), by which the covariances are updated."""
        shift = np.asarray(self.shifts()[candidate])
        column = self._runs.T @ self._runs[:, candidate]
        column -= self._directions.T @ self._directions[:, candidate]
        scale = self.scale[candidate]
        direction = column / scale if scale > 0 else np.zeros_like(column)
        self._directions = np.vstack([self._directions, direction])
        self.variance = self.variance - direction**2
        self.between = self.between - np.outer(direction, shift)
        self.left = self.left - np.outer(shift, shift)
        self.chosen.append(candidate)
        return shift


def regression(
    runs: np.ndarray, noise: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear rule from outcomes of runs to means of targets, from draws of both.

    `runs` are (draws, runs), `noise` (runs,) the variances of their noise, `targets` (draws,
    targets). Returns the means of both and the weights (runs, targets).
    """
    centre, middle = runs.mean(axis=0), targets.mean(axis=0)
    r, t = runs - centre, targets - middle
    covariance = r.T @ r / len(r) + np.diag(noise)
    # runs without noise that are one in all draws have no inverse
    covariance += 1e-12 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return centre, middle, np.linalg.solve(covariance, r.T @ t / len(r))
