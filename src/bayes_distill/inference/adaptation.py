"""What warm-up learns: a mass matrix for all chains, and the step size they are to move by.

NumPyro's dual averaging follows one chain and leaves a step size that is off by a fifth from one
run to the next. Where it ends up too large, chains stay out of the tails of a curved posterior:
R-hat sees nothing, and the tails have a quarter of the effective draws. So dual averaging only
finds the size of the step, and the acceptances of all chains at fixed steps say the rest.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

POWER = 2.5  # of the step size, with which rejections grow: 2 to 3 on the cards that ship
MOST = 2.0  # times or part of it that a step size changes at once


def refined(draws: dict[str, np.ndarray], before: np.ndarray, *, from_mode: bool) -> np.ndarray:
    """Inverse mass matrix (sites, sites) from draws (chains, draws, ...) of a window.

    The covariance within chains; of the window's second half if chains came `from_mode`. Draws
    count as many as half of them, for they are correlated; the matrix before counts as two draws a
    site.
    """
    flat = np.concatenate(
        [np.reshape(leaf, (*leaf.shape[:2], -1)) for leaf in jax.tree.leaves(draws)], axis=2
    )
    if from_mode:
        flat = flat[:, flat.shape[1] // 2 :]
    centred = (flat - flat.mean(axis=1, keepdims=True)).reshape(-1, flat.shape[2])
    count = max(len(centred) - len(flat), 1)
    weight = 0.5 * count / (0.5 * count + 2 * flat.shape[2])
    return np.asarray(weight * (centred.T @ centred) / count + (1 - weight) * before)


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
