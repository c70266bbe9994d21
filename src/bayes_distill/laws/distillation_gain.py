"""The distillation law for students that may beat weak teachers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import Coefficient, Coefficients, Coordinate, Coordinates, Reference
from bayes_distill.laws.distillation import Distillation


@dataclass(frozen=True)
class DistillationGain(Distillation):
    """Distillation law less a gain that shows where the teacher is weak.

    ``L_S = L_T + X - gain / (1 + X / gain_reach)``, with X the student's excess over its teacher by
    eq. 8 of Busbridge et al. (2025). Where the teacher is strong, X is large and the gain vanishes;
    where eq. 8 says that the student only copies its teacher (X -> 0), the student ends below it by
    the whole gain.
    """

    name: ClassVar[str] = "distillation-gain"
    title: ClassVar[str] = "L_T + X - gain / (1 + X / gain_reach), X = L_S - L_T of eq. 8"
    coordinates: ClassVar[tuple[Coordinate, ...]] = (
        *Distillation.coordinates,
        Coordinate("gain", "positive", "how far a student beats a weak teacher, reference losses"),
        Coordinate("gain_reach", "positive", "X at which half the gain is left, reference losses"),
    )
    coefficients: ClassVar[tuple[Coefficient, ...]] = (
        *Distillation.coefficients,
        Coefficient("G", "how far a student beats a weak teacher"),
        Coefficient("X_G", "excess over the teacher at which half of G is left"),
    )

    neutral: ClassVar[Mapping[str, float]] = {"G": 1e-9, "X_G": 0.1}

    def gain(self, coordinates: Coordinates, excess: Array) -> Array:
        """Loss below L_T + X, in units of the reference loss, as `excess` is."""
        most, reach = jnp.asarray(coordinates["gain"]), jnp.asarray(coordinates["gain_reach"])
        return most / (1 + excess / reach)

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """Coefficients of eq. 8, and G and X_G in the unit of the loss."""
        return {
            **super().to_published(coordinates, reference),
            "G": jnp.asarray(coordinates["gain"]) * reference.loss,
            "X_G": jnp.asarray(coordinates["gain_reach"]) * reference.loss,
        }

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of the coefficients of eq. 8, G and X_G; without those, eq. 8."""
        coefficients = {**self.neutral, **coefficients}
        return {
            **super().from_published(coefficients, reference),
            "gain": jnp.asarray(coefficients["G"]) / reference.loss,
            "gain_reach": jnp.asarray(coefficients["X_G"]) / reference.loss,
        }
