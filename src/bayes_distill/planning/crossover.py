"""The budget at which supervised training catches up with distillation, draw by draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_distill.compute import SCENARIOS, TRAINING_PASSES, ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import Law, Reference
from bayes_distill.planning.budgets import log_budget_grid, pick
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.solver.optimise import ARCHITECTURE, NO_LIMITS, as_draws, optimal_loss
from bayes_distill.planning.solver.roots import first_fall

Floats = NDArray[np.float64]

TIE = 1e-9  # nats, relative to the reference loss: less than this is no advantage


@dataclass(frozen=True)
class Crossover:
    """Where distillation stops being better than supervised training; arrays (draws,).

    Parameters
    ----------
    scenario, params
        Who pays for the teacher; size N_S of the student.
    budget
        The first budget, going up, at which distillation has been better and stops being so, in
        FLOPs. ``inf`` where it is still better at the largest budget looked at, NaN where it is
        never better.
    student_tokens
        Tokens of supervised training at that budget; in the best case also those of distillation.
    """

    scenario: Scenario
    params: float
    budget: Floats
    student_tokens: Floats

    @property
    def p_none(self) -> float:
        """Share of the draws in which there is no crossover."""
        return float(np.mean(~np.isfinite(self.budget)))

    @property
    def p_never_better(self) -> float:
        """Share of the draws in which distillation is nowhere better."""
        return float(np.mean(np.isnan(self.budget)))

    @property
    def p_always_better(self) -> float:
        """Share of the draws in which distillation is still better at the largest budget."""
        return float(np.mean(np.isinf(self.budget)))


def crossover(
    law: Law,
    coordinates: Mapping[str, ArrayLike],
    reference: Reference,
    params: float,
    scenario: Scenario,
    limits: Limits = NO_LIMITS,
    flops: ForwardFlops = ARCHITECTURE,
    *,
    budgets: tuple[float, float] = (1e20, 1e28),
    per_decade: int = 4,
) -> Crossover:
    """Find where distillation, at its best, stops being better than supervised training.

    Both are compared at one budget. There may be several crossings (the curves run close to each
    other for decades); the first from above is reported. Crossings closer together than the grid
    of budgets may go unseen.

    Parameters
    ----------
    law, coordinates, reference, params, scenario, limits, flops
        As `optimise` takes them.
    budgets
        Smallest and largest budget to look at, in FLOPs; the smallest is raised to what is
        feasible. Far below the budgets of real runs the curves may cross once more.
    per_decade
        Grid points for each factor of ten.

    Raises
    ------
    InputError
        As `optimise` does; if the scenario has no teacher; if nothing in the range is feasible.
    """
    if not scenario.distils:
        raise InputError(Fault("supervised training cannot cross itself", column="scenario"))
    draws = as_draws(coordinates)
    grid = log_budget_grid(
        params, budgets, per_decade, (scenario, SCENARIOS["supervised"]), limits, flops
    )

    def advantage(c: Mapping[str, Floats], budget: Floats) -> Floats:
        supervised, distilled = (
            optimal_loss(law, c, reference, params, budget, s, limits, flops)
            for s in (SCENARIOS["supervised"], scenario)
        )
        return (supervised - distilled) / reference.loss - TIE

    values = advantage(draws, np.exp(grid))
    fall = first_fall(
        lambda i, x: advantage(pick(draws, i), np.exp(x)[:, None])[:, 0], grid, values
    )
    budget = np.exp(fall)
    # no fall and better somewhere: then it is better up to the end
    budget[np.isnan(budget) & (values > 0).any(axis=1)] = np.inf
    each_token = TRAINING_PASSES * float(flops.forward_flops(float(params)))
    tokens = np.where(
        np.isfinite(budget), np.minimum(budget / each_token, limits.max_tokens), budget
    )
    return Crossover(scenario, float(params), budget, tokens)
