"""The least compute, and the least data, with which a student reaches a target loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_distill.compute import SCENARIOS, TRAINING_PASSES, ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import Law, Reference
from bayes_distill.planning.budgets import log_budget_grid, pick
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.solver.optimise import ARCHITECTURE, NO_LIMITS, as_draws, optimal_loss
from bayes_distill.planning.solver.roots import only_fall

Floats = NDArray[np.float64]


def least_compute(
    law: Law,
    coordinates: Mapping[str, ArrayLike],
    reference: Reference,
    params: float,
    target_loss: float,
    scenario: Scenario,
    limits: Limits = NO_LIMITS,
    flops: ForwardFlops = ARCHITECTURE,
    *,
    budgets: tuple[float, float] = (1e16, 1e30),
) -> Floats:
    """Least budget with which the student, at its best, reaches a loss; FLOPs, shape (draws,).

    The loss at the optimum falls with the budget, so the budget is its inverse. ``inf`` where the
    largest of `budgets` does not suffice; where the smallest (or the cheapest run within the
    limits, if that is more) does, it is the answer.

    Parameters
    ----------
    law, coordinates, reference, params, scenario, limits, flops
        As `optimise` takes them.
    target_loss
        In the unit of the runs.
    budgets
        Smallest and largest budget to look at, in FLOPs.

    Raises
    ------
    InputError
        As `optimise` does; if the target is not positive; if nothing in the range is feasible.
    """
    if not 0 < target_loss < np.inf:
        raise InputError(Fault(f"must be a positive number, not {target_loss!r}", column="target"))
    draws = as_draws(coordinates)
    count = len(next(iter(draws.values())))
    low, *_, high = log_budget_grid(params, budgets, 1, (scenario,), limits, flops)

    def missing(index: NDArray[np.intp], log_budget: Floats) -> Floats:
        budget = np.exp(log_budget)[:, None]
        found = optimal_loss(
            law, pick(draws, index), reference, params, budget, scenario, limits, flops
        )
        return np.asarray((found[:, 0] - target_loss) / reference.loss)

    log_budget = np.maximum(only_fall(missing, count, low, high), low)
    return np.asarray(np.exp(log_budget))


def least_tokens(
    law: Law,
    coordinates: Mapping[str, ArrayLike],
    reference: Reference,
    params: float,
    target_loss: float,
    limits: Limits = NO_LIMITS,
    *,
    distils: bool = True,
) -> Floats:
    """Least tokens D_S with which the student reaches a loss, whatever the compute; (draws,).

    With `distils` under the best teacher that the limits allow, else by supervised training.
    ``inf`` where the most tokens that the limits allow do not suffice.

    Raises
    ------
    InputError
        As `least_compute` does.
    """
    # with a free teacher all compute is the student's, so budgets are tokens in another unit
    scenario = SCENARIOS["best-case" if distils else "supervised"]
    each_token = TRAINING_PASSES * float(ARCHITECTURE.forward_flops(float(params)))
    budgets = (each_token * limits.min_tokens, each_token * limits.max_tokens)
    if limits.min_tokens == limits.max_tokens:
        budgets = (budgets[0], budgets[1] * (1 + 1e-6))
    least = least_compute(
        law, coordinates, reference, params, target_loss, scenario, limits, budgets=budgets
    )
    return np.minimum(least / each_token, np.where(np.isinf(least), np.inf, limits.max_tokens))
