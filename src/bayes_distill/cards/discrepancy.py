"""Settings of discrepancies: priors on how far a law may be wrong."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from bayes_distill.cards.priors import LogNormal
from bayes_distill.cards.settings import Settings

Length = Annotated[float, Field(ge=1e-6, le=1e6)]
OF_LAW = ("smooth_up", "smooth_down", "size_offset", "student_smooth")


class DiscrepancyPriors(Settings):
    """By how much a law may be wrong; all but lengths are priors of standard deviations.

    `smooth_up` and `smooth_down` are of a function of log size and log tokens that multiplies the
    supervised loss: the strengths of the Wiener processes that its exponents follow, towards large
    models and long runs and towards small and short ones (`laws.smooth_discrepancy`).
    `student_smooth` is of another such function, which multiplies the excess of a distilled
    student over its teacher and depends on the teacher's strength as well.
    `size_offset` is of the offset that supervised runs of one size share, relative to the loss.

    The others are of students of one size: see `posterior.discrepancy`. `shift` and `tilt` are in
    units of the reference loss; the lengths are the distances of log sizes over which they are
    alike. `condition_stretch` and `condition_place` are for every size on every number of tokens:
    the first of a stretch of its bracket, the second of a shift of the log of the loss at which the
    capacity gap opens. A table with none of the first four has a shift and a tilt, whether it
    states them or not.
    """

    smooth_up: LogNormal | None = None
    smooth_down: LogNormal | None = None
    size_offset: LogNormal | None = None
    student_smooth: LogNormal | None = None
    shift: LogNormal | None = None
    shift_length: Length = 0.15
    tilt: LogNormal | None = None
    tilt_length: Length = 3.0
    condition_stretch: LogNormal | None = None
    condition_place: LogNormal | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_sizes(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not set(OF_LAW).isdisjoint(content):
            return content
        medians = {"shift": 0.002, "tilt": 0.006}
        own = {k: {"family": "lognormal", "median": m, "sd": 0.5} for k, m in medians.items()}
        return own | content

    @model_validator(mode="after")
    def _both_sides(self) -> DiscrepancyPriors:
        if (self.smooth_up is None) != (self.smooth_down is None):
            raise ValueError("states one of smooth_up and smooth_down: state both or neither")
        return self

    @property
    def lengths(self) -> dict[str, float]:
        """Name of a discrepancy -> its length."""
        return {"shift": self.shift_length, "tilt": self.tilt_length}

    @property
    def of_students(self) -> tuple[str, ...]:
        """Names of what is stated of distilled students."""
        names = ("student_smooth", "shift", "tilt", "condition_stretch", "condition_place")
        return tuple(name for name in names if getattr(self, name) is not None)
