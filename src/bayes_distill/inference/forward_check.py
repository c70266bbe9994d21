"""The forward check: the model that saw the cheaper half of the runs, held against the dearer ones.

What a law gets wrong far from its runs hardly shows in the residuals of a fit to all of them, for
the fit bends the law until they vanish. It shows where the same model forecasts runs that it has
not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_distill.inference.p_values import p_above, p_either_side
from bayes_distill.likelihoods import Likelihood

LEAST_RUNS = 12
LEAST_FORECAST = 4
LEAST_FACTOR = 1.5  # of compute, between what is fitted and what is forecast
MOST_NUMBERS = 4_000_000  # replicated losses at once
MOST_TABLES = 10_000


@dataclass(frozen=True)
class Halves:
    """The runs that a forward check fits, and those that it forecasts; both (runs,)."""

    fitted: np.ndarray
    forecast: np.ndarray

    @property
    def why_not(self) -> str:
        """Why there is no such check, in words; empty if there is one."""
        if len(self.fitted) < LEAST_RUNS:
            return f"needs {LEAST_RUNS} runs"
        if self.forecast.sum() < LEAST_FORECAST:
            return (
                f"needs {LEAST_FORECAST} runs that cost {LEAST_FACTOR:g} times as much as the "
                "cheaper half of all"
            )
        return ""


@dataclass(frozen=True)
class Forward:
    """How forecasts of the dearer runs compare with these.

    Parameters
    ----------
    signed, absolute
        Mean distance of the runs from their forecasts, in standard deviations of the forecast of
        each, and mean absolute distance.
    p_signed, p_absolute
        Of joint draws of such runs: probability of a mean at least as far from zero (both sides),
        and of a mean absolute distance at least as large.
    error
        Mean of measured over forecast loss, minus one.
    factor
        Compute of the dearest run over that of the dearest fitted one.
    """

    signed: float
    absolute: float
    p_signed: float
    p_absolute: float
    error: float
    factor: float


def halves(frame: pd.DataFrame) -> Halves:
    """The cheaper half of the runs, and of the others those that cost at least half as much again.

    Compute is size times tokens.
    """
    cost = compute(frame)
    cheap = np.zeros(len(cost), bool)
    cheap[np.argsort(cost, kind="stable")[: len(cost) // 2]] = True
    most = cost[cheap].max(initial=0.0)
    return Halves(cheap, ~cheap & (cost >= LEAST_FACTOR * most))


def compute(frame: pd.DataFrame) -> np.ndarray:
    """Size times tokens (runs,): training FLOP over six."""
    return np.asarray(frame["params"].to_numpy(float) * frame["tokens"].to_numpy(float))


def forward(
    frame: pd.DataFrame,
    parts: Halves,
    mean: np.ndarray,
    scale: np.ndarray,
    likelihood: Likelihood,
    seed: int,
) -> Forward:
    """Compare the dearer runs with draws of the model that saw the cheaper ones.

    Parameters
    ----------
    frame, parts
        All runs, and which are forecast.
    mean, scale
        Draws (draws, runs) of the curve and of the noise scale, in the unit of the losses.
    likelihood
        Of standardised residuals, whose parameters broadcast with (draws, runs).
    seed
        Seed of the replicated runs.
    """
    mean, scale = mean[:, parts.forecast], scale[:, parts.forecast]
    loss = frame["loss"].to_numpy(float)[parts.forecast]
    generator = np.random.default_rng([seed, 5])
    # tables of runs, in which all runs of one table share a draw: errors that they share count
    tables = int(np.clip(MOST_NUMBERS // mean.size, 1, -(-MOST_TABLES // len(mean))))
    runs = np.concatenate(
        [mean + scale * likelihood.sample(generator, mean.shape) for _ in range(tables)]
    )
    centre, spread = runs.mean(axis=0), runs.std(axis=0)
    distance, replicated = (loss - centre) / spread, (runs - centre) / spread
    signed, absolute = float(distance.mean()), float(np.abs(distance).mean())
    cost = compute(frame)
    return Forward(
        signed,
        absolute,
        p_either_side(signed, replicated.mean(axis=1)),
        p_above(absolute, np.abs(replicated).mean(axis=1)),
        float((loss / centre).mean() - 1),
        float(cost[parts.forecast].max() / cost[parts.fitted].max()),
    )
