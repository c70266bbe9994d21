"""What all budgets of one search for recipes have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayes_distill.compute import SCENARIOS, ForwardFlops, Scenario
from bayes_distill.planning.criteria import Criterion, mean
from bayes_distill.planning.draw_counts import DRAW_COUNTS, DrawCounts
from bayes_distill.planning.run_scatter import RUNS, RunScatter
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.solver.problem import ARCHITECTURE, NO_LIMITS, Problem, least_budget
from bayes_distill.posterior import Posterior

Floats = NDArray[np.float64]

BLOCK = 2**21  # draws times runs times recipes that are judged at once: 16 MB an array


@dataclass(frozen=True, eq=False)
class Setting:
    """A student under a posterior, who pays for its teacher, and what is to be minimised.

    Parameters
    ----------
    posterior
        Draws that recipes are judged by.
    params
        Size N_S of the student; NaN where it is still to be chosen.
    scenario, limits, flops
        Who pays for the teacher; what a recipe may use; how FLOPs are counted.
    criterion
        Risk measure that is minimised.
    served_tokens
        Tokens that the student will serve, charged to every budget.
    draw_counts
        Most draws of each part of a plan.
    seed
        Of the noise of single runs, by which some criteria judge.
    """

    posterior: Posterior
    params: float
    scenario: Scenario
    limits: Limits = NO_LIMITS
    flops: ForwardFlops = ARCHITECTURE
    criterion: Criterion = mean
    served_tokens: float = 0.0
    draw_counts: DrawCounts = DRAW_COUNTS
    seed: int = 0

    @cached_property
    def problem(self) -> Problem:
        """The same for the solver, with the discrepancies of this student among the draws."""
        return Problem(
            self.posterior.law,
            self.posterior.student(self.params),
            self.posterior.reference,
            self.params,
            self.scenario,
            self.limits,
            self.flops,
        )

    @property
    def student_flops(self) -> float:
        """Forward FLOPs of the student per token."""
        return float(self.flops.forward_flops(float(self.params)))

    @property
    def serving_flops(self) -> float:
        """FLOPs of the tokens that the student will serve."""
        return self.student_flops * self.served_tokens

    @property
    def least_budget(self) -> float:
        """Cheapest run within the limits, without the tokens served, in FLOPs."""
        return float(least_budget(self.params, self.scenario, self.limits, self.flops))

    @property
    def supervised(self) -> Setting:
        """The same student without a teacher."""
        return replace(self, scenario=SCENARIOS["supervised"])

    @cached_property
    def scatter(self) -> RunScatter:
        """Scatter of single runs of this student, the same for all recipes."""
        distils = self.scenario.distils
        return RunScatter.of(self.posterior, self.params, distils=distils, seed=self.seed)

    def score(self, losses: Floats) -> Floats:
        """Criterion (recipes,) of recipes whose mean curve has these losses (draws, recipes)."""
        if not self.criterion.of_run:
            return self.criterion(losses)
        width = max(1, BLOCK // (RUNS * len(losses)))
        blocks = [losses[:, i : i + width] for i in range(0, losses.shape[1], width)]
        return np.concatenate([self.criterion(self.scatter.of_runs(block)) for block in blocks])

    def thin(self, draws: int) -> Setting:
        """The same with at most so many draws."""
        return replace(self, posterior=self.posterior.thin(draws))
