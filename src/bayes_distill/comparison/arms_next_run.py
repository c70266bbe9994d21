"""What would change the answer about two arms: the run that tells most about their gap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayes_distill.posterior import Posterior


class TellingRun(NamedTuple):
    """A run of one arm, and what it is expected to do to the gap.

    Parameters
    ----------
    arm, params, tokens
        Whose run, and of which size on how many tokens.
    explained
        Share of the variance of the gap that it is expected to take away.
    needed
        By how many standard deviations of its own forecast it would have to come out otherwise than
        expected for the two arms to be equally good in expectation; infinite where it cannot.
    """

    arm: str
    params: float
    tokens: float
    explained: float
    needed: float


def telling_run(
    posterior: Posterior,
    gap: np.ndarray,
    losses: dict[str, np.ndarray],
    params: np.ndarray,
    tokens: np.ndarray,
) -> TellingRun:
    """The run, among candidates, that tells most about a gap.

    By linear regression on the draws: a run with loss y explains corr(gap, y)^2 of the variance of
    the gap, and y - E y moves its mean by cov(gap, y) / var(y).

    Parameters
    ----------
    posterior
        Of the arms.
    gap
        Difference of two arms, (draws,).
    losses
        Mean curve of each arm at the candidates, (draws, candidates).
    params, tokens
        Size and tokens of each candidate, (candidates,).
    """
    best: TellingRun | None = None
    alone = np.zeros(len(params), bool)
    centred = gap - gap.mean()
    variance = float((centred**2).mean())
    for arm, curve in losses.items():
        noise = posterior.noise_scale(curve, alone)
        spread = curve.var(axis=0) + (noise**2).mean(axis=0)
        covariance = centred @ (curve - curve.mean(axis=0)) / len(gap)
        explained = covariance**2 / (spread * max(variance, 1e-300))
        place = int(explained.argmax())
        if best is None or explained[place] > best.explained:
            moved = abs(covariance[place]) / np.sqrt(spread[place])
            needed = abs(float(gap.mean())) / moved if moved > 0 else np.inf
            share = float(min(explained[place], 1.0))
            best = TellingRun(arm, float(params[place]), float(tokens[place]), share, float(needed))
    assert best is not None
    return best
