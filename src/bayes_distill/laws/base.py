"""What every law has in common: coordinates, a reference point, and a conversion.

A law is a pure function from *coordinates* (what the data identify, and what is sampled)
to a loss. Everything inside a law is dimensionless: sizes and tokens count from a reference
student, losses are in units of a reference loss. That is what lets priors be stated once for
nats, bits per byte or anything else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.discrepancy import discrepancy
from bayes_distill.laws.inputs import OF_RUNS, Input, Label
from bayes_distill.laws.published import PublishedValues

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
Support = Literal["positive", "unit", "real"]
Coordinates = Mapping[str, ArrayLike]
Coefficients = dict[str, Array]
Inputs = Mapping[str, ArrayLike]
"""Columns that a law declares (`Law.inputs`), as they are in the table: they have no reference."""


@dataclass(frozen=True, slots=True)
class Coordinate:
    """One sampled coordinate of a law.

    Parameters
    ----------
    name
        Name of the sampled variable.
    support
        ``positive`` (sampled as a logarithm), ``unit`` (sampled as a logit) or ``real``.
    meaning
        What it is, in one line.
    """

    name: str
    support: Support
    meaning: str


@dataclass(frozen=True, slots=True)
class Bracket:
    """Names of the coordinates of one bracket ``(A/N^alpha + B/D^beta)^gamma``, see `log_bracket`.

    A share and its two slopes trade off: `inference.reparameterisation` shears them.

    Parameters
    ----------
    level, share, slope_params, slope_tokens
        Names of coordinates.
    gamma
        Name of the coordinate, or ``None`` where the law fixes the outer exponent.
    """

    level: str
    share: str
    slope_params: str
    slope_tokens: str
    gamma: str | None = None


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One published coefficient of a law (a column of table 6 of Busbridge et al. 2025).

    Parameters
    ----------
    name
        Name in code and tables, plain letters: ``alpha'``.
    meaning
        What it is, in one line.
    symbol
        How papers write it, for the labels of plots. By default made of the name: ``α′``, ``c₁``.
    """

    name: str
    meaning: str
    symbol: str = ""

    def __post_init__(self) -> None:
        if not self.symbol:
            object.__setattr__(self, "symbol", _symbol(self.name))


def _symbol(name: str) -> str:
    letter = name.removesuffix("'")
    return GREEK.get(letter, letter.translate(SUBSCRIPTS)) + "′" * (letter != name)


@dataclass(frozen=True, slots=True)
class Reference:
    """The point from which a law counts: a student near the middle of the runs.

    Parameters
    ----------
    params
        Non-embedding parameters N0.
    tokens
        Training tokens D0.
    loss
        Loss L0 in the unit of the runs; every loss inside a law is divided by it.
    """

    params: float
    tokens: float
    loss: float

    def __post_init__(self) -> None:
        for name in ("params", "tokens", "loss"):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise ValueError(f"reference {name} must be positive and finite, not {value}")

    def as_array(self) -> np.ndarray:
        """The three numbers, for compiled functions."""
        return np.array([self.params, self.tokens, self.loss])

    @classmethod
    def traced(cls, numbers: Array) -> Reference:
        """The reference of three numbers that are traced, and so cannot be checked."""
        found = object.__new__(cls)
        for name, number in zip(("params", "tokens", "loss"), numbers, strict=True):
            object.__setattr__(found, name, number)
        return found


