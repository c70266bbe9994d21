"""The distillation law with the capacity gap switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import (
    Bracket,
    Coefficients,
    Coordinate,
    Coordinates,
    Reference,
    TeacherLaw,
)
from bayes_distill.laws.bracket import bracket_from_published, bracket_to_published, log_bracket
from bayes_distill.laws.distillation import STUDENT, Distillation
from bayes_distill.laws.supervised import Supervised

GAP = {"kappa", "width", "bend", "c1", "d1", "f1"}


@dataclass(frozen=True)
class DistillationNoGap(Supervised, TeacherLaw):
    """Distillation law (Busbridge et al. 2025, eq. 8) without the suppression factor.

    ``L_S = L_T + L_T^-c0 * (A'/N_S^alpha' + B'/D_S^beta')^gamma'``. What the student would reach
    alone no longer matters. Since L_T^-c0 grows with a better teacher, this law still has an
    optimal teacher where c0 is large; what it cannot do is place it by the student's own ability.
    Comparing it with `Distillation` says whether runs show a capacity gap.
    """

    name: ClassVar[str] = "distillation-no-gap"
    title: ClassVar[str] = "L_T + L_T^-c0 (A'/N^alpha' + B'/D^beta')^gamma'"
    coordinates: ClassVar[tuple[Coordinate, ...]] = tuple(
        c for c in Distillation.coordinates if c.name not in GAP
    )
    coefficients = tuple(c for c in Distillation.coefficients if c.name not in GAP)
    student_bracket: ClassVar[Bracket | None] = STUDENT
    brackets: ClassVar[tuple[Bracket, ...]] = Distillation.brackets
    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("A'", "alpha'", "gamma'"),
        ("B'", "beta'"),
    )

    def log_excess_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
    ) -> Array:
        """Log of L_S - L_T, in the unit of ``reference.loss``."""
        c = coordinates
        log_capacity = log_bracket(
            c["student_level"],
            c["student_share"],
            c["student_slope_params"],
            c["student_slope_tokens"],
            c["student_gamma"],
            params,
            tokens,
            reference,
        )
        log_relative = jnp.log(jnp.asarray(teacher_loss)) - jnp.log(reference.loss)
        return jnp.log(reference.loss) - jnp.asarray(c["c0"]) * log_relative + log_capacity

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """Coefficients of table 6, without those of the suppression."""
        c = coordinates
        c0 = jnp.asarray(c["c0"])
        level = jnp.asarray(c["student_level"]) * jnp.exp((1 + c0) * jnp.log(reference.loss))
        A, B, alpha, beta, gamma = bracket_to_published(
            level,
            c["student_share"],
            c["student_slope_params"],
            c["student_slope_tokens"],
            c["student_gamma"],
            reference,
        )
        return {
            **super().to_published(c, reference),
            "A'": A,
            "B'": B,
            "alpha'": alpha,
            "beta'": beta,
            "gamma'": gamma,
            "c0": c0,
        }

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of the coefficients of table 6; those of the gap are ignored."""
        c = coefficients
        c0 = jnp.asarray(c["c0"])
        level, share, slope_params, slope_tokens, gamma = bracket_from_published(
            c["A'"], c["B'"], c["alpha'"], c["beta'"], c["gamma'"], reference
        )
        return {
            **super().from_published(c, reference),
            "student_level": level * jnp.exp(-(1 + c0) * jnp.log(reference.loss)),
            "student_share": share,
            "student_slope_params": slope_params,
            "student_slope_tokens": slope_tokens,
            "student_gamma": gamma,
            "c0": c0,
        }
