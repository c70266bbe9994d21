"""Who pays for the teacher: the charges delta_lgt and delta_pre of eq. 9."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from bayes_distill.compute._checks import is_number
from bayes_distill.errors import Fault, InputError


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who pays for the teacher.

    Parameters
    ----------
    name
        What it is called in tables.
    logits_share
        delta_lgt: the part of the teacher's inference on the student's tokens that is charged.
    teacher_share
        delta_pre: the part of the teacher's training that is charged; 1/k if k students share it.
    distils
        Whether there is a teacher at all; ``False`` is supervised training.

    Raises
    ------
    InputError
        If a share is outside [0, 1], the name is empty, or supervised training is charged.
    """

    name: str
    logits_share: float = 0.0
    teacher_share: float = 0.0
    distils: bool = True

    def __post_init__(self) -> None:
        shares = (("logits_share", self.logits_share), ("teacher_share", self.teacher_share))
        faults = [
            Fault(f"must be a share between 0 and 1, not {value!r}", column=column)
            for column, value in shares
            if not (is_number(value) and 0 <= value <= 1)
        ]
        if not self.name:
            faults.append(Fault("must not be empty", column="name"))
        if not self.distils:
            faults += [
                Fault(f"supervised training has no teacher to charge, not {value!r}", column=column)
                for column, value in shares
                if is_number(value) and 0 < value <= 1
            ]
        if faults:
            raise InputError(faults)

    @property
    def teacher_is_free(self) -> bool:
        """Whether the teacher costs nothing, so that only its loss matters."""
        return self.distils and self.logits_share == 0 and self.teacher_share == 0


SCENARIOS: MappingProxyType[str, Scenario] = MappingProxyType(
    {
        s.name: s
        for s in (
            Scenario("supervised", distils=False),
            Scenario("best-case"),
            Scenario("teacher-inference", logits_share=1.0),
            Scenario("teacher-pretraining", teacher_share=1.0),
            Scenario("teacher-pretraining-and-inference", logits_share=1.0, teacher_share=1.0),
        )
    }
)
"""The paper's scenarios, by name."""


def scenario_named(name: str) -> Scenario:
    """Look up one of `SCENARIOS`.

    Raises
    ------
    InputError
        If there is none of that name; the message lists them.
    """
    if name not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise InputError(Fault(f"no scenario {name!r}; there are {known}", column="scenario"))
    return SCENARIOS[name]


def shared_teacher(students: int) -> float:
    """Share of a teacher's training that each of `students` students pays: 1/k.

    Raises
    ------
    InputError
        If `students` is below 1.
    """
    if not students >= 1:
        raise InputError(Fault(f"must be at least 1, not {students!r}", column="students"))
    return 1.0 / students
