"""Effects of columns on named terms of a law: schedules, tokenisers, how embeddings are counted.

An effect e multiplies a term by exp(e): the floor E, the parameters term A/N^alpha, the tokens term
B/D^beta, or the loss that a distilled student has above its teacher. Of a column x it is

    k (x - x0)  log-linear,      k log(x / x0)  power,      k_level  categorical

with x0 in the middle of the runs, and no effect of the first level. So the law of a run is the law
without factors at coordinates that are moved: any law that declares its floor and brackets has
factors without knowing of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import (
    Bracket,
    Coefficient,
    Coefficients,
    Coordinate,
    Coordinates,
    Inputs,
    Law,
    Reference,
    TeacherLaw,
)
from bayes_distill.laws.inputs import Input, Label, indicator
from bayes_distill.laws.published import PublishedValues

Term = Literal["floor", "parameters", "tokens", "excess"]
Form = Literal["log-linear", "power", "categorical"]
SYMBOLS: Mapping[Term, str] = {
    "floor": "E",
    "parameters": "A/N^alpha",
    "tokens": "B/D^beta",
    "excess": "L_S - L_T",
}


@dataclass(frozen=True, slots=True)
class Factor:
    """The effect of one column on one term of a law.

    Parameters
    ----------
    name
        Name of the factor; its coefficients are ``effect(NAME)``, or ``effect(NAME=LEVEL)``.
    term
        The term that it multiplies.
    form
        How the column acts.
    column
        The column: an `Input`, or of a categorical factor a `Label`.
    middle
        Value x0 without an effect; ``None`` until a fit has seen the runs.
    """

    name: str
    term: Term
    form: Form
    column: Input | Label
    middle: float | None = None

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Columns of numbers that it reads."""
        column = self.column
        return column.indicators() if isinstance(column, Label) else (column,)

    @property
    def by_column(self) -> dict[str, str]:
        """Coordinate of each column of numbers; the first level has none."""
        if not isinstance(self.column, Label):
            return {self.column.name: f"effect({self.name})"}
        column = self.column
        return {
            indicator(column.name, level): f"effect({self.name}={level})"
            for level in column.levels[1:]
        }

    @property
    def meaning(self) -> str:
        """What a coefficient is, in one line."""
        x = self.column.name
        per = {"log-linear": f"per {x}", "power": f"per log {x}", "categorical": f"of {x}"}
        return f"log of what {SYMBOLS[self.term]} is multiplied by, {per[self.form]}"

    def log_effect(self, coordinates: Coordinates, inputs: Inputs) -> Array:
        """Log of what the term is multiplied by; `inputs` holds all columns of numbers."""
        total = jnp.zeros(())
        for column, coordinate in self.by_column.items():
            value = jnp.asarray(inputs[column])
            middle = 1.0 if self.middle is None else self.middle
            if self.form == "log-linear":
                value = value - middle
            elif self.form == "power":
                value = jnp.log(value / middle)
            total = total + jnp.asarray(coordinates[coordinate]) * value
        return total


