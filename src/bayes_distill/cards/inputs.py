"""Settings of the columns that the formula of a card reads."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator

from bayes_distill.cards.settings import Settings
from bayes_distill.laws.inputs import Input

Value = Annotated[float, Field(ge=-1e30, le=1e30)]


class InputSettings(Settings):
    """One table ``[inputs.NAME]``: a column that the formula of the card names.

    `aliases` are other names of the column, `unit` and `meaning` are for people. `default` is its
    value where nothing is stated, `range` the lowest and the highest that may be; without one a
    value must be above zero. `reference` is the value that scales count from, by default the median
    of the runs; a fit stores it.
    """

    aliases: tuple[str, ...] = ()
    unit: str = ""
    meaning: str = ""
    default: Value | None = None
    range: tuple[Value, Value] | None = None
    reference: Value | None = None

    @model_validator(mode="after")
    def _in_order(self) -> InputSettings:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("its range is not a lowest and a highest value")
        if self.default is not None and self.named("it").problem(self.default) is not None:
            inside = "above zero" if self.range is None else "inside its range"
            raise ValueError(f"its default {self.default:g} is not {inside}")
        return self

    def named(self, name: str) -> Input:
        """The input that a law declares."""
        least, most = self.range or (0.0, math.inf)
        return Input(name, self.aliases, self.unit, self.meaning, self.default, least, most)
