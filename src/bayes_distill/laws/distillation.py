"""The distillation law: what a student reaches with a given teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import Coefficient, Coefficients, Coordinate, Coordinates, Reference
from bayes_distill.laws.discrepancy import opens_at
from bayes_distill.laws.softplus import inverse_softplus, log_softplus
from bayes_distill.laws.student import StudentLaw
from bayes_distill.laws.supervised import Supervised


@dataclass(frozen=True)
class Distillation(StudentLaw):
    """Distillation scaling law (Busbridge et al. 2025, eq. 8).

    ``L_S = L_T + L_T^-c0 * [1 + (L_T/(L~_S d1))^(1/f1)]^(-c1 f1) * (A'/N_S^alpha' +
    B'/D_S^beta')^gamma'`` with L~_S the supervised loss of the student (eq. 1).

    The middle factor is sampled as its logarithm, ``-kappa * softplus((log(L_T/L~_S) - w)/f1) /
    softplus(-w/f1)``: kappa is the log suppression where teacher and student are equally good,
    w = log d1 says where it bends. c1 -> infinity, along which the published form has a ridge,
    is the harmless limit w -> infinity.

    w and f1 are sampled as ``bend = softplus(w/f1)``, which is w/f1 unless that is small, and
    ``width = 1 / (d log(-log factor) / d log(L_T/L~_S))`` at L_T = L~_S, which is f1 unless w/f1 is
    small. The data identify the slope there, whatever the bend, so the two hardly depend on each
    other; the logarithm of ``bend`` has neither the wall at small w nor the long tail at large w.

    Where the gap opens late (a large bend b) runs do not show when. Where it opens early, the other
    coordinates compensate in proportion to exp(-b): hence the ``tail_reach``.
    """

    name: ClassVar[str] = "distillation"
    title: ClassVar[str] = (
        "L_T + L_T^-c0 [1 + (L_T/(L~_S d1))^(1/f1)]^(-c1 f1) (A'/N^alpha' + B'/D^beta')^gamma'"
    )
    coordinates: ClassVar[tuple[Coordinate, ...]] = (
        *Supervised.coordinates,
        Coordinate("student_level", "positive", "last bracket at the reference student and loss"),
        Coordinate("student_share", "unit", "share of its parameter term there"),
        Coordinate("student_slope_params", "positive", "alpha'*gamma'"),
        Coordinate("student_slope_tokens", "positive", "beta'*gamma'"),
        Coordinate("student_gamma", "positive", "gamma'"),
        Coordinate("c0", "positive", "exponent of the teacher's loss, over the reference loss"),
        Coordinate("kappa", "positive", "log suppression at L_T = L~_S"),
        Coordinate("width", "positive", "log L_T/L~_S that changes the suppression e-fold"),
        Coordinate("bend", "positive", "softplus(w/f1), about log(d1)/f1: where the gap opens"),
    )
    coefficients: ClassVar[tuple[Coefficient, ...]] = (
        *Supervised.coefficients,
        Coefficient("A'", "scale of the student's parameter term"),
        Coefficient("B'", "scale of the student's token term"),
        Coefficient("alpha'", "exponent of student parameters"),
        Coefficient("beta'", "exponent of distillation tokens"),
        Coefficient("gamma'", "outer exponent"),
        Coefficient("c0", "exponent of the teacher's loss"),
        Coefficient("c1", "strength of the suppression"),
        Coefficient("d1", "L_T / L~_S at the bend"),
        Coefficient("f1", "width of the bend"),
    )
    tail_reach: ClassVar[Mapping[str, float]] = {"bend": 10.0}
    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = (("A'", "alpha'", "gamma'"), ("c1", "d1"))

    def _log_suppression(
        self, coordinates: Coordinates, log_teacher: Array, log_student: Array
    ) -> Array:
        c = coordinates
        w, f1 = _bend(c["width"], c["bend"])
        return -jnp.exp(
            jnp.log(jnp.asarray(c["kappa"]))
            + log_softplus((log_teacher - opens_at(c, log_student) - w) / f1)
            - log_softplus(-w / f1)
        )

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """Coefficients of table 6. c1 and d1 reach infinity where the data let them."""
        c = coordinates
        w, f1 = _bend(c["width"], c["bend"])
        log_c1 = jnp.log(jnp.asarray(c["kappa"])) - jnp.log(f1) - log_softplus(-w / f1)
        return {
            **super().to_published(c, reference),
            "c1": jnp.exp(log_c1),
            "d1": jnp.exp(w),
            "f1": f1,
        }

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of the coefficients of table 6."""
        c1, d1, f1 = (jnp.asarray(coefficients[name]) for name in ("c1", "d1", "f1"))
        w = jnp.log(d1)
        return {
            **super().from_published(coefficients, reference),
            "kappa": c1 * f1 * jnp.exp(log_softplus(-w / f1)),
            "width": f1 * jnp.exp(jax.nn.softplus(w / f1) + log_softplus(-w / f1)),
            "bend": jax.nn.softplus(w / f1),
        }


def _bend(width: ArrayLike, bend: ArrayLike) -> tuple[Array, Array]:
    """Give w = log d1 and f1 from the coordinates `width` and `bend`."""
    bend = jnp.asarray(bend)
    r = inverse_softplus(bend)  # w / f1
    f1 = jnp.exp(jnp.log(jnp.asarray(width)) - bend - log_softplus(-r))
    return r * f1, f1
