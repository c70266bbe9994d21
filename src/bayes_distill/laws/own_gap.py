"""Distillation laws whose capacity gap has a place of its own.

In eq. 8 of Busbridge et al. (2025) the gap opens where the teacher is as good as d1 times the loss
L~_S that the student reaches alone. Where runs disagree with that place, a fit of eq. 8 bends the
supervised law, on which nothing else in a table of distilled students bears. Here L~_S in that
place has exponents of its own: those of the supervised law times two factors near one. The
supervised law is then left to supervised evidence. How late the gap opens at the reference student
is for d1 to say, and both exponents are positive, so that more parameters or tokens never hurt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import Coefficient, Coefficients, Coordinate, Coordinates, Reference
from bayes_distill.laws.bracket import log_bracket_at
from bayes_distill.laws.distillation import Distillation
from bayes_distill.laws.distillation_gain import DistillationGain
from bayes_distill.laws.student import StudentLaw

OWN_GAP = (
    Coordinate("gap_params", "positive", "alpha of L~_S where the gap opens, over alpha"),
    Coordinate("gap_tokens", "positive", "beta of L~_S where the gap opens, over beta"),
)
COEFFICIENTS = (
    Coefficient("rN", "alpha of L~_S in the gap's place over alpha"),
    Coefficient("rD", "beta of L~_S in the gap's place over beta"),
)
EQ_8: Mapping[str, float] = {"rN": 1.0, "rD": 1.0}
FORM = "alpha rN and beta rD in its L~_S"


@dataclass(frozen=True)
class OwnGap(StudentLaw):
    """What such laws have in common; the other base is the law whose gap it is.

    Both forms of L~_S agree at the reference student; so published factors other than one hold
    with the reference that they were found with.
    """

    def log_place_of_gap(
        self, coordinates: Coordinates, log_student: Array, x: Array, y: Array
    ) -> Array:
        """Log of L~_S with the exponents of the gap; what else `log_student` holds stays."""
        return log_student + _log_place(coordinates, x, y)

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """Coefficients of the law with the gap of eq. 8, rN and rD."""
        return super().to_published(coordinates, reference) | _factors(coordinates)

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of these coefficients; without the factors, those of eq. 8."""
        coefficients = {**self.neutral, **coefficients}
        return super().from_published(coefficients, reference) | _coordinates(coefficients)


@dataclass(frozen=True)
class DistillationOwnGap(OwnGap, Distillation):
    """Distillation law in whose capacity gap L~_S has exponents alpha rN and beta rD."""

    name: ClassVar[str] = "distillation-own-gap"
    title: ClassVar[str] = f"{Distillation.title}, {FORM}"
    coordinates: ClassVar[tuple[Coordinate, ...]] = (*Distillation.coordinates, *OWN_GAP)
    coefficients: ClassVar[tuple[Coefficient, ...]] = (*Distillation.coefficients, *COEFFICIENTS)
    neutral: ClassVar[Mapping[str, float]] = EQ_8


@dataclass(frozen=True)
class DistillationGainOwnGap(OwnGap, DistillationGain):
    """The law for students that may beat weak teachers, with exponents of the gap too."""

    name: ClassVar[str] = "distillation-gain-own-gap"
    title: ClassVar[str] = f"{DistillationGain.title}, {FORM}"
    coordinates: ClassVar[tuple[Coordinate, ...]] = (*DistillationGain.coordinates, *OWN_GAP)
    coefficients: ClassVar[tuple[Coefficient, ...]] = (
        *DistillationGain.coefficients,
        *COEFFICIENTS,
    )
    neutral: ClassVar[Mapping[str, float]] = {**DistillationGain.neutral, **EQ_8}


def _log_place(coordinates: Coordinates, x: Array, y: Array) -> Array:
    """Log of L~_S with the exponents of the gap over L~_S itself."""
    c = coordinates
    log_floor = jnp.log(jnp.asarray(c["floor"]))

    def log_loss(params: ArrayLike, tokens: ArrayLike) -> Array:
        slopes = jnp.asarray(c["slope_params"]) * params, jnp.asarray(c["slope_tokens"]) * tokens
        return jnp.logaddexp(
            log_floor, log_bracket_at(c["level"], c["share"], *slopes, c["gamma"], x, y)
        )

    return log_loss(c["gap_params"], c["gap_tokens"]) - log_loss(1.0, 1.0)


def _factors(coordinates: Coordinates) -> Coefficients:
    return {
        published: jnp.asarray(coordinates[own.name])
        for published, own in zip(EQ_8, OWN_GAP, strict=True)
    }


def _coordinates(coefficients: Mapping[str, ArrayLike]) -> Coefficients:
    return {
        own.name: jnp.asarray(coefficients[published])
        for published, own in zip(EQ_8, OWN_GAP, strict=True)
    }
