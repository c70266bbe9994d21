"""Posteriors: draws with their law, scales, card and the runs they came from."""

from bayes_distill.posterior.io import FORMAT, FORMAT_VERSION
from bayes_distill.posterior.load import POINT, load_posterior
from bayes_distill.posterior.posterior import Posterior

__all__ = ["FORMAT", "FORMAT_VERSION", "POINT", "Posterior", "load_posterior"]
