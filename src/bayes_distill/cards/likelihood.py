"""Settings of the likelihood: which distribution residuals have, and priors on its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from bayes_distill.cards.priors import FAMILIES, LogNormal, Prior
from bayes_distill.cards.settings import Settings, fault_at
from bayes_distill.errors import InputError
from bayes_distill.likelihoods import Likelihood, Parameter, likelihood_named


class LikelihoodSettings(Settings):
    """The table ``[likelihood]``: how single runs are distributed about the law.

    `family` names a likelihood (`bayes_distill.likelihoods.likelihood_named`); its parameters are
    further keys of the table, each a number or a prior (`parameters`; what is left out has the
    family's default). `scale` is ``absolute`` (the same residual scale at every loss) or
    ``relative`` (proportional to it); `prior` is that of the residual scale of distilled runs, and
    `supervised_prior` that of supervised ones. Every prior median of a scale is in units of the
    reference loss.

    Distilled runs may share offsets. With `teacher_effect`, students of one teacher share one: a
    teacher is more than its loss, and its loss was measured once. With `condition_effect`,
    students of one size and one number of tokens share one: they were trained on the same data in
    the same order under the same settings. Both are priors of a standard deviation. So is
    `run_effect`, of the offset that all checkpoints of one run share, supervised or distilled:
    its seed and the order of its data. It is there where a table has several rows of a run, unless
    it is ``false``.
    """

    family: str = "student_t"
    degrees_of_freedom: Annotated[float, Field(ge=0.1, le=1e6)] = 4.0
    scale: Literal["absolute", "relative"] = "absolute"
    prior: LogNormal = LogNormal(family="lognormal", median=0.004, sd=1.0)
    supervised_prior: LogNormal = LogNormal(family="lognormal", median=0.004, sd=1.0)
    teacher_effect: LogNormal | None = None
    condition_effect: LogNormal | None = None
    run_effect: LogNormal | Literal[False] = LogNormal(family="lognormal", median=0.003, sd=1.0)
    parameters: dict[str, float | Prior] = Field(default_factory=dict)

    @field_validator("family")
    @classmethod
    def _known(cls, value: str) -> str:
        taken = {each.name for each in likelihood_named(value).parameters()} & _keys()
        if taken:
            raise ValueError(
                f"{value} names parameters like settings that every likelihood has: {_list(taken)}"
            )
        return value

    @model_validator(mode="wrap")
    @classmethod
    def _with_parameters(cls, content: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        """Take the parameters of the family, which stand among the other keys."""
        if not isinstance(content, dict):
            return handler(content)
        keys = _keys() | {"degrees_of_freedom"}
        of_all = {key: value for key, value in content.items() if key in keys}
        parsed: dict[str, Any] = {}
        faults = []
        of_family = _parameters(content.get("family", cls.model_fields["family"].default))
        for key in (key for key in content if key not in keys):
            value = content[key]
            result = _parsed(of_family[key], value) if key in of_family else None
            if result is None:
                problem = f"unknown setting: use one of {_list(keys | set(of_family))}"
                faults.append(fault_at((key,), problem, value))
            elif isinstance(result, ValidationError):
                # less the prior's family, which pydantic adds
                for each in result.errors():
                    faults.append(fault_at((key, *each["loc"][1:]), each["msg"], each["input"]))
            elif isinstance(result, InputError):
                faults.append(fault_at((key,), str(result), value))
            else:
                parsed[key] = result
        try:
            settings = handler({**of_all, "parameters": parsed})
        except ValidationError as error:
            of_keys = [fault_at(each["loc"], each["msg"], each["input"]) for each in error.errors()]
            faults = [*of_keys, *faults]
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return settings

    @model_serializer(mode="wrap")
    def _flat(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        parameters = content.pop("parameters", {})
        if self.run_effect == type(self).model_fields["run_effect"].default:
            content.pop("run_effect", None)  # earlier versions do not know it
        return {**content, **parameters}

    @property
    def kind(self) -> type[Likelihood]:
        """The class of the likelihood."""
        return likelihood_named(self.family)

    @property
    def values(self) -> dict[str, float | Prior]:
        """Every parameter of the family: a number, or the prior that it is sampled from."""
        by_name: dict[str, float | Prior] = {}
        for each in self.kind.parameters():
            if each.name in type(self).model_fields:
                by_name[each.name] = getattr(self, each.name)
            else:
                by_name[each.name] = self.parameters.get(each.name, _default(each))
        return by_name

    @property
    def numbers(self) -> dict[str, float]:
        """Parameters that are set."""
        return {name: value for name, value in self.values.items() if isinstance(value, float)}

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors of the parameters that are sampled."""
        return {n: value for n, value in self.values.items() if not isinstance(value, float)}

    def at(self, sampled: Mapping[str, Any]) -> Likelihood:
        """The likelihood with its parameters; `sampled` holds those that have a prior."""
        return self.kind(**self.numbers, **{name: sampled[name] for name in self.priors})

    def same_family(self, other: LikelihoodSettings) -> bool:
        """Whether both have one distribution of standardised residuals, or priors of one."""
        return self.kind is other.kind and self.values == other.values

    @property
    def description(self) -> str:
        """The distribution and its parameters, in words."""
        text = {n: f"{v:g}" if isinstance(v, float) else "sampled" for n, v in self.values.items()}
        return self.kind.describe(text)


def _keys() -> set[str]:
    """Keys that mean the same for every likelihood."""
    return set(LikelihoodSettings.model_fields) - {"degrees_of_freedom", "parameters"}


def _parameters(family: Any) -> dict[str, Parameter]:
    try:
        return {each.name: each for each in likelihood_named(str(family)).parameters()}
    except InputError:  # a fault of the family, whose validator names it
        return {}


@cache
def _prior_adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Prior)


def _default(parameter: Parameter) -> float | Prior:
    default: float | Prior | Exception = _parsed(parameter, parameter.default)
    if isinstance(default, Exception):
        raise TypeError(f"the default of {parameter.name} is at fault: {default}")
    return default


def _parsed(parameter: Parameter, value: Any) -> Any:
    """The number or the prior that a card states for a parameter, or what is wrong with it."""
    support = parameter.support
    if isinstance(value, Mapping):
        try:
            value = _prior_adapter().validate_python(dict(value))
        except ValidationError as error:
            return error
    if isinstance(value, tuple(FAMILIES.values())):
        prior: Any = value
        if prior.support == support:
            return prior
        of = prior.support
        return InputError(f"{prior.family} is for {of} parameters, and this one is {support}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return InputError("must be a number or a prior")
    low, high = {"positive": (0, np.inf), "unit": (0, 1), "real": (-np.inf, np.inf)}[support]
    if not low < value < high:
        return InputError(f"must be between {low} and {high}, not {value:g}")
    return float(value)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
