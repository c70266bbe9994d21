"""Compute-optimal recipes, draw by draw."""

from bayes_distill.planning.crossover import Crossover, crossover
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.solver.optimise import Optimum, optimise
from bayes_distill.planning.solver.problem import Problem
from bayes_distill.planning.targets import least_compute, least_tokens

__all__ = [
    "Crossover",
    "Limits",
    "Optimum",
    "Problem",
    "crossover",
    "least_compute",
    "least_tokens",
    "optimise",
]
