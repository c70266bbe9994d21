"""One step size for all chains, from how often their transitions are rejected at fixed steps.

NumPyro's dual averaging follows one chain and leaves a step size that is off by a fifth from one
run to the next. Where it ends up too large, chains stay out of the tails of a curved posterior:
R-hat does not show it, and the tails have a quarter of the effective draws. So dual averaging only
finds the order of magnitude, and the acceptances of all chains at fixed steps give the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

POWER = 2.5  # of the step size, with which rejections grow: 2 to 3 on the cards that ship
MAX_FACTOR = 2.0  # by which a step size changes at one time


def geometric_mean(step_sizes: Any) -> float:
    """Geometric mean of the chains' step sizes."""
    return float(np.exp(np.log(np.asarray(step_sizes)).mean()))


def tuned(stats: dict[str, np.ndarray], target: float) -> float:
    """Step size at which transitions are accepted at the target rate.

    Parameters
    ----------
    stats
        ``step_size`` and ``acceptance_rate`` of transitions at fixed steps, (transitions, chains).
        The rate of rejection is approximated by a power of the step size. Of several step sizes
        the first, which was but a guess, is left out.
    target
        The mean acceptance to reach.
    """
    used, rejected = stats["step_size"], 1 - stats["acceptance_rate"]
    latest = float(used[-1, 0])
    informed = used != used[0, 0]
    if informed.any():
        used, rejected = used[informed], rejected[informed]
    each = rejected.sum() / (used**POWER).sum()  # rejections by unit of that power
    step_size = ((1 - target) / each) ** (1 / POWER) if each > 0 else np.inf
    return float(np.clip(step_size, latest / MAX_FACTOR, latest * MAX_FACTOR))
