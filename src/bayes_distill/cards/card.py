"""A model card: which law, which priors, which noise, which runs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    field_validator,
    model_validator,
)

from bayes_distill.cards.priors import FAMILIES, LogNormal, Prior
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import LAWS, STACKED, TABLE_6, Law, stack_laws
from bayes_distill.laws.supervised import Supervised

SUPERVISED = Supervised().coordinate_names


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Likelihood(_Part):
    """How runs scatter around the law.

    `scale` is ``absolute`` (the same spread at every loss) or ``relative`` (proportional to it).
    Every prior median is in units of the reference loss.

    Distilled runs may share what sets them apart. With `teacher_effect`, students of one teacher
    share an offset: a teacher is more than its loss, and its loss was measured once. With
    `condition_effect`, students of one size and one number of tokens share one: they saw the same
    data in the same order under the same settings. Both are priors of a standard deviation.
    """

    family: Literal["student_t", "normal"] = "student_t"
    degrees_of_freedom: PositiveFloat = 4.0
    scale: Literal["absolute", "relative"] = "absolute"
    prior: LogNormal = LogNormal(family="lognormal", median=0.004, sd=1.0)
    supervised_prior: LogNormal = LogNormal(family="lognormal", median=0.004, sd=1.0)
    teacher_effect: LogNormal | None = None
    condition_effect: LogNormal | None = None


class FittedSupervised(_Part):
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


class SupervisedPrior(_Part):
    """A joint prior on the supervised coefficients, in units of the losses they imply.

    Centred on published coefficients; wide enough that the supervised losses of models across
    the named range vary by `loss_sd` (relative, one standard deviation, root mean square over
    the range). Directions that hardly move those losses keep a weak prior of their own.

    If the runs' losses are in another unit than the centre's (bits per byte, another tokenizer),
    the centre is multiplied by the ratio of the two, and that ratio is uncertain by `unit_sd`.
    Ratios within `same_unit_within` of one count as the same unit and leave the centre alone.

    With `fitted`, the posterior of a supervised fit takes the place of all this.
    """

    fitted: FittedSupervised | None = None

    centre: dict[str, PositiveFloat] = dict(TABLE_6)
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


class DiscrepancyPriors(_Part):
    """By how much sizes may depart from the law: see `discrepancies`. Distillation laws only.

    `shift` and `tilt` are priors of standard deviations, in units of the reference loss; the
    lengths say over which distance of log sizes discrepancies are alike. `condition_stretch` and
    `condition_place` are those of what every size on every number of tokens has of its own: a
    stretch of its bracket, and a shift of the log of the loss at which the capacity gap opens.
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


class ReferencePoint(_Part):
    """Where the law counts from; what is left out is the median of the runs."""

    params: PositiveFloat | None = None
    tokens: PositiveFloat | None = None
    loss: PositiveFloat | None = None


