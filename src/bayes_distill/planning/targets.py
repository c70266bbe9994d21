"""The least compute, and the least data, with which a student reaches a target loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import SCENARIOS
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.budgets import log_budget_grid
from bayes_distill.planning.solver.optimise import optimal_loss
from bayes_distill.planning.solver.problem import ARCHITECTURE, Problem
from bayes_distill.planning.solver.roots import only_fall

Floats = NDArray[np.float64]


def least_compute(
    problem: Problem, target_loss: float, *, budgets: tuple[float, float] = (1e16, 1e30)
) -> Floats:
    """Least budget with which the student, at its best, reaches a loss; FLOPs, shape (draws,).

    The loss at the optimum falls with the budget, so the budget is its inverse. ``inf`` where the
    largest of `budgets` does not suffice; where the smallest (or the cheapest run within the
    limits, if that is more) does, it is the answer.

    Parameters
    ----------
    problem
        Law and draws, student, scenario, limits and count of FLOPs.
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
        raise InputError(
            Fault(f"must be a positive number, not {target_loss!r}", column="target_loss")
        )
    low, *_, high = log_budget_grid(problem, budgets, 1, (problem.scenario,))

    def missing(index: NDArray[np.intp], log_budget: Floats) -> Floats:
        loss = optimal_loss(problem.of_draws(index), np.exp(log_budget)[:, None])
        return np.asarray((loss[:, 0] - target_loss) / problem.reference.loss)

    log_budget = np.maximum(only_fall(missing, problem.n_draws, low, high), low)
    return np.asarray(np.exp(log_budget))


def least_tokens(problem: Problem, target_loss: float) -> Floats:
    """Least tokens D_S with which the student reaches a loss, whatever the compute; (draws,).

    Under the best teacher that the limits allow, or without one if the scenario is supervised
    training. ``inf`` where the most tokens that the limits allow do not suffice.

    Raises
    ------
    InputError
        As `least_compute` does.
    """
    # with a free teacher all compute is the student's, so budgets are tokens in another unit
    scenario = SCENARIOS["best-case" if problem.scenario.distils else "supervised"]
    free = replace(problem, scenario=scenario, flops=ARCHITECTURE)
    limits = problem.limits
    each = float(free.flops_per_token[0])  # one size for all draws
    budgets = (each * limits.min_tokens, each * limits.max_tokens)
    if limits.min_tokens == limits.max_tokens:
        budgets = (budgets[0], budgets[1] * (1 + 1e-6))
    least = least_compute(free, target_loss, budgets=budgets)
    return np.minimum(least / each, np.where(np.isinf(least), np.inf, limits.max_tokens))
