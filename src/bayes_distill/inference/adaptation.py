"""What warm-up learns: a mass matrix for all chains, and the step size they are to move by.

The mass matrix is learnt in windows. They are over as soon as one of them confirms the matrix that
it ran with and finds the chains in one place: from a mode that takes few.

NumPyro's dual averaging follows one chain and leaves a step size that is off by a fifth from one
run to the next. Where it ends up too large, chains stay out of the tails of a curved posterior:
R-hat sees nothing, and the tails have a quarter of the effective draws. So dual averaging only
finds the size of the step, and the acceptances of all chains at fixed steps say the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from arviz_stats.base import array_stats
from scipy.linalg import eigh

POWER = 2.5  # of the step size, with which rejections grow: 2 to 3 on the cards that ship
MOST = 2.0  # times or part of it that a step size changes at once
CONFIRMED = 2.0  # times that variances along two directions are off, one from another, at most
AGREED = 1.1  # R-hat of the log density, which short windows find too large rather than too small


class Metric(NamedTuple):
    """An inverse mass matrix, and the draws behind it.

    Parameters
    ----------
    mass
        Inverse mass matrix (sites, sites).
    outer
        Sum of the outer products of all draws but the first window's (sites, sites).
    sums
        Sums of the same draws of every chain (chains, sites).
    draws
        How many these are of a chain.
    windows
        Windows of warm-up behind it.
    """

    mass: np.ndarray
    outer: np.ndarray
    sums: np.ndarray
    draws: np.ndarray
    windows: np.ndarray

    @classmethod
    def first(cls, mass: np.ndarray, chains: int) -> Metric:
        """The matrix that warm-up begins with, from a mode."""
        mass = np.asarray(mass, float)
        none = np.zeros((), int)
        return cls(mass, np.zeros_like(mass), np.zeros((chains, len(mass))), none, none)


def refined(metric: Metric, draws: dict[str, np.ndarray]) -> Metric:
    """The metric after a window with these draws (chains, draws, ...).

    Its matrix is the covariance within chains of all draws so far; those of the first window serve
    only until there are others, and only its second half, for chains come from a mode. Draws count
    as many as half of them, for they are correlated; the matrix before counts as two draws a site.
    """
    flat = np.concatenate(
        [np.reshape(leaf, (*leaf.shape[:2], -1)) for leaf in jax.tree.leaves(draws)], axis=2
    )
    from_mode = metric.windows == 0
    if from_mode:
        flat = flat[:, flat.shape[1] // 2 :]
    chains, length, sites = flat.shape
    pooled = metric._replace(
        outer=metric.outer + np.einsum("cdi,cdj->ij", flat, flat, optimize=True),
        sums=metric.sums + flat.sum(axis=1),
        draws=metric.draws + length,
    )
    scatter = pooled.outer - pooled.sums.T @ pooled.sums / pooled.draws
    count = max(int(pooled.draws - 1) * chains, 1)
    weight = 0.5 * count / (0.5 * count + 2 * sites)
    mass = np.asarray(weight * scatter / count + (1 - weight) * metric.mass)
    return (metric if from_mode else pooled)._replace(mass=mass, windows=metric.windows + 1)


def converged(before: Metric, after: Metric, log_density: np.ndarray) -> bool:
    """Whether a window confirms the metric `before` it, and its chains are in one place.

    `after` is the metric with its draws, `log_density` (chains, draws) theirs.
    """
    found = eigh(after.mass, before.mass, eigvals_only=True)
    return bool(
        found[-1] <= CONFIRMED * found[0]
        and array_stats.rhat(log_density, chain_axis=0, draw_axis=1) <= AGREED
    )


def typical(step_sizes: Any) -> float:
    """Geometric mean of the chains' step sizes."""
    return float(np.exp(np.log(np.asarray(step_sizes)).mean()))


def tuned(stats: dict[str, np.ndarray], target: float) -> float:
    """Step size at which transitions are accepted as asked, from transitions at fixed steps.

    `stats` holds ``step_size`` and ``acceptance_rate`` (transitions, chains). The part that is
    rejected is taken for a power of the step size, near enough to it; of several step sizes the
    first, which was but a guess, is left out.
    """
    used, rejected = stats["step_size"], 1 - stats["acceptance_rate"]
    latest = float(used[-1, 0])
    informed = used != used[0, 0]
    if informed.any():
        used, rejected = used[informed], rejected[informed]
    each = rejected.sum() / (used**POWER).sum()  # rejections by unit of that power
    found = ((1 - target) / each) ** (1 / POWER) if each > 0 else np.inf
    return float(np.clip(found, latest / MOST, latest * MOST))
