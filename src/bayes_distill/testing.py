"""Contract tests for laws and likelihoods of your own.

Each raises an `AssertionError` that names everything that does not hold.
"""

from bayes_distill.laws.contract import check_law
from bayes_distill.likelihoods import check_likelihood

__all__ = ["check_law", "check_likelihood"]
