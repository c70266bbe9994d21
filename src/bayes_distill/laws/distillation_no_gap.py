"""The distillation law with the capacity gap switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bayes_distill.laws.base import Coordinate
from bayes_distill.laws.distillation import Distillation
from bayes_distill.laws.student import StudentLaw

GAP = {"kappa", "width", "bend", "c1", "d1", "f1"}


@dataclass(frozen=True)
class DistillationNoGap(StudentLaw):
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
    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("A'", "alpha'", "gamma'"),
        ("B'", "beta'"),
    )
