"""Weights with which predictive distributions are stacked (Yao et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import LinearConstraint, minimize

from bayes_distill.errors import Fault


def stacking_weights(log_density: np.ndarray) -> np.ndarray:
    """Weights (models,) of the mixture under which what was left out is most probable.

    Maximises ``sum_g log sum_k w_k p(y_g | rest, model k)`` over weights that are not negative and
    sum to one. ArviZ does the same for single runs; here a row may be a whole group, whose joint
    density is far below what an exponential can hold.

    Parameters
    ----------
    log_density
        Log predictive densities (left out, models).
    """
    relative = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    count = log_density.shape[1]

    def loss(weights: np.ndarray) -> float:
        return -float(np.log(np.maximum(relative @ weights, 1e-300)).mean())

    def gradient(weights: np.ndarray) -> np.ndarray:
        mixed = np.maximum(relative @ weights, 1e-300)[:, None]
        return np.asarray(-(relative / mixed).mean(axis=0))

    found = minimize(
        loss,
        np.full(count, 1 / count),
        jac=gradient,
        method="SLSQP",
        bounds=[(0, 1)] * count,
        constraints=LinearConstraint(np.ones(count), 1, 1),
        options={"ftol": 1e-10},
    )
    weights = np.clip(found.x, 0, None)
    return np.asarray(weights / weights.sum())


def weight_faults(weights: Sequence[float], fits: int) -> list[Fault]:
    """What is wrong with weights that a user states."""
    faults = []
    if len(weights) != fits:
        faults.append(Fault(f"{len(weights)} weights for {fits} fits", column="weights"))
    wrong = [f"{w:g}" for w in weights if not 0 <= w < np.inf]
    if wrong:
        faults.append(Fault(f"not a share: {', '.join(wrong)}", column="weights"))
    elif not sum(weights) > 0:
        faults.append(Fault("all weights are 0", column="weights"))
    return faults
