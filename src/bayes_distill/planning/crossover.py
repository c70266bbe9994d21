"""Budgets at which distillation stops, or starts, being better, draw by draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import SCENARIOS, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.budgets import log_budget_grid
from bayes_distill.planning.solver.optimise import optimal_loss
from bayes_distill.planning.solver.problem import Problem
from bayes_distill.planning.solver.roots import first_fall, last_rise

Floats = NDArray[np.float64]
Direction = Literal["better_below", "better_above"]

TIE = 1e-9  # nats, relative to the reference loss: less than this is no advantage


@dataclass(frozen=True, eq=False)
class Crossover:
    """Where supervised training and distillation change places; arrays (draws,).

    Parameters
    ----------
    scenario, params
        Who pays for the teacher; size N_S of the student.
    budget
        In FLOPs, for ``better_below`` the first budget, going up, at which distillation has been
        better and stops being so: ``inf`` where it is still better at the largest budget looked at,
        NaN where it is never better. For ``better_above`` the budget from which on it is better, up
        to the largest: ``-inf`` where it is better at every budget, NaN where at the largest it is
        not.
    student_tokens
        Tokens of supervised training at that budget; in the best case also those of distillation.
    direction
        On which side of the budget distillation is better.
    """

    scenario: Scenario
    params: float
    budget: Floats
    student_tokens: Floats
    direction: Direction = "better_below"

    @property
    def p_none(self) -> float:
        """Share of the draws in which there is no crossover."""
        return float(np.mean(~np.isfinite(self.budget)))

    @property
    def p_never_better(self) -> float:
        """Share of the draws in which it is nowhere better.

        For ``better_above`` that of those in which it is not at the largest budget.
        """
        return float(np.mean(np.isnan(self.budget)))

    @property
    def p_always_better(self) -> float:
        """Share of the draws in which it is still better at the largest budget.

        For ``better_above`` that of those in which it is better at every budget.
        """
        return float(np.mean(np.isinf(self.budget)))


def crossover(
    problem: Problem,
    *,
    budgets: tuple[float, float] = (1e20, 1e28),
    per_decade: int = 4,
    offset: Floats | None = None,
) -> Crossover:
    """Find where distillation, at its best, stops being better than supervised training.

    The first of `crossovers`, with the same arguments and errors.
    """
    return crossovers(problem, budgets=budgets, per_decade=per_decade, offset=offset)[0]


def crossovers(
    problem: Problem,
    *,
    budgets: tuple[float, float] = (1e20, 1e28),
    per_decade: int = 4,
    offset: Floats | None = None,
) -> tuple[Crossover, Crossover]:
    """Find where distillation, at its best, stops being better, and where it starts to be.

    Both are compared at one budget. There may be several crossings (the curves run close to each
    other for decades); reported are the first at which it stops, and the last at which it starts.
    Crossings closer together than the grid of budgets may go unseen.

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

    def at_log_budgets(index: NDArray[np.intp], log_budget: Floats) -> Floats:
        return advantage(index, np.exp(log_budget)[:, None])[:, 0]

    def described(budget: Floats, direction: Direction) -> Crossover:
        most = problem.limits.max_tokens
        tokens = np.minimum(budget / problem.flops_per_token, most)
        tokens = np.where(np.isfinite(budget), tokens, budget)
        return Crossover(problem.scenario, float(problem.sizes[0]), budget, tokens, direction)

    stops = np.exp(first_fall(at_log_budgets, grid, values))
    # no fall and better somewhere: then it is better up to the end
    stops[np.isnan(stops) & (values > 0).any(axis=1)] = np.inf
    starts = np.exp(last_rise(at_log_budgets, grid, values))
    starts[(values > 0).all(axis=1)] = -np.inf
    return described(stops, "better_below"), described(starts, "better_above")
