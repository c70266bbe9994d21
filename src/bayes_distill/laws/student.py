"""What the distillation laws share: the student's bracket under a power of the teacher's loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import Bracket, Coefficients, Coordinates, Reference, TeacherLaw
from bayes_distill.laws.bracket import (
    bracket_from_published,
    bracket_to_published,
    log_bracket,
    log_sizes,
)
from bayes_distill.laws.smooth_discrepancy import student_log_discrepancy
from bayes_distill.laws.supervised import Supervised

STUDENT = Bracket(
    "student_level",
    "student_share",
    "student_slope_params",
    "student_slope_tokens",
    "student_gamma",
)


@dataclass(frozen=True)
class StudentLaw(Supervised, TeacherLaw):
    """``L_S = L_T + L_T^-c0 * suppression * (A'/N_S^alpha' + B'/D_S^beta')^gamma'``."""

    student_bracket: ClassVar[Bracket | None] = STUDENT
    brackets: ClassVar[tuple[Bracket, ...]] = (*Supervised.brackets, STUDENT)
    neutral: ClassVar[Mapping[str, float]] = {}

    def log_excess_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
    ) -> Array:
        """Log of L_S - L_T, in the unit of ``reference.loss``.

        `coordinates` may hold a smooth discrepancy: see `laws.smooth_discrepancy`.
        """
        c = coordinates
        log_teacher = jnp.log(jnp.asarray(teacher_loss))
        log_student = self.log_supervised_loss(c, params, tokens, reference)
        x, y = log_sizes(params, tokens, reference)
        log_place = self.log_place_of_gap(c, log_student, x, y)
        log_suppression = self._log_suppression(c, log_teacher, log_place)
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
        log_relative = log_teacher - jnp.log(reference.loss)
        log_pull = -jnp.asarray(c["c0"]) * log_relative
        log_excess = jnp.log(reference.loss) + log_pull + log_suppression + log_capacity
        wrong_by = student_log_discrepancy(c, x, y, log_relative)
        return log_excess if wrong_by is None else log_excess + wrong_by

    def log_place_of_gap(
        self,
        coordinates: Coordinates,  # noqa: ARG002
        log_student: Array,
        x: Array,  # noqa: ARG002
        y: Array,  # noqa: ARG002
    ) -> Array:
        """Log of the loss that the teacher's is compared with: in eq. 8 what the student reaches.

        `log_student` is the log of the loss that the student would reach alone, `x` and `y` are
        those of its size and tokens over the reference's.
        """
        return log_student

    def _log_suppression(
        self,
        coordinates: Coordinates,  # noqa: ARG002
        log_teacher: Array,  # noqa: ARG002
        log_student: Array,  # noqa: ARG002
    ) -> ArrayLike:
        """Log of the factor by which a good teacher's student falls short: here none.

        `log_student` is the log of the loss at which the gap has its place, see `log_place_of_gap`.
        """
        return 0.0

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """Coefficients of table 6, without those of the suppression."""
        c = coordinates
        c0 = jnp.asarray(c["c0"])
        # eq. 8 has L_T^-c0 where the coordinates have L0 * (L_T/L0)^-c0
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
        """Sampled coordinates of the coefficients of table 6, without those of the suppression."""
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
