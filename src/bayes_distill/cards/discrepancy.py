"""Settings of discrepancies: priors on how sizes and conditions depart from a law."""

from __future__ import annotations

from pydantic import PositiveFloat

from bayes_distill.cards.priors import LogNormal
from bayes_distill.cards.settings import Settings


class DiscrepancyPriors(Settings):
    """By how much sizes may depart from the law: see `posterior.discrepancy`. Distillation only.

    `shift` and `tilt` are priors of standard deviations, in units of the reference loss; the
    lengths are the distances of log sizes over which discrepancies are alike. `condition_stretch`
    and `condition_place` are priors for every size on every number of tokens: the first of a
    stretch of its bracket, the second of a shift of the log of the loss at which the capacity gap
    opens.
    """

    shift: LogNormal | None = LogNormal(family="lognormal", median=0.002, sd=0.5)
    shift_length: PositiveFloat = 0.15
    tilt: LogNormal | None = LogNormal(family="lognormal", median=0.006, sd=0.5)
    tilt_length: PositiveFloat = 3.0
    condition_stretch: LogNormal | None = None
    condition_place: LogNormal | None = None

    @property
    def lengths(self) -> dict[str, float]:
        """Name of a discrepancy -> its length."""
        return {"shift": self.shift_length, "tilt": self.tilt_length}
