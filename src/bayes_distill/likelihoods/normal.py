"""The normal distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, override

import numpy as np

from bayes_distill.likelihoods.arrays import numpy_for
from bayes_distill.likelihoods.base import Information, Likelihood

if TYPE_CHECKING:
    from numpyro import distributions as dist


@dataclass(frozen=True, eq=False)
class Normal(Likelihood):
    """``log f(z) = -z^2 / 2 - log(2 pi) / 2``: the curve is the mean loss, the scale its sd.

    The pull of a run on the curve is proportional to its distance, so one outlier moves it far:
    for runs that were checked by hand.
    """

    name: ClassVar[str] = "normal"

    @classmethod
    @override
    def describe(cls, values: Mapping[str, str]) -> str:
        return "normal"

    @override
    def log_prob(self, residual: Any) -> Any:
        xp = numpy_for(residual)
        return -(residual**2) / 2.0 - xp.log(xp.sqrt(2 * np.pi))

    @override
    def cdf(self, residual: Any) -> np.ndarray:
        from scipy import special

        return np.asarray(special.ndtr(residual))

    @override
    def sf(self, residual: Any) -> np.ndarray:
        return self.cdf(-np.asarray(residual))

    @override
    def quantile(self, probability: Any) -> np.ndarray:
        from scipy import special

        return np.asarray(special.ndtri(probability))

    @override
    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return generator.standard_normal(shape)

    @override
    def fisher_information(self) -> Information:
        return Information(1.0, 2.0, 0.0)

    @override
    def normal_scores(self, residual: np.ndarray) -> np.ndarray:
        return residual

    @override
    def distribution(self, mean: Any, scale: Any) -> dist.Distribution:
        from bayes_distill._runtime.numpyro import distributions

        noise: dist.Distribution = distributions.Normal(mean, scale)
        return noise