@dataclass(frozen=True)
class Law(ABC):
    """A scaling law in the coordinates that data identify.

    Losses returned are in the unit of ``reference.loss``; every array argument broadcasts
    against the others and against the coordinates.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    coordinates: ClassVar[tuple[Coordinate, ...]]
    coefficients: ClassVar[tuple[Coefficient, ...]]
    neutral: ClassVar[Mapping[str, float]] = {}
    """Published coefficients that others lack, at values at which the law is the others' law."""
    fixed: ClassVar[Mapping[str, float]] = {}
    """Published coefficients of eq. 1 that the law holds at a value and does not list."""
    floor: ClassVar[str] = "floor"
    """Coordinate of the irreducible loss E, in units of the reference loss."""
    brackets: ClassVar[tuple[Bracket, ...]] = ()
    """Brackets whose share and slopes trade off."""
    tail_reach: ClassVar[Mapping[str, float]] = {}
    """Positive coordinates b towards whose zero the others change in proportion to exp(-b).

    In log b the posterior has a tail there that curves away, so ``log b - reach exp(-b)`` is
    sampled; the mapping holds the reach of each.
    """
    knows_repeats: ClassVar[bool] = False
    """Whether the law tells a repeated token from a new one; others ignore `unique_tokens`."""
    published_values: ClassVar[PublishedValues | None] = None
    """Values of the coefficients in print, which fits of this law are compared with."""
    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of coefficients that runs identify together rather than one by one."""
    inputs: ClassVar[tuple[Input, ...]] = ()
    """Columns that the law reads besides those of every table, and further names of the latter."""
    labels: ClassVar[tuple[Label, ...]] = ()
    """Columns of names, whose indicators are among the `inputs` once their levels are known."""
    counts: ClassVar[str] = "non-embedding"
    """Parameters that N counts: ``non-embedding``, ``total`` or ``active``."""
    needs: ClassVar[tuple[str, ...]] = ("params", "tokens")
    """Which of size and tokens the law reads; a table may lack the others."""

    @abstractmethod
    def log_supervised_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        reference: Reference,
        unique_tokens: ArrayLike | None = None,
        *,
        inputs: Inputs | None = None,
    ) -> Array:
        """Log of the loss of supervised training, in the unit of ``reference.loss``.

        `unique_tokens` says how many of `tokens` are different ones; ``None`` means all. `inputs`
        holds the columns of `extra_inputs`; those that are left out have their default, or else
        their value in the middle of the runs.
        """

    @abstractmethod
    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """Convert sampled coordinates to the coefficients as papers print them."""

    @abstractmethod
    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Convert published coefficients to sampled coordinates; inverse of `to_published`."""

    def supervised_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        reference: Reference,
        unique_tokens: ArrayLike | None = None,
        *,
        inputs: Inputs | None = None,
    ) -> Array:
        """Loss of supervised training (eq. 1), in the unit of ``reference.loss``."""
        point = (coordinates, params, tokens, reference, unique_tokens)
        if self.inputs:
            return jnp.exp(self.log_supervised_loss(*point, inputs=inputs))
        return jnp.exp(self.log_supervised_loss(*point))

    def irreducible_loss(self, coordinates: Coordinates, reference: Reference) -> Array:
        """Loss E of an infinite model on infinite data, in the unit of ``reference.loss``."""
        return jnp.asarray(coordinates[self.floor]) * reference.loss

    def sheared(self, sites: Mapping[str, Array], sign: float) -> dict[str, Array]:  # noqa: ARG002
        """Unconstrained coordinates as NUTS samples them (`sign` 1), or back from these (-1).

        For laws whose priors are on coordinates that trade off: a shear, which changes no volume.
        Sites that are no coordinates of the law are passed through.
        """
        return dict(sites)

    @property
    def extra_inputs(self) -> tuple[Input, ...]:
        """Columns that the law reads and that tables have for it only."""
        return tuple(each for each in self.inputs if each.name not in OF_RUNS)

    @property
    def own_reference(self) -> Reference | None:
        """The only reference point that the law counts from; ``None`` if any will do."""
        return None

    @property
    def middle_of_inputs(self) -> dict[str, float]:
        """Values of `extra_inputs` where none is stated: their defaults, or else 1."""
        return {
            each.name: 1.0 if each.default is None else each.default for each in self.extra_inputs
        }

    @property
    def has_teacher(self) -> bool:
        """Whether the law says what a teacher does to a student."""
        return isinstance(self, TeacherLaw)

    @property
    def coordinate_names(self) -> tuple[str, ...]:
        """Names of the sampled coordinates, in order."""
        return tuple(c.name for c in self.coordinates)

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the published coefficients, in order."""
        return tuple(c.name for c in self.coefficients)


class TeacherLaw(Law):
    """A law that also says what a student distilled from a teacher reaches."""

    student_bracket: ClassVar[Bracket | None] = None
    """Bracket of the student's capacity, to which a condition's ``stretch`` adds."""

    @abstractmethod
    def log_excess_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
    ) -> Array:
        """Log of the student's loss above its teacher's, in the unit of ``reference.loss``."""

    def distilled_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
        *,
        inputs: Inputs | None = None,  # noqa: ARG002
    ) -> Array:
        """Loss of a distilled student (eq. 8), in the unit of ``reference.loss``.

        `coordinates` may hold the student's own discrepancy from the law, ``shift``, ``tilt``,
        ``stretch`` and ``place``: see `laws.discrepancy`. `inputs` are those of the student, for
        laws that declare some.
        """
        excess = jnp.exp(self.log_excess_loss(coordinates, params, tokens, teacher_loss, reference))
        loss = jnp.asarray(teacher_loss) + excess
        relative = excess / reference.loss
        gain = self.gain(coordinates, relative)
        if gain is not None:
            loss = loss - reference.loss * gain
        own = discrepancy(coordinates, relative)
        return loss if own is None else loss + reference.loss * own

    def gain(self, coordinates: Coordinates, excess: Array) -> Array | None:  # noqa: ARG002
        """By how much a student beats what `log_excess_loss` gives it; ``None`` if it never does.

        `excess` is L_S - L_T by that formula; both are in units of the reference loss.
        """
        return None
