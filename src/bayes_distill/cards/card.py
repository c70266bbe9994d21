"""A model card: which law, which priors, which likelihood, which runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from bayes_distill.cards.discrepancy import DiscrepancyPriors
from bayes_distill.cards.factors import FactorSettings, factor_faults
from bayes_distill.cards.formula import centre_of, formula_faults, formula_law
from bayes_distill.cards.inputs import InputSettings
from bayes_distill.cards.joint_prior import SUPERVISED, SupervisedPrior
from bayes_distill.cards.law_names import law_named
from bayes_distill.cards.likelihood import LikelihoodSettings
from bayes_distill.cards.priors import FAMILIES, Normal, Prior, Size
from bayes_distill.cards.settings import Settings, fault_at
from bayes_distill.cards.unlimited_data import UnlimitedData
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import STACKED, Law, stack_laws
from bayes_distill.laws.factors import with_factors
from bayes_distill.laws.formula import FORMULA


class ReferencePoint(Settings):
    """Where the law counts from; what is left out is the median of the runs."""

    params: Annotated[float, Field(ge=1.0, le=1e30)] | None = None
    tokens: Annotated[float, Field(ge=1.0, le=1e30)] | None = None
    loss: Annotated[float, Field(ge=1e-6, le=1e6)] | None = None


class Card(Settings):
    """A model card, as read from TOML. Validates itself; names every fault at once.

    A card states priors, and is fitted; or it states published `coefficients` (and the `noise`
    of a run around them, in the unit of the loss), and is used as it is, as a posterior with one
    draw. `law` names the law (`law_named`), or `formula` is one, over the columns that `inputs`
    describe and those of every table. `factors` are effects of further columns on a law that is
    named, and `counts` says which parameters N counts. The card of a stack, which `stack` makes,
    holds the cards of its `members` in place of either, and its law is ``stacked``.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    title: str = ""
    description: str = ""
    law: str
    formula: Annotated[str, Field(max_length=4000)] | None = None
    inputs: dict[str, InputSettings] = Field(default_factory=dict)
    factors: dict[str, FactorSettings] = Field(default_factory=dict)
    counts: Literal["non-embedding", "total", "active"] = "non-embedding"
    data: str | None = None
    reference: ReferencePoint = ReferencePoint()
    likelihood: LikelihoodSettings = LikelihoodSettings()
    supervised: SupervisedPrior | None = None
    discrepancy: DiscrepancyPriors | None = None
    unlimited_data: UnlimitedData | None = None
    priors: dict[str, Prior] = Field(default_factory=dict)
    coefficients: dict[str, Size] | None = None
    noise: Annotated[float, Field(ge=0, le=1e6)] = 0.0
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
        rest = {name: value for name, value in content.items() if name != "departures"}
        return {**rest, "discrepancy": content["departures"]}

    @model_validator(mode="before")
    @classmethod
    def _of_a_formula(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("formula") is None or "law" in content:
            return content
        return {**content, "law": FORMULA}

    @model_validator(mode="after")
    def _fits_its_law(self) -> Card:
        if self.members:
            faults = self._faults_of_stack()
        else:
            families = {name: prior.family for name, prior in self.priors.items()}
            names = None if self.coefficients is None else list(self.coefficients)
            joint = self.supervised is not None
            faults = faults_with_law(
                self.law, families, joint, names, self.formula, tuple(self.inputs)
            )
            if self.formula is not None and self.factors:
                own = "are of a law that is named: a formula holds the columns itself"
                faults.append(Fault(own, column="factors"))
            if not {"law", "formula", "inputs"} & {fault.column for fault in faults}:
                if self.factors and self.formula is None:
                    faults += factor_faults(law_named(self.law), self.factors, names is not None)
                faults += self._faults_without_teacher() + self._faults_of_likelihood()
        if faults:
            lines = [fault_at(tuple((f.column or "").split(".")), f.problem) for f in faults]
            raise ValidationError.from_exception_data(type(self).__name__, lines)
        return self

    def _faults_of_stack(self) -> list[Fault]:
        faults = []
        if self.law != STACKED:
            faults.append(Fault(f"{self.law!r}: a card with members has {STACKED!r}", column="law"))
        of_members = {
            "priors": self.priors,
            "coefficients": self.coefficients,
            "supervised": self.supervised,
            "discrepancy": self.discrepancy,
            "factors": self.factors,
        }
        faults += [
            Fault("belongs to the members of a stack", column=k)
            for k, part in of_members.items()
            if part
        ]
        if any(member.members for member in self.members):
            faults.append(Fault("a stack cannot be a member of a stack", column="members"))
        return faults

    def _faults_without_teacher(self) -> list[Fault]:
        if self.scaling_law.has_teacher:
            return []
        of_students = self.discrepancy.of_students if self.discrepancy else ()
        parts = {
            **{f"discrepancy.{name}": name for name in of_students},
            "likelihood.teacher_effect": self.likelihood.teacher_effect,
            "likelihood.condition_effect": self.likelihood.condition_effect,
            "unlimited_data": self.unlimited_data,
        }
        return [
            Fault(f"the {self.law} law has no teacher, and this is about students of one", column=k)
            for k, part in parts.items()
            if part is not None
        ]

    def _faults_of_likelihood(self) -> list[Fault]:
        """Parameters with the name of a coordinate of the law, or without a number to be used."""
        law = self.scaling_law
        taken = {*law.coordinate_names, *law.coefficient_names}
        faults = [
            Fault(f"the {self.law} law has a {name} too", column=f"likelihood.{name}")
            for name in self.likelihood.values
            if name in taken
        ]
        if self.coefficients is not None:
            needs = "a card with coefficients is not fitted: state a number"
            faults += [Fault(needs, column=f"likelihood.{n}") for n in self.likelihood.priors]
        return faults

    @property
    def coordinate_priors(self) -> dict[str, Prior]:
        """Priors by coordinate: those that are stated, and those of the factors' effects.

        Of a categorical factor there are none before its levels are known (`centred`).
        """
        effects = {
            coordinate: Normal(family="normal", mean=0.0, sd=each.sd)
            for name, each in self.factors.items()
            for coordinate in each.named(name).by_column.values()
        }
        return {**self.priors, **effects}

    @property
    def scaling_law(self) -> Law:
        """The law that the card names, with its factors."""
        if self.members:
            return stack_laws([member.scaling_law for member in self.members])
        if self.formula is None:
            factors = (each.named(name) for name, each in self.factors.items())
            return with_factors(law_named(self.law), tuple(factors), self.counts)
        return formula_law(
            self.formula,
            {name: prior.family for name, prior in self.priors.items()},
            self.coefficients,
            [each.named(name) for name, each in self.inputs.items()],
            centre_of(self.reference.model_dump(), self.inputs),
            self.counts,
        )


def faults_with_law(
    law: str,
    families: Mapping[str, str],
    joint: bool,
    coefficients: list[str] | None,
    formula: str | None = None,
    inputs: tuple[str, ...] = (),
) -> list[Fault]:
    """What does not go together: a law, its priors, a joint prior, and point coefficients."""
    if formula is not None:
        return _faults_of_formula(law, families, joint, coefficients, formula, inputs)
    if inputs:
        return [Fault("are of a formula: the law declares its own", column="inputs")]
    try:
        found = law_named(law)
    except InputError as error:
        return [Fault(fault.problem, column="law") for fault in error.faults]
    if coefficients is not None:
        return _faults_of_points(found, coefficients, stated=bool(families) or joint)
    coordinates = {c.name: c.support for c in found.coordinates}
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


def _faults_of_formula(
    law: str,
    families: Mapping[str, str],
    joint: bool,
    coefficients: list[str] | None,
    formula: str,
    inputs: tuple[str, ...],
) -> list[Fault]:
    faults = formula_faults(formula, families, coefficients, inputs)
    if law != FORMULA:
        faults.append(Fault("a card with a formula needs no law: remove one", column="law"))
    if joint:
        faults.append(Fault("a formula takes priors of its coefficients", column="supervised"))
    if coefficients is not None and families:
        both = "a card states either coefficients or priors, not both"
        faults.append(Fault(both, column="coefficients"))
    return faults


def _faults_of_points(law: Law, coefficients: list[str], stated: bool) -> list[Fault]:
    """What is wrong with the names of point coefficients; `stated` says there are priors too."""
    names = law.coefficient_names
    faults = [
        Fault(f"the {law.name} law has no such coefficient", column=f"coefficients.{name}")
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
