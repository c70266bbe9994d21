"""Laws that a card writes down as a formula over columns of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import (
    Coefficient,
    Coefficients,
    Coordinate,
    Coordinates,
    Inputs,
    Law,
    Reference,
    Support,
)
from bayes_distill.laws.bracket import log_sizes
from bayes_distill.laws.formula_text import (
    FormulaEvaluator,
    ScaleTerm,
    names_in,
    parse_formula,
    scale_terms,
)
from bayes_distill.laws.inputs import OF_RUNS, Input
from bayes_distill.laws.smooth_discrepancy import log_discrepancy

FORMULA = "formula"
TERM = "_term"
"""Ending of the coordinate that is a term's value at the reference point: ``A_term``."""
UNIT = Reference(1.0, 1.0, 1.0)
LEAST = 1e-9  # of the reference loss: where a formula falls below, its logarithm has this


@dataclass(frozen=True)
class FormulaLaw(Law):
    """A supervised law whose loss is a formula, in the unit of the runs.

    A coordinate is a coefficient of the formula, or for the scale of a term, such as A of
    ``A / params**alpha``, the value of that term at the reference point, ``A_term``: in units of
    the reference loss, or of its 1/gamma-th power inside a bracket to the power gamma. What NUTS
    samples is the latter, whichever of the two has the prior.

    Parameters
    ----------
    formula
        The text; see `formula_text.parse_formula`.
    priors
        Coordinates with their supports: names of coefficients, or these with `TERM` behind.
    declared
        Columns that the card describes. Names of the formula that are neither are columns too.
    centre
        The reference point: ``params``, ``tokens``, ``loss`` and every other column. Empty in a law
        that was not fitted; then sizes count from the reference of a call.
    n_counts
        What ``params`` counts.
    """

    formula: str
    priors: tuple[tuple[str, Support], ...]
    declared: tuple[Input, ...] = ()
    centre: tuple[tuple[str, float], ...] = ()
    n_counts: str = "non-embedding"

    name: ClassVar[str] = FORMULA

    @property
    def title(self) -> str:  # type: ignore[override]
        """The formula."""
        return " ".join(self.formula.split())

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:  # type: ignore[override]
        """Those with a prior."""
        return tuple(Coordinate(n, support, self._meaning(n)) for n, support in self.priors)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:  # type: ignore[override]
        """Coefficients of the formula, in the order in which it names them."""
        return tuple(Coefficient(name, f"coefficient of {self.title}") for name in self._supports)

    @property
    def inputs(self) -> tuple[Input, ...]:  # type: ignore[override]
        """Columns that the formula reads, as the card describes them."""
        described = {each.name: each for each in self.declared}
        used = [name for name in self._names if name not in self._supports]
        extra = [name for name in used if name in described or name not in OF_RUNS]
        aliases = [name for name in described if name in OF_RUNS and name not in extra]
        return tuple(described.get(name, Input(name)) for name in (*extra, *aliases))

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Which of size and tokens the formula reads."""
        return tuple(name for name in ("params", "tokens") if name in self._names)

    @property
    def knows_repeats(self) -> bool:  # type: ignore[override]
        """Whether it reads the number of unique tokens."""
        return "unique_tokens" in self._names

    @property
    def counts(self) -> str:  # type: ignore[override]
        """What ``params`` counts."""
        return self.n_counts

    @property
    def trade_offs(self) -> tuple[tuple[str, ...], ...]:  # type: ignore[override]
        """Scales with the coefficients of their terms."""
        groups = []
        for term in self.scale_terms:
            others = [name for name in term.depends_on if name in self._supports]
            if others:
                groups.append((term.name, *others))
        return tuple(groups)

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
        """Log of the formula's value, in the unit of ``reference.loss``.

        `coordinates` may hold a smooth discrepancy of log size and log tokens.
        """
        centre = self._centre(reference)
        sizes = {
            "params": jnp.asarray(params) * (centre["params"] / reference.params),
            "tokens": jnp.asarray(tokens) * (centre["tokens"] / reference.tokens),
        }
        different = tokens if unique_tokens is None else unique_tokens
        sizes["unique_tokens"] = jnp.asarray(different) * (centre["tokens"] / reference.tokens)
        stated = inputs or {}
        columns = {
            name: jnp.asarray(stated.get(name, value))
            for name, value in self.middle_of_inputs.items()
        }
        values = self._printed(coordinates, centre)
        loss = FormulaEvaluator({**sizes, **columns, **values}).value(parse_formula(self.formula))
        relative = jnp.asarray(loss) / centre["loss"]
        log_loss = jnp.log(reference.loss) + jnp.log(jnp.where(relative > LEAST, relative, LEAST))
        wrong_by = log_discrepancy(coordinates, *log_sizes(params, tokens, reference))
        return jnp.asarray(log_loss if wrong_by is None else log_loss + wrong_by)

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """The coefficients as the formula has them, in the unit of the runs."""
        values = self._printed(coordinates, self._centre(reference))
        return {name: values[name] for name in self._supports}

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Coordinates of the coefficients as the formula has them."""
        centre = self._centre(reference)
        values = {name: jnp.asarray(coefficients[name]) for name in self._supports}
        found = {}
        for name, _ in self.priors:
            term = self._term_of(name)
            value = values[name.removesuffix(TERM) if term else name]
            if term:
                value = value * jnp.exp(term.log_rest(centre | values, jnp.log(centre["loss"])))
            found[name] = value
        return found

    def irreducible_loss(self, coordinates: Coordinates, reference: Reference) -> Array:
        """Sum of the coefficients that are a part of the loss alone; 0 if there are none."""
        centre = self._centre(reference)
        values = self._printed(coordinates, centre)
        parts = [values[term.name] for term in self.scale_terms if term.is_constant]
        shape = jnp.shape(next(iter(values.values())))
        total = sum(parts, jnp.zeros(shape)) * (reference.loss / centre["loss"])
        return jnp.asarray(total)

    def sheared(self, sites: Mapping[str, Array], sign: float) -> dict[str, Array]:
        """Scales that have a prior as printed, sampled as the values of their terms."""
        printed = [term for term in self.scale_terms if term.name in dict(self.priors)]
        if not printed or any(name not in sites for name, _ in self.priors):
            return dict(sites)
        centre = self._centre(None)
        log_loss = jnp.log(centre["loss"])
        own = {name: _constrained(sites[name], support) for name, support in self.priors}
        if sign > 0:
            values = centre | self._printed(own, centre)
            return dict(sites) | {
                term.name: sites[term.name] + term.log_rest(values, log_loss) for term in printed
            }
        # in the order of the terms: the rest of one may hold the scale of an earlier one
        found: dict[str, Any] = dict(sites)
        values = {**centre, **own}
        for term in self.scale_terms:
            if term.name in found:
                found[term.name] = sites[term.name] - term.log_rest(values, log_loss)
                values[term.name] = jnp.exp(found[term.name])
            else:
                log_scale = sites[term.name + TERM] - term.log_rest(values, log_loss)
                values[term.name] = jnp.exp(log_scale)
        return found

    @property
    def own_reference(self) -> Reference | None:
        """The reference point of its centre; ``None`` for a law that was not fitted."""
        stated = dict(self.centre)
        if not {"params", "tokens", "loss"} <= set(stated):
            return None
        return Reference(stated["params"], stated["tokens"], stated["loss"])

    @property
    def middle_of_inputs(self) -> dict[str, float]:
        """Values of columns where none is stated: their defaults, or else the reference point's."""
        return super().middle_of_inputs | {
            each.name: dict(self.centre).get(each.name, 1.0)
            for each in self.extra_inputs
            if each.default is None
        }

    @property
    def _names(self) -> tuple[str, ...]:
        return names_in(parse_formula(self.formula))

    @property
    def _supports(self) -> dict[str, Support]:
        """Supports of the coefficients, in the order of the formula."""
        return _supports(self.formula, self.priors)

    @property
    def scale_terms(self) -> tuple[ScaleTerm, ...]:
        """Terms with a scale, see `formula_text.scale_terms`."""
        supports = self._supports
        by_support = {
            support: frozenset(name for name, own in supports.items() if own == support)
            for support in ("positive", "unit", "real")
        }
        return tuple(scale_terms(self.formula, *by_support.values()))

    def _term_of(self, coordinate: str) -> ScaleTerm | None:
        """The term whose value a coordinate is; ``None`` if it is a coefficient."""
        if coordinate in self._supports:
            return None
        name = coordinate.removesuffix(TERM)
        return next((term for term in self.scale_terms if term.name == name), None)

    def _meaning(self, coordinate: str) -> str:
        if coordinate in self._supports:
            return f"coefficient of {self.title}"
        name = coordinate.removesuffix(TERM)
        return f"term of {name} at the reference point, in units of the reference loss"

    def _centre(self, reference: Reference | None) -> dict[str, Any]:
        """The reference point, all columns of it."""
        found: dict[str, Any] = {"params": 1.0, "tokens": 1.0, "loss": 1.0}
        own = self.own_reference
        comparable = reference is not None and isinstance(reference.params, float)  # not traced
        if own is not None and comparable and reference not in (own, UNIT):
            raise ValueError(f"this law counts from {own}, not from {reference}")
        if reference is not None:
            found |= {name: getattr(reference, name) for name in found}
        found |= self.middle_of_inputs | dict(self.centre)
        return {"unique_tokens": found["tokens"]} | found

    def _printed(self, coordinates: Mapping[str, Any], centre: Mapping[str, Any]) -> dict[str, Any]:
        """Coefficients as the formula has them."""
        log_loss = jnp.log(centre["loss"])
        values = {
            name: jnp.asarray(coordinates[name]) for name in self._supports if name in coordinates
        }
        for term in self.scale_terms:
            if term.name not in values:
                rest = term.log_rest({**centre, **values}, log_loss)
                values[term.name] = jnp.asarray(coordinates[term.name + TERM]) * jnp.exp(-rest)
        return values


@lru_cache(maxsize=256)
def _supports(formula: str, priors: tuple[tuple[str, Support], ...]) -> dict[str, Support]:
    named = dict(priors)
    return {
        name: named.get(name, "positive")
        for name in names_in(parse_formula(formula))
        if name in named or name + TERM in named
    }


def _constrained(value: Array, support: Support) -> Array:
    """A coordinate from its unconstrained value."""
    if support == "positive":
        return jnp.exp(value)
    return jax.nn.sigmoid(value) if support == "unit" else value
