"""Prior families a card may name, each for coordinates of one support."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, override

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bayes_distill.laws.base import Support

if TYPE_CHECKING:
    from numpyro import distributions as dist


Size = Annotated[float, Field(ge=1e-30, le=1e30)]
"""A positive number of which logarithms, powers and squares are numbers too."""
Spread = Annotated[float, Field(ge=1e-9, le=100.0)]
"""A standard deviation of a logarithm: beyond, all numbers that there are would be alike."""

Shape = Annotated[float, Field(ge=1e-3, le=1e6)]
"""A shape parameter."""


class _Prior(BaseModel, ABC):
    """What every family shares: frozen, no unknown keys, one support."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    support: ClassVar[Support]
    numpyro_name: ClassVar[str]
    """Name of the family in `numpyro.distributions`, unless `distribution` is overridden."""
    middle_field: ClassVar[str]
    """Field that holds the typical value, unless `middle` is overridden."""

    @abstractmethod
    def hyperparameters(self) -> tuple[float, float]:
        """Two numbers that, with the family's name, make the distribution."""

    @property
    def middle(self) -> float:
        """A typical value: the median, or the mean where a card states that."""
        value: float = getattr(self, self.middle_field)
        return value

    @classmethod
    def distribution(cls, first: Any, second: Any) -> dist.Distribution:
        """NumPyro distribution from the two numbers, which may be traced."""
        prior: dist.Distribution = getattr(_distributions(), cls.numpyro_name)(first, second)
        return prior


class LogNormal(_Prior):
    """Positive; `median`, and `sd` of the natural logarithm."""

    family: Literal["lognormal"]
    median: Size
    sd: Spread
    middle_field: ClassVar[str] = "median"
    support: ClassVar[Support] = "positive"
    numpyro_name: ClassVar[str] = "LogNormal"

    @override
    def hyperparameters(self) -> tuple[float, float]:
        return math.log(self.median), self.sd


class Gamma(_Prior):
    """Positive; `mean` and `sd` on the natural scale."""

    family: Literal["gamma"]
    mean: Size
    sd: Size
    middle_field: ClassVar[str] = "mean"
    support: ClassVar[Support] = "positive"
    numpyro_name: ClassVar[str] = "Gamma"

    @model_validator(mode="after")
    def _has_a_shape(self) -> Gamma:
        if not 1e-3 <= self.mean / self.sd <= 1e6:
            raise ValueError("its mean over its sd is not between 0.001 and 1,000,000")
        return self

    @override
    def hyperparameters(self) -> tuple[float, float]:
        return (self.mean / self.sd) ** 2, self.mean / self.sd**2


class LogitNormal(_Prior):
    """Between 0 and 1; `median`, and `sd` of the log odds."""

    family: Literal["logitnormal"]
    median: Annotated[float, Field(ge=1e-12, le=1 - 1e-12)]
    sd: Spread
    middle_field: ClassVar[str] = "median"
    support: ClassVar[Support] = "unit"

    @override
    def hyperparameters(self) -> tuple[float, float]:
        return math.log(self.median / (1 - self.median)), self.sd

    @classmethod
    @override
    def distribution(cls, first: Any, second: Any) -> dist.Distribution:
        families = _distributions()
        prior: dist.Distribution = families.TransformedDistribution(
            families.Normal(first, second), families.transforms.SigmoidTransform()
        )
        return prior


class Beta(_Prior):
    """Between 0 and 1; the two shape parameters `a` and `b`."""

    family: Literal["beta"]
    a: Shape
    b: Shape
    support: ClassVar[Support] = "unit"
    numpyro_name: ClassVar[str] = "Beta"

    @property
    @override
    def middle(self) -> float:
        return self.a / (self.a + self.b)

    @override
    def hyperparameters(self) -> tuple[float, float]:
        return self.a, self.b


class Normal(_Prior):
    """Any real number; `mean` and `sd`."""

    family: Literal["normal"]
    mean: Annotated[float, Field(ge=-1e12, le=1e12)]
    sd: Annotated[float, Field(ge=1e-12, le=1e12)]
    middle_field: ClassVar[str] = "mean"
    support: ClassVar[Support] = "real"
    numpyro_name: ClassVar[str] = "Normal"

    @override
    def hyperparameters(self) -> tuple[float, float]:
        return self.mean, self.sd


def _distributions() -> Any:
    """NumPyro's distributions: only fits need them, and they take a while to import."""
    from bayes_distill._runtime.numpyro import distributions

    return distributions


Prior = Annotated[LogNormal | Gamma | LogitNormal | Beta | Normal, Field(discriminator="family")]
FAMILIES: dict[str, type[_Prior]] = {
    "lognormal": LogNormal,
    "gamma": Gamma,
    "logitnormal": LogitNormal,
    "beta": Beta,
    "normal": Normal,
}
