"""A model card: which law, which priors, which noise, which runs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from bayes_distill.cards.priors import LogNormal, Prior
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import LAWS, TABLE_6, Law
from bayes_distill.laws.supervised import Supervised

SUPERVISED = Supervised().coordinate_names


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Likelihood(_Part):
    """How runs scatter around the law.

    `scale` is ``absolute`` (the same spread at every loss) or ``relative`` (proportional to it).
    Both kinds of prior median are in units of the reference loss.
    """

    family: Literal["student_t", "normal"] = "student_t"
    degrees_of_freedom: PositiveFloat = 4.0
    scale: Literal["absolute", "relative"] = "absolute"
    prior: LogNormal = LogNormal(family="lognormal", median=0.004, sd=1.0)
    supervised_prior: LogNormal = LogNormal(family="lognormal", median=0.004, sd=1.0)


class SupervisedPrior(_Part):
    """A joint prior on the supervised coefficients, in units of the losses they imply.

    Centred on published coefficients; wide enough that the supervised losses of models across
    the named range vary by `loss_sd` (relative, one standard deviation, root mean square over
    the range). Directions that hardly move those losses keep a weak prior of their own.

    If the runs' losses are in another unit than the centre's (bits per byte, another tokenizer),
    the centre is multiplied by the ratio of the two, and that ratio is uncertain by `unit_sd`.
    Ratios within `same_unit_within` of one count as the same unit and leave the centre alone.
    """

    centre: dict[str, PositiveFloat] = dict(TABLE_6)
    loss_sd: Annotated[float, Field(gt=0, le=1)] = 0.01
    unit_sd: Annotated[float, Field(gt=0, le=1)] = 0.05
    same_unit_within: Annotated[float, Field(ge=0, lt=1)] = 0.0
    params_range: tuple[PositiveFloat, PositiveFloat] = (1.43e8, 1.26e10)
    tokens_per_param_range: tuple[PositiveFloat, PositiveFloat] = (10.0, 1000.0)

    @model_validator(mode="before")
    @classmethod
    def _named_centre(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("centre"), str):
            if value["centre"] != "busbridge2025-table6":
                raise ValueError(
                    f"centre = {value['centre']!r} is not known: write 'busbridge2025-table6', or "
                    "a table with E, A, B, alpha, beta, gamma"
                )
            value = {**value, "centre": dict(TABLE_6)}
        return value

    @model_validator(mode="after")
    def _complete(self) -> SupervisedPrior:
        missing = [n for n in Supervised().coefficient_names if n not in self.centre]
        if missing:
            raise ValueError(f"centre lacks {', '.join(missing)}")
        for name in ("params_range", "tokens_per_param_range"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name} must rise, not {low:g} to {high:g}")
        return self


class ReferencePoint(_Part):
    """Where the law counts from; what is left out is the median of the runs."""

    params: PositiveFloat | None = None
    tokens: PositiveFloat | None = None
    loss: PositiveFloat | None = None


class Card(_Part):
    """A model card, as read from TOML. Validates itself; names every fault at once."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    title: str = ""
    description: str = ""
    law: str
    data: str | None = None
    reference: ReferencePoint = ReferencePoint()
    likelihood: Likelihood = Likelihood()
    supervised: SupervisedPrior | None = None
    priors: dict[str, Prior] = {}
    target_accept: Annotated[float, Field(gt=0.5, lt=1)] = 0.9

    @model_validator(mode="after")
    def _fits_its_law(self) -> Card:
        if self.law not in LAWS:
            raise ValueError(f"law = {self.law!r} is not known: use one of {', '.join(LAWS)}")
        coordinates = {c.name: c for c in LAWS[self.law].coordinates}
        problems = []
        for name, prior in self.priors.items():
            if name not in coordinates:
                problems.append(
                    f"priors.{name}: the {self.law} law has no such coordinate "
                    f"(it has {', '.join(coordinates)})"
                )
            elif prior.support != coordinates[name].support:
                problems.append(
                    f"priors.{name}: {prior.family} is for {prior.support} coordinates, "
                    f"and {name} is {coordinates[name].support}"
                )
        jointly = set(SUPERVISED) if self.supervised is not None else set()
        if jointly and "gamma" not in coordinates:
            problems.append(f"supervised: the {self.law} law has no gamma; state priors instead")
        problems += [
            f"priors.{name}: already under the joint prior [supervised]; remove one of the two"
            for name in self.priors
            if name in jointly
        ]
        missing = [n for n in coordinates if n not in self.priors and n not in jointly]
        if missing:
            problems.append(f"priors are missing for {', '.join(missing)}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def scaling_law(self) -> Law:
        """The law that the card names."""
        return LAWS[self.law]


def card_from_toml(text: str, source: str) -> Card:
    """Read a card from TOML text; `source` is named in the error.

    Raises
    ------
    InputError
        Naming every fault with the key it is under.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source} is not valid TOML: {error}") from None
    return card_from_dict(content, source)


def card_from_dict(content: dict[str, Any], source: str) -> Card:
    """Make a card from plain data, with every fault in one `InputError`."""
    try:
        return Card.model_validate(content)
    except ValidationError as error:
        faults = [
            Fault(
                problem["msg"].removeprefix("Value error, "),
                column=".".join(str(part) for part in problem["loc"]) or None,
            )
            for problem in error.errors(include_url=False)
        ]
        raise InputError(
            [Fault(f"model card {source} cannot be used"), *faults] if faults else str(error)
        ) from None


def read_card(path: str | Path) -> Card:
    """Read a card from a TOML file; see `card_from_toml`."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"model card {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"model card {path} cannot be read: {error}") from None
    return card_from_toml(text, str(path))
