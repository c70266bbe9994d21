"""What every likelihood is: a location-scale family of the residuals of single runs.

A run's measured loss is ``loss = curve + scale * z``: the curve is the law's loss, the scale is
sampled (one for distilled and one for supervised runs), and a likelihood is the distribution of
the standardised residual z. All functions of a likelihood are of z.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpyro import distributions as dist

    from bayes_distill.laws.base import Support

Default = float | Mapping[str, Any]
NODES, REACH = 401, 4.2  # of the quadrature: sinh(pi / 2 sinh(4.2)) is 10^22 residual scales


class Information(NamedTuple):
    """Fisher information that one run has of its curve and of the log of its residual scale.

    Both count in units of the scale: with residual scale s, the information of the curve is
    ``location / s**2``. `cross` is the entry off the diagonal, zero for a symmetric density. Each
    is a number, or an array like the likelihood's parameters.
    """

    location: Any
    scale: Any
    cross: Any


@dataclass(frozen=True)
class Parameter:
    """One parameter of a likelihood besides location and scale.

    Parameters
    ----------
    name
        Key in a card under ``[likelihood]``, and name of its draws in a posterior.
    meaning
        What it is, in a few words, for tables.
    default
        For a card that does not state it: a number, or a prior as a card would state it.
    support
        ``positive``, ``unit`` (between 0 and 1) or ``real``.
    """

    name: str
    meaning: str
    default: Default
    support: Support


def parameter(meaning: str, *, default: Default, support: Support = "positive") -> Any:
    """Declare a parameter: a field of the dataclass that a likelihood is; see `Parameter`."""
    metadata = {"meaning": meaning, "default": default, "support": support}
    if isinstance(default, Mapping):
        return dataclasses.field(kw_only=True, metadata=metadata)
    return dataclasses.field(kw_only=True, metadata=metadata, default=default)


@dataclass(frozen=True, eq=False)
class Likelihood(ABC):
    """Distribution of the standardised residual ``z = (loss - curve) / scale`` of a single run.

    A subclass is a frozen dataclass whose fields are its parameters, declared with `parameter`.
    Their values are numbers, or arrays that broadcast with z: of NumPy where there is one value a
    draw, of JAX where NUTS samples them. It must define `log_prob` and `cdf`; the rest follows
    from these, and is better overridden where there is a closed form.
    """

    name: ClassVar[str]
    """What a card states under ``family``; a class of another module has its dotted path there."""

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Parameters besides location and scale, in the order of their fields."""
        return tuple(
            Parameter(each.name, **each.metadata)
            for each in dataclasses.fields(cls)
            if "meaning" in each.metadata
        )

    @classmethod
    def describe(cls, values: Mapping[str, str]) -> str:
        """Words for a page: the distribution, with `values` (name -> text) of its parameters."""
        stated = ", ".join(f"{name} {text}" for name, text in values.items())
        return f"{cls.name} ({stated})" if stated else cls.name

    @abstractmethod
    def log_prob(self, residual: Any) -> Any:
        """Log density at standardised residuals; differentiable.

        Takes and returns arrays of NumPy or of JAX: see `bayes_distill.likelihoods.arrays`.
        """

    @abstractmethod
    def cdf(self, residual: Any) -> np.ndarray:
        """Probability of a residual below each of these (NumPy)."""

    def sf(self, residual: Any) -> np.ndarray:
        """Probability of a residual above each of these (NumPy).

        Override it where one minus `cdf` loses the upper tail.
        """
        return np.asarray(1.0 - self.cdf(residual))

    def quantile(self, probability: Any) -> np.ndarray:
        """Residual below which one lies with such a probability (NumPy), to machine precision."""
        from scipy.optimize import elementwise

        arguments = np.broadcast_arrays(*map(np.asarray, (probability, *self._values().values())))
        names = tuple(self._values())

        def missing(z: np.ndarray, p: np.ndarray, *values: np.ndarray) -> np.ndarray:
            there = dataclasses.replace(self, **dict(zip(names, values, strict=True)))
            # from the nearer end, so that neither tail is lost in rounding
            return np.asarray(np.where(p > 0.5, (1.0 - p) - there.sf(z), there.cdf(z) - p))

        p, *values = (np.asarray(a, float) for a in arguments)
        inside = (p > 0) & (p < 1)
        some = (np.where(inside, p, 0.5), *values)
        bracket = elementwise.bracket_root(missing, -1.0, 1.0, args=some).bracket
        root = elementwise.find_root(missing, bracket, args=some).x
        return np.where(inside, root, np.where(p == 0, -np.inf, np.where(p == 1, np.inf, np.nan)))

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Independent residuals of a shape that the parameters broadcast to (NumPy)."""
        return self.quantile(generator.random(shape))

    def fisher_information(self) -> Information:
        """Expected square of the score, of the location and of the log of the scale.

        Integrated numerically, to some ten digits: the trapezoidal rule after a sinh-sinh
        substitution, which converges exponentially for densities that are analytic.
        """
        u, step = np.linspace(-REACH, REACH, NODES, retstep=True)
        shape = np.broadcast_shapes(*(np.shape(value) for value in self._values().values()))
        nodes = u.reshape(-1, *(1 for _ in shape)) * np.ones(shape)
        z = np.sinh(np.pi / 2 * np.sinh(nodes))
        spacing = step * np.pi / 2 * np.cosh(nodes) * np.cosh(np.pi / 2 * np.sinh(nodes))
        mass, slope = np.exp(self.log_prob(z)) * spacing, self.slope(z)
        # far out, where the density is zero, its slope may be no number
        here = mass > 0
        entries = (
            np.sum(mass * first * second, axis=0, where=here)
            for first, second in (
                (slope, slope),
                (1 + z * slope, 1 + z * slope),
                (slope, 1 + z * slope),
            )
        )
        return Information(*(value if shape else float(value) for value in entries))

    def slope(self, residual: np.ndarray) -> np.ndarray:
        """Derivative of `log_prob` (NumPy); the score of the location is minus that.

        The default differentiates `log_prob` with JAX.
        """
        import jax
        import jax.numpy as jnp

        values = {name: jnp.asarray(value, float) for name, value in self._values().items()}
        at = jnp.asarray(residual, float)
        log_prob = jax.jit(dataclasses.replace(self, **values).log_prob)
        return np.asarray(jax.jvp(log_prob, (at,), (jnp.ones_like(at),))[1])

    def normal_scores(self, residual: np.ndarray) -> np.ndarray:
        """Residuals as standard normal numbers with the same place in their distribution."""
        from scipy import special

        below, above = self.cdf(residual), self.sf(residual)
        # the smaller of the two holds the digits of a far tail
        nearer = special.ndtri(np.minimum(below, above))
        return np.asarray(np.where(below < above, nearer, -nearer))

    def log_density(self, loss: Any, mean: Any, scale: Any) -> Any:
        """Log density of measured losses per unit of loss; `mean` and `scale` broadcast."""
        from bayes_distill.likelihoods.arrays import numpy_for

        xp = numpy_for(loss, mean, scale)
        return self.log_prob((loss - mean) / scale) - xp.log(scale)

    def distribution(self, mean: Any, scale: Any) -> dist.Distribution:
        """NumPyro distribution of measured losses; `mean` and `scale` broadcast, traced or not."""
        from bayes_distill.likelihoods.location_scale import LocationScale

        noise: dist.Distribution = LocationScale(type(self), mean, scale, self._values())
        return noise

    def map_parameters(self, function: Callable[[Any], Any]) -> Self:
        """The same likelihood with `function` applied to every parameter that is an array."""
        values = {k: function(v) if np.ndim(v) else v for k, v in self._values().items()}
        return dataclasses.replace(self, **values)

    def _values(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in self.parameters()}
