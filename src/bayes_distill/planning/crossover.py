"""The budget at which supervised training catches up with distillation, draw by draw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import SCENARIOS, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.budgets import log_budget_grid
from bayes_distill.planning.solver.optimise import optimal_loss
from bayes_distill.planning.solver.problem import Problem
from bayes_distill.planning.solver.roots import first_fall

Floats = NDArray[np.float64]

TIE = 1e-9  # nats, relative to the reference loss: less than this is no advantage


@dataclass(frozen=True, eq=False)
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
    problem: Problem,
    *,
    budgets: tuple[float, float] = (1e20, 1e28),
    per_decade: int = 4,
    offset: Floats | None = None,
) -> Crossover:
    """Find where distillation, at its best, stops being better than supervised training.

    Both are compared at one budget. There may be several crossings (the curves run close to each
    other for decades); the first from above is reported. Crossings closer together than the grid
    of budgets may go unseen.

    Parameters
    ----------
    problem
        With a scenario that has a teacher.
    budgets
        Smallest and largest budget to look at, in FLOPs; the smallest is raised to what is
        feasible. Far below the budgets of real runs the curves may cross once more.
    per_decade
        Grid points for each factor of ten.
    offset
        By how much supervised training of this size lies above its law (draws,), relative to the
        loss (`Posterior.size_offsets`); by default nothing.

    Raises
    ------
    InputError
        As `optimise` does; if the scenario has no teacher; if nothing in the range is feasible.
    """
    if not problem.scenario.distils:
        raise InputError(Fault("supervised training cannot cross itself", column="scenario"))
    without_teacher = replace(problem, scenario=SCENARIOS["supervised"])
    scenarios = (problem.scenario, without_teacher.scenario)
    grid = log_budget_grid(problem, budgets, per_decade, scenarios)

    def advantage(index: NDArray[np.intp], budget: Floats) -> Floats:
        supervised, distilled = (
            optimal_loss(each.of_draws(index), budget) for each in (without_teacher, problem)
        )
        if offset is not None:
            supervised = supervised * (1 + offset[index, None])
        return (supervised - distilled) / problem.reference.loss - TIE

    values = advantage(np.arange(problem.n_draws), np.exp(grid))
    fall = first_fall(lambda i, x: advantage(i, np.exp(x)[:, None])[:, 0], grid, values)
    budget = np.exp(fall)
    # no fall and better somewhere: then it is better up to the end
    budget[np.isnan(budget) & (values > 0).any(axis=1)] = np.inf
    tokens = np.where(
        np.isfinite(budget),
        np.minimum(budget / problem.flops_per_token, problem.limits.max_tokens),
        budget,
    )
    return Crossover(problem.scenario, float(problem.params), budget, tokens)
