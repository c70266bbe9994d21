"""What a design of forecasts is judged by; each is a fall, as a share of what there was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayes_distill.identification.designs.linear_update import LinearUpdate

Name = Literal["variance", "width", "information"]
NAMES: tuple[Name, ...] = ("variance", "width", "information")
JITTER = 1e-9


@dataclass(frozen=True, eq=False)
class TargetCriterion:
    """Fall of the targets' uncertainty.

    Parameters
    ----------
    name
        ``variance``: share of a target's variance that is removed, the mean over targets.
        ``width``: the same of the width of its predictive interval, which noise is in.
        ``information``: mutual information of runs and targets, in nats.
    before
        Variances of the targets, (targets,).
    noise
        Variances of the noise of a run at each, (targets,).
    """

    name: Name
    before: np.ndarray
    noise: np.ndarray

    def gains(self, update: LinearUpdate) -> np.ndarray:
        """Gain (candidates,) of each candidate beside those that were chosen."""
        removed = update.shifts() ** 2
        left = np.maximum(np.diag(update.left), 0.0)
        if self.name == "variance":
            return np.asarray((removed / self._safe(self.before)).mean(axis=1))
        if self.name == "width":
            now = np.sqrt(left + self.noise)
            after = np.sqrt(np.maximum(left - removed, 0.0) + self.noise)
            return np.asarray(
                ((now - after) / self._safe(np.sqrt(self.before + self.noise))).mean(1)
            )
        ridge = JITTER * np.diag(self._safe(self.before))
        shifts = update.shifts()
        share = (shifts * np.linalg.solve(update.left + ridge, shifts.T).T).sum(axis=1)
        return np.asarray(-0.5 * np.log1p(-np.clip(share, 0.0, 1 - JITTER)))

    def total(self, left: np.ndarray) -> float:
        """Fall by a whole design, which leaves the covariance `left` (targets, targets)."""
        after = np.maximum(np.diag(left), 0.0)
        if self.name == "variance":
            return float((1 - after / self._safe(self.before)).mean())
        if self.name == "width":
            was = np.sqrt(self.before + self.noise)
            return float(((was - np.sqrt(after + self.noise)) / self._safe(was)).mean())
        raise ValueError("information is summed over the runs")

    @staticmethod
    def _safe(values: np.ndarray) -> np.ndarray:
        return np.where(values > 0, values, 1.0)