@dataclass(frozen=True)
class FactoredLaw(Law):
    """A law with factors, of some count of parameters.

    Parameters
    ----------
    base
        The law without them.
    factors
        The factors; their columns are `Law.inputs`.
    n_counts
        What N counts.
    """

    base: Law
    factors: tuple[Factor, ...]
    n_counts: str = "non-embedding"

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the law without factors."""
        return self.base.name

    @property
    def title(self) -> str:  # type: ignore[override]
        """The law's, and what depends on what."""
        if not self.factors:
            return self.base.title
        on = (f"{SYMBOLS[each.term]} by {each.column.name}" for each in self.factors)
        return f"{self.base.title}, {', '.join(on)}"

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:  # type: ignore[override]
        """The law's, then those of the factors."""
        effects = (Coordinate(name, "real", meaning) for name, meaning in self._effects.items())
        return (*self.base.coordinates, *effects)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:  # type: ignore[override]
        """The law's, then those of the factors."""
        effects = (Coefficient(name, meaning, name) for name, meaning in self._effects.items())
        return (*self.base.coefficients, *effects)

    @property
    def inputs(self) -> tuple[Input, ...]:  # type: ignore[override]
        """The law's, then the columns of the factors; of two of one name the first."""
        own = (each for factor in self.factors for each in factor.inputs)
        found: dict[str, Input] = {}
        for each in (*self.base.inputs, *own):
            found.setdefault(each.name, each)
        return tuple(found.values())

    @property
    def labels(self) -> tuple[Label, ...]:  # type: ignore[override]
        """Columns of names; of two of one name the first."""
        found: dict[str, Label] = {}
        for factor in self.factors:
            if isinstance(factor.column, Label):
                found.setdefault(factor.column.name, factor.column)
        return tuple(found.values())

    @property
    def counts(self) -> str:  # type: ignore[override]
        """What N counts."""
        return self.n_counts

    @property
    def neutral(self) -> Mapping[str, float]:  # type: ignore[override]
        """The law's, and no effects."""
        return {**self.base.neutral, **dict.fromkeys(self._effects, 0.0)}

    @property
    def fixed(self) -> Mapping[str, float]:  # type: ignore[override]
        """The law's."""
        return self.base.fixed

    @property
    def floor(self) -> str:  # type: ignore[override]
        """The law's."""
        return self.base.floor

    @property
    def brackets(self) -> tuple[Bracket, ...]:  # type: ignore[override]
        """The law's."""
        return self.base.brackets

    @property
    def tail_reach(self) -> Mapping[str, float]:  # type: ignore[override]
        """The law's."""
        return self.base.tail_reach

    @property
    def knows_repeats(self) -> bool:  # type: ignore[override]
        """The law's."""
        return self.base.knows_repeats

    @property
    def published_values(self) -> PublishedValues | None:  # type: ignore[override]
        """The law's."""
        return self.base.published_values

    @property
    def trade_offs(self) -> tuple[tuple[str, ...], ...]:  # type: ignore[override]
        """The law's."""
        return self.base.trade_offs

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """The law's."""
        return self.base.needs

    @property
    def own_reference(self) -> Reference | None:
        """The law's."""
        return self.base.own_reference

    def log_supervised_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        reference: Reference,
        unique_tokens: ArrayLike | None = None,
        *,
        inputs: Inputs | None = None,
    ) -> Array:
        """Log of the loss of the law without factors, at the coordinates of the run."""
        at = self.moved(coordinates, inputs)
        own = {"inputs": inputs} if self.base.inputs else {}
        return self.base.log_supervised_loss(at, params, tokens, reference, unique_tokens, **own)

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """The law's coefficients where no factor has an effect, and those of the factors."""
        effects = {name: jnp.asarray(coordinates[name]) for name in self._effects}
        return self.base.to_published(coordinates, reference) | effects

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of these; coefficients of factors that are left out are 0."""
        effects = {name: jnp.asarray(coefficients.get(name, 0.0)) for name in self._effects}
        return self.base.from_published(coefficients, reference) | effects

    def irreducible_loss(self, coordinates: Coordinates, reference: Reference) -> Array:
        """Irreducible loss at the values that inputs have where none is stated."""
        return self.base.irreducible_loss(self.moved(coordinates, None), reference)

    def sheared(self, sites: Mapping[str, Array], sign: float) -> dict[str, Array]:
        """As the law without factors."""
        return self.base.sheared(sites, sign)

    def moved(self, coordinates: Coordinates, inputs: Inputs | None) -> dict[str, Any]:
        """Coordinates of the law without factors at which it is this law at some inputs.

        Those of the factors are left out; inputs that are not stated are in the middle.
        """
        at = {**self.middle_of_inputs, **(inputs or {})}
        effects = self._effects
        found: dict[str, Any] = {k: v for k, v in coordinates.items() if k not in effects}
        by_term: dict[Term, Array] = {}
        for factor in self.factors:
            own = factor.log_effect(coordinates, at)
            by_term[factor.term] = by_term[factor.term] + own if factor.term in by_term else own
        if "floor" in by_term:
            found[self.floor] = jnp.asarray(found[self.floor]) * jnp.exp(by_term["floor"])
        if by_term.keys() & {"parameters", "tokens"}:
            bracket = _bracket_of_size(self.base)
            assert bracket is not None
            zero = jnp.zeros(())
            moves = by_term.get("parameters", zero), by_term.get("tokens", zero)
            found |= _scaled_terms(bracket, found, *moves, self.base.fixed)
        if "excess" in by_term and isinstance(self.base, TeacherLaw):
            student = self.base.student_bracket
            assert student is not None
            found[student.level] = jnp.asarray(found[student.level]) * jnp.exp(by_term["excess"])
        return found

    @property
    def _effects(self) -> dict[str, str]:
        """Coordinates of the factors, with what they are."""
        return {
            name: factor.meaning for factor in self.factors for name in factor.by_column.values()
        }


@dataclass(frozen=True)
class FactoredTeacherLaw(FactoredLaw, TeacherLaw):
    """A law with factors that also says what a distilled student reaches."""

    base: TeacherLaw

    @property
    def student_bracket(self) -> Bracket | None:  # type: ignore[override]
        """The law's."""
        return self.base.student_bracket

    def log_excess_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
    ) -> Array:
        """Log of the excess where inputs are in the middle."""
        at = self.moved(coordinates, None)
        return self.base.log_excess_loss(at, params, tokens, teacher_loss, reference)

    def distilled_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
        *,
        inputs: Inputs | None = None,
    ) -> Array:
        """Loss of a distilled student by the law without factors, at the coordinates of the run."""
        at = self.moved(coordinates, inputs)
        return self.base.distilled_loss(at, params, tokens, teacher_loss, reference)

    def gain(self, coordinates: Coordinates, excess: Array) -> Array | None:
        """The law's, where inputs are in the middle."""
        return self.base.gain(self.moved(coordinates, None), excess)


