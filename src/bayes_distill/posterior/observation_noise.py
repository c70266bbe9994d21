"""How single runs scatter about the mean curve, where draws may follow different likelihoods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayes_distill.cards.card import Likelihood

Parts = Sequence[tuple["Likelihood", slice]]
"""Likelihoods, each with the draws that follow it; the slices cover all draws in order."""


def unit_of(parts: Parts, mean: np.ndarray, reference_loss: float) -> np.ndarray:
    """What residual scales are in units of, (draws, points): the mean or the reference loss."""
    found = np.full_like(mean, reference_loss)
    for likelihood, rows in parts:
        if likelihood.scale == "relative":
            found[rows] = mean[rows]
    return found


def standard_noise(
    parts: Parts, shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    """Noise of unit scale, (draws, points)."""
    found = np.empty(shape)
    for likelihood, rows in parts:
        size = found[rows].shape
        found[rows] = (
            generator.standard_normal(size)
            if likelihood.family == "normal"
            else generator.standard_t(likelihood.degrees_of_freedom, size)
        )
    return found


def log_density(parts: Parts, loss: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log density (draws, points) of losses (points,), per unit of loss."""
    from scipy import stats  # half a second, which no forecast needs

    found = np.empty_like(mean)
    for likelihood, rows in parts:
        found[rows] = (
            stats.norm.logpdf(loss, mean[rows], spread[rows])
            if likelihood.family == "normal"
            else stats.t.logpdf(loss, likelihood.degrees_of_freedom, mean[rows], spread[rows])
        )
    return found