class Card(_Part):
    """A model card, as read from TOML. Validates itself; names every fault at once.

    A card states priors, and is fitted; or it states published `coefficients` (and the `noise`
    of a run around them, in the unit of the loss), and is used as it is, as a posterior with one
    draw. The card of a stack, which `stack` makes, holds the cards of its `members` in place of
    either, and its law is ``stacked``.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    title: str = ""
    description: str = ""
    law: str
    data: str | None = None
    reference: ReferencePoint = ReferencePoint()
    likelihood: Likelihood = Likelihood()
    supervised: SupervisedPrior | None = None
    discrepancy: DiscrepancyPriors | None = None
    priors: dict[str, Prior] = {}
    coefficients: dict[str, PositiveFloat] | None = None
    noise: Annotated[float, Field(ge=0)] = 0.0
    target_accept: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    transitions_per_draw: Annotated[int, Field(ge=1, le=100)] = 1
    members: tuple[Card, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, content: Any) -> Any:
        """Take ``departures``, the earlier name of ``discrepancy``."""
        if not isinstance(content, dict) or "departures" not in content:
            return content
        if content.get("discrepancy") is not None:
            return content  # and so refuse the earlier name
        kept = {name: value for name, value in content.items() if name != "departures"}
        return {**kept, "discrepancy": content["departures"]}

    @model_validator(mode="after")
    def _fits_its_law(self) -> Card:
        if self.members:
            faults = self._faults_of_stack()
            if faults:
                raise ValueError("; ".join(map(str, faults)))
            return self
        families = {name: prior.family for name, prior in self.priors.items()}
        names = None if self.coefficients is None else list(self.coefficients)
        faults = _faults_with_law(self.law, families, self.supervised is not None, names)
        faults += self._faults_without_teacher()
        if faults:
            raise ValueError("; ".join(map(str, faults)))
        return self

    def _faults_of_stack(self) -> list[Fault]:
        faults = []
        if self.law != STACKED:
            faults.append(Fault(f"{self.law!r}: a card with members has {STACKED!r}", column="law"))
        own = {
            "priors": self.priors,
            "coefficients": self.coefficients,
            "supervised": self.supervised,
            "discrepancy": self.discrepancy,
        }
        faults += [
            Fault("belongs to the members of a stack", column=k) for k, part in own.items() if part
        ]
        if any(member.members for member in self.members):
            faults.append(Fault("a stack cannot be a member of a stack", column="members"))
        return faults

    def _faults_without_teacher(self) -> list[Fault]:
        if self.law not in LAWS or LAWS[self.law].has_teacher:
            return []
        parts = {
            "discrepancy": self.discrepancy,
            "likelihood.teacher_effect": self.likelihood.teacher_effect,
            "likelihood.condition_effect": self.likelihood.condition_effect,
        }
        return [
            Fault(f"the {self.law} law has no teacher, and this is about students of one", column=k)
            for k, part in parts.items()
            if part is not None
        ]

    @property
    def scaling_law(self) -> Law:
        """The law that the card names."""
        if self.members:
            return stack_laws([member.scaling_law for member in self.members])
        return LAWS[self.law]


def _faults_with_law(
    law: str, families: Mapping[str, str], joint: bool, coefficients: list[str] | None
) -> list[Fault]:
    """What does not go together: a law, its priors, a joint prior, and point coefficients."""
    if law not in LAWS:
        return [Fault(f"{law!r} is not known: use one of {', '.join(LAWS)}", column="law")]
    if coefficients is not None:
        return _faults_of_points(law, coefficients, stated=bool(families) or joint)
    coordinates = {c.name: c.support for c in LAWS[law].coordinates}
    jointly = set(SUPERVISED) if joint else set()
    faults = []
    for name, family in families.items():
        column = f"priors.{name}"
        support = FAMILIES[family].support if family in FAMILIES else None
        if name not in coordinates:
            has = f"the {law} law has no such coordinate (it has {', '.join(coordinates)})"
            faults.append(Fault(has, column=column))
        elif support not in (None, coordinates[name]):
            differs = f"{family} is for {support} coordinates, and {name} is {coordinates[name]}"
            faults.append(Fault(differs, column=column))
        if name in jointly:
            twice = "already under the joint prior [supervised]; remove one of the two"
            faults.append(Fault(twice, column=column))
    if joint and "gamma" not in coordinates:
        less = f"the {law} law has no gamma; state priors instead"
        faults.append(Fault(less, column="supervised"))
    missing = [name for name in coordinates if name not in families and name not in jointly]
    if missing:
        faults.append(Fault(f"missing for {', '.join(missing)}", column="priors"))
    return faults


def _faults_of_points(law: str, coefficients: list[str], stated: bool) -> list[Fault]:
    """What is wrong with the names of point coefficients; `stated` says there are priors too."""
    names = LAWS[law].coefficient_names
    faults = [
        Fault(f"the {law} law has no such coefficient", column=f"coefficients.{name}")
        for name in coefficients
        if name not in names
    ]
    missing = [name for name in names if name not in coefficients]
    if missing:
        faults.append(Fault(f"missing are {', '.join(missing)}", column="coefficients"))
    if stated:
        both = "a card states either coefficients or priors, not both"
        faults.append(Fault(both, column="coefficients"))
    return faults


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
    if "members" in content:
        raise InputError(
            f"model card {source} cannot be used: members are of a stack, which is made of fits "
            '(`stack([FIT, FIT]).save("stacked.nc")`)'
        )
    return card_from_dict(content, source)


def card_from_dict(content: dict[str, Any], source: str) -> Card:
    """Make a card from plain data, with every fault in one `InputError`."""
    alone = isinstance(content, dict) and not content.get("members")
    try:
        return Card.model_validate(content)
    except ValidationError as error:
        faults = [
            Fault(problem["msg"].removeprefix("Value error, "), column=_key(problem["loc"]) or None)
            for problem in error.errors(include_url=False)
            # faults with the law, which pydantic joins, are listed below
            if problem["loc"] or not alone
        ]
    # pydantic stops before these if it found others
    if alone and isinstance(content.get("law"), str):
        priors = content.get("priors")
        families = {
            str(name): str(prior.get("family")) if isinstance(prior, dict) else ""
            for name, prior in (priors.items() if isinstance(priors, dict) else ())
        }
        points = content.get("coefficients")
        faults += _faults_with_law(
            content["law"],
            families,
            content.get("supervised") is not None,
            list(map(str, points)) if isinstance(points, dict) else None,
        )
    raise InputError([f"model card {source} cannot be used", *faults])


def _key(location: tuple[int | str, ...]) -> str:
    """Key in the file: what pydantic says, less the family that it adds under a prior."""
    parts = [str(part) for part in location]
    if len(parts) > 2 and parts[0] == "priors" and parts[2] in FAMILIES:
        del parts[2]
    return ".".join(parts)


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
