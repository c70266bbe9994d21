"""Posteriors: draws with their law, scales, card and the runs they came from."""

from bayes_distill.posterior.posterior import (
    FORMAT,
    FORMAT_VERSION,
    POINT,
    Posterior,
    load_posterior,
)

__all__ = ["FORMAT", "FORMAT_VERSION", "POINT", "Posterior", "load_posterior"]
