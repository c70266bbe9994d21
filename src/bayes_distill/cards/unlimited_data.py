"""Setting of what a teacher may add for students with unlimited data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bayes_distill.cards.settings import Settings


class UnlimitedData(Settings):
    """By how much the best teacher and supervised training may differ with unlimited data.

    `gain_sd` is one standard deviation of the difference, to either side, in units of the reference
    loss; see `inference.unlimited_data`. It is a statement about the law as a whole, which prior
    draws of the single coordinates and simulated tables do not heed.
    """

    gain_sd: Annotated[float, Field(gt=0, le=1)]
