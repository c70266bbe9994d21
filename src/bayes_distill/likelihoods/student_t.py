"""The Student t distribution: single wild runs on either side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, override

import numpy as np

from bayes_distill.likelihoods.arrays import numpy_for, special_for
from bayes_distill.likelihoods.base import Information, Likelihood, parameter

if TYPE_CHECKING:
    from numpyro import distributions as dist


@dataclass(frozen=True, eq=False)
class StudentT(Likelihood):
    """``f(z) = Gamma((nu + 1) / 2) / (Gamma(nu / 2) sqrt(nu pi)) (1 + z^2 / nu)^(-(nu + 1) / 2)``.

    The curve is the median loss. A run far off pulls the curve by ``(nu + 1) z / (nu + z^2)``,
    which falls with its distance (Lange, Little and Taylor 1989, whose information is below). It
    is symmetric: if runs can be badly tuned and not too well, see `Contaminated`.
    """

    name: ClassVar[str] = "student_t"
    degrees_of_freedom: Any = parameter("degrees of freedom", default=4.0)

    @classmethod
    @override
    def describe(cls, values: Mapping[str, str]) -> str:
        return f"Student t with {values['degrees_of_freedom']} degrees of freedom"

    @override
    def log_prob(self, residual: Any) -> Any:
        nu = self.degrees_of_freedom
        xp, special = numpy_for(residual, nu), special_for(residual, nu)
        level = xp.log(special.poch(0.5 * nu, 0.5)) - 0.5 * (xp.log(nu) + xp.log(np.pi))
        return level - (nu + 1) / 2 * xp.log1p(residual * residual / nu)

    @override
    def cdf(self, residual: Any) -> np.ndarray:
        from scipy import special

        return np.asarray(special.stdtr(self.degrees_of_freedom, residual))

    @override
    def sf(self, residual: Any) -> np.ndarray:
        return self.cdf(-np.asarray(residual))

    @override
    def quantile(self, probability: Any) -> np.ndarray:
        from scipy import special

        return np.asarray(special.stdtrit(self.degrees_of_freedom, probability))

    @override
    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(generator.standard_t(self.degrees_of_freedom, shape))

    @override
    def fisher_information(self) -> Information:
        nu = self.degrees_of_freedom
        return Information((nu + 1) / (nu + 3), 2 * nu / (nu + 3), 0.0)

    @override
    def distribution(self, mean: Any, scale: Any) -> dist.Distribution:
        from bayes_distill._runtime.numpyro import distributions

        noise: dist.Distribution = distributions.StudentT(self.degrees_of_freedom, mean, scale)
        return noise
