"""A Student t of which a share of the runs lies above: badly tuned or unlucky, never too good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, override

import numpy as np

from bayes_distill.likelihoods.arrays import numpy_for, special_for
from bayes_distill.likelihoods.base import Likelihood, parameter
from bayes_distill.likelihoods.student_t import StudentT


@dataclass(frozen=True, eq=False)
class Contaminated(Likelihood):
    """A mixture of well-tuned runs and of runs with an excess, whose curve is that of the former.

    ``f(z) = (1 - c) t_nu(z) + c g(z)``, where c is the `contamination` and g the density of
    ``z = e + x`` with a standard normal e and an exponential x >= 0 of mean k, the `mean_excess`
    in residual scales:

    ``log g(z) = -log k + 1 / (2 k^2) - z / k + log Phi(z - 1 / k)``

    With probability 1 - c a run is trained as the law has it, and its loss is Student t about the
    curve. Otherwise it was badly tuned or unlucky, and lies above by an exponential amount. The
    curve is therefore the median loss of well-tuned runs, not of all runs, and the scale is that
    of their noise; the mean loss of all runs lies ``c k`` scales above the curve. A new run is
    predicted with its contamination.

    This is the contamination model of Huber (1964) with a one-sided contaminant, known where a
    law is a frontier that can only be fallen short of as the zero-inefficiency stochastic frontier
    (Kumbhakar, Parmeter and Tsionas 2013, J. Econometrics 172; Rho and Schmidt 2015). Densities
    that are skewed as a whole keep the meaning of the curve less well. For normal noise of which a
    quarter has an exponential excess with a mean of 6 scales, the location that fits best
    (smallest Kullback-Leibler divergence) is off by +0.40 scales with a Student t, -0.93 with a
    two-piece Student t (Fernandez and Steel 1998), -1.33 with an exponentially modified normal
    (which gives every run an excess), -0.23 with a skew t (Jones and Faddy 2003), and -0.02 here,
    although `mean_excess` is held at 5. The log density is analytic, as NUTS needs; that of a
    two-piece density has a jump in its second derivative at the curve.

    If all runs have an excess, nothing distinguishes it from the curve: the prior on the
    contamination states that most runs are well tuned.
    """

    name: ClassVar[str] = "contaminated"
    contamination: Any = parameter(
        "share of runs that are badly tuned or unlucky",
        default={"family": "logitnormal", "median": 0.1, "sd": 1.0},
        support="unit",
    )
    mean_excess: Any = parameter("by how many residual scales these lie above", default=5.0)
    degrees_of_freedom: Any = parameter("degrees of freedom of the well-tuned runs", default=4.0)

    @classmethod
    @override
    def describe(cls, values: Mapping[str, str]) -> str:
        return (
            f"Student t with {values['degrees_of_freedom']} degrees of freedom, of which a share "
            f"of runs ({values['contamination']}) lies above by an exponential excess with a mean "
            f"of {values['mean_excess']} residual scales"
        )

    @override
    def log_prob(self, residual: Any) -> Any:
        share = self.contamination
        xp = numpy_for(residual, *self._values().values())
        return xp.logaddexp(
            xp.log1p(-share) + self._well_tuned.log_prob(residual),
            xp.log(share) + self._log_excess_density(residual),
        )

    @override
    def cdf(self, residual: Any) -> np.ndarray:
        from scipy import special

        z, share = np.asarray(residual), self.contamination
        # not below zero: far down both terms are the same but for rounding
        worse = np.maximum(special.ndtr(z) - self._still_above(z), 0.0)
        return np.asarray((1 - share) * self._well_tuned.cdf(z) + share * worse)

    @override
    def sf(self, residual: Any) -> np.ndarray:
        from scipy import special

        z, share = np.asarray(residual), self.contamination
        worse = special.ndtr(-z) + self._still_above(z)
        return np.asarray((1 - share) * self._well_tuned.sf(z) + share * worse)

    @override
    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        well_tuned = self._well_tuned.sample(generator, shape)
        excess = self.mean_excess * generator.standard_exponential(shape)
        worse = generator.standard_normal(shape) + excess
        return np.where(generator.random(shape) < self.contamination, worse, well_tuned)

    @override
    def slope(self, residual: np.ndarray) -> np.ndarray:
        from scipy import special

        z, k, nu = residual, self.mean_excess, self.degrees_of_freedom
        well_tuned = np.log1p(-self.contamination) + self._well_tuned.log_prob(z)
        worse = np.log(self.contamination) + self._log_excess_density(z)
        # density over probability of a normal number, which far down both vanish
        mills = np.sqrt(2 / np.pi) / special.erfcx((1 / k - z) / np.sqrt(2))
        share = special.expit(worse - well_tuned)
        return np.asarray((1 - share) * -(nu + 1) * z / (nu + z**2) + share * (mills - 1 / k))

    @property
    def _well_tuned(self) -> StudentT:
        return StudentT(degrees_of_freedom=self.degrees_of_freedom)

    def _log_excess_density(self, residual: Any) -> Any:
        """Log density of the sum of standard normal noise and an exponential excess."""
        k = self.mean_excess
        xp, special = numpy_for(residual, k), special_for(residual, k)
        return -xp.log(k) + self._log_tilt(residual) + special.log_ndtr(residual - 1 / k)

    def _log_tilt(self, residual: Any) -> Any:
        return (1 / self.mean_excess / 2 - residual) / self.mean_excess

    def _still_above(self, residual: np.ndarray) -> Any:
        """Probability that noise is below `residual`, and noise with its excess above."""
        from scipy import special

        below = special.log_ndtr(residual - 1 / self.mean_excess)
        return np.exp(self._log_tilt(residual) + below)