def with_factors(law: Law, factors: tuple[Factor, ...], counts: str = "non-embedding") -> Law:
    """The law with factors, of a count; as it is where there are none and N is its own count."""
    if not factors and counts == law.counts:
        return law
    if isinstance(law, TeacherLaw):
        return FactoredTeacherLaw(law, factors, counts)
    return FactoredLaw(law, factors, counts)


def terms_of(law: Law) -> tuple[Term, ...]:
    """Terms of a law that may have factors: those that it declares."""
    found: list[Term] = []
    if law.floor in law.coordinate_names:
        found.append("floor")
    if _bracket_of_size(law) is not None:
        found += ["parameters", "tokens"]
    if isinstance(law, TeacherLaw) and law.student_bracket is not None:
        found.append("excess")
    return tuple(found)


def _bracket_of_size(law: Law) -> Bracket | None:
    """Bracket of what training alone reaches."""
    student = law.student_bracket if isinstance(law, TeacherLaw) else None
    return next((each for each in law.brackets if each != student), None)


def _scaled_terms(
    bracket: Bracket,
    coordinates: Mapping[str, Any],
    log_params: Array,
    log_tokens: Array,
    fixed: Mapping[str, float],
) -> dict[str, Array]:
    """Level and share of a bracket whose two terms are multiplied.

    With S = s exp(p) + (1 - s) exp(t) the bracket R (s X + (1 - s) Y)^gamma becomes one of level
    R S^gamma and share s exp(p) / S.
    """
    share = jnp.asarray(coordinates[bracket.share])
    gamma = fixed.get("gamma", 1.0) if bracket.gamma is None else coordinates[bracket.gamma]
    first, second = jnp.log(share) + log_params, jnp.log1p(-share) + log_tokens
    total = jnp.logaddexp(first, second)
    level = jnp.asarray(coordinates[bracket.level])
    return {
        bracket.share: jnp.exp(first - total),
        bracket.level: level * jnp.exp(jnp.asarray(gamma) * total),
    }
