"""Settings of a joint prior on the supervised coefficients."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PositiveFloat, field_validator, model_validator

from bayes_distill.cards.settings import Settings
from bayes_distill.laws import TABLE_6
from bayes_distill.laws.supervised import Supervised

SUPERVISED = Supervised().coordinate_names


class FittedSupervised(Settings):
    """Posterior of a supervised fit, as a normal distribution: what a two-stage fit starts from.

    `centre` (6) and `covariance` (6, 6) are of the six numbers of `inference.joint_prior`, which
    count from the card's reference point; `source` says which fit it was.
    """

    source: str
    centre: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _square(self) -> FittedSupervised:
        count = len(SUPERVISED)
        rows = [self.centre, *self.covariance]
        if len(rows) != count + 1 or any(len(row) != count for row in rows):
            raise ValueError(
                f"needs {count} numbers as centre and {count} by {count} of covariance"
            )
        return self


class SupervisedPrior(Settings):
    """A joint prior on the supervised coefficients, in units of the losses they imply.

    Centred on published coefficients; wide enough that the supervised losses of models across
    the named range vary by `loss_sd` (relative, one standard deviation, root mean square over
    the range). Directions that hardly move those losses have a separate weak prior.

    If the runs' losses are in another unit than the centre's (bits per byte, another tokenizer),
    the centre is multiplied by the ratio of the two, and that ratio is uncertain by `unit_sd`.
    Ratios within `same_unit_within` of one count as the same unit and do not change the centre.

    With `fitted`, the posterior of a supervised fit takes the place of all this.
    """

    fitted: FittedSupervised | None = None

    centre: dict[str, PositiveFloat] = Field(default_factory=lambda: dict(TABLE_6))
    loss_sd: Annotated[float, Field(gt=0, le=1)] = 0.01
    unit_sd: Annotated[float, Field(gt=0, le=1)] = 0.05
    same_unit_within: Annotated[float, Field(ge=0, lt=1)] = 0.0
    params_range: tuple[PositiveFloat, PositiveFloat] = (1.43e8, 1.26e10)
    tokens_per_param_range: tuple[PositiveFloat, PositiveFloat] = (10.0, 1000.0)

    @field_validator("centre", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value != "busbridge2025-table6":
            raise ValueError(
                f"{value!r} is not known: write 'busbridge2025-table6', or a table with "
                "E, A, B, alpha, beta, gamma"
            )
        return dict(TABLE_6)

    @field_validator("centre")
    @classmethod
    def _complete(cls, value: dict[str, float]) -> dict[str, float]:
        missing = [n for n in Supervised().coefficient_names if n not in value]
        if missing:
            raise ValueError(f"lacks {', '.join(missing)}")
        return value

    @field_validator("params_range", "tokens_per_param_range")
    @classmethod
    def _rising(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise ValueError(f"must rise, not {value[0]:g} to {value[1]:g}")
        return value
