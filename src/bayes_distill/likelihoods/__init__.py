"""Likelihoods: how measured losses are distributed about the curve of the law, one a file."""

from bayes_distill.likelihoods.base import Information, Likelihood, Parameter, parameter
from bayes_distill.likelihoods.contaminated import Contaminated
from bayes_distill.likelihoods.contract import check_likelihood
from bayes_distill.likelihoods.normal import Normal
from bayes_distill.likelihoods.registry import (
    BUILT_IN,
    ENTRY_POINTS,
    likelihood_named,
    likelihood_names,
)
from bayes_distill.likelihoods.student_t import StudentT

__all__ = [
    "BUILT_IN",
    "ENTRY_POINTS",
    "Contaminated",
    "Information",
    "Likelihood",
    "Normal",
    "Parameter",
    "StudentT",
    "check_likelihood",
    "likelihood_named",
    "likelihood_names",
    "parameter",
]
