"""The supervised laws: L(N, D) = E + (A/N^alpha + B/D^beta)^gamma."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

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
)
from bayes_distill.laws.bracket import (
    bracket_from_published,
    bracket_to_published,
    log_bracket_at,
    log_sizes,
)
from bayes_distill.laws.published import OF_BESIROGLU, OF_BUSBRIDGE, PublishedValues
from bayes_distill.laws.smooth_discrepancy import log_discrepancy

BRACKET = (
    Coordinate("floor", "positive", "irreducible loss E, in units of the reference loss"),
    Coordinate("level", "positive", "reducible loss of the reference model, same units"),
    Coordinate("share", "unit", "share of the parameter term at the reference model"),
    Coordinate("slope_params", "positive", "alpha*gamma: fall of log loss per log params"),
    Coordinate("slope_tokens", "positive", "beta*gamma: fall of log loss per log tokens"),
)
GAMMA = Coordinate("gamma", "positive", "outer exponent: how the two terms join")
PUBLISHED = (
    Coefficient("E", "irreducible loss"),
    Coefficient("A", "scale of the parameter term"),
    Coefficient("B", "scale of the token term"),
    Coefficient("alpha", "exponent of parameters"),
    Coefficient("beta", "exponent of tokens"),
    Coefficient("gamma", "outer exponent"),
)


@dataclass(frozen=True)
class Supervised(Law):
    """Supervised scaling law with a free outer exponent.

    ``L(N, D) = E + (A/N^alpha + B/D^beta)^gamma`` (Busbridge et al. 2025, eq. 1).
    """

    name: ClassVar[str] = "supervised"
    title: ClassVar[str] = "E + (A/N^alpha + B/D^beta)^gamma"
    coordinates: ClassVar[tuple[Coordinate, ...]] = (*BRACKET, GAMMA)
    coefficients: ClassVar[tuple[Coefficient, ...]] = PUBLISHED
    brackets: ClassVar[tuple[Bracket, ...]] = (
        Bracket("level", "share", "slope_params", "slope_tokens", "gamma"),
    )
    published_values: ClassVar[PublishedValues | None] = OF_BUSBRIDGE
    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = (("A", "alpha", "gamma"), ("B", "beta"))
    neutral: ClassVar[Mapping[str, float]] = {"gamma": 1.0}

    def log_supervised_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        reference: Reference,
        unique_tokens: ArrayLike | None = None,
        *,
        inputs: Inputs | None = None,  # noqa: ARG002
    ) -> Array:
        """Log of L(N, D), in the unit of ``reference.loss``.

        `coordinates` may hold a smooth discrepancy from the law: see `laws.smooth_discrepancy`.
        """
        c = coordinates
        x, y = log_sizes(params, tokens, reference)
        unique_y = y if unique_tokens is None else log_sizes(params, unique_tokens, reference)[1]
        log_reducible = log_bracket_at(
            c["level"],
            c["share"],
            c["slope_params"],
            c["slope_tokens"],
            self._gamma(c),
            *self._as_counted(c, x, y, unique_y),
        )
        log_floor = jnp.log(jnp.asarray(c["floor"]))
        log_loss = jnp.log(reference.loss) + jnp.logaddexp(log_floor, log_reducible)
        wrong_by = log_discrepancy(c, x, y)
        return log_loss if wrong_by is None else log_loss + wrong_by

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """E, A, B, alpha, beta, gamma."""
        c = coordinates
        A, B, alpha, beta, gamma = bracket_to_published(
            jnp.asarray(c["level"]) * reference.loss,
            c["share"],
            c["slope_params"],
            c["slope_tokens"],
            self._gamma(c),
            reference,
        )
        E = self.irreducible_loss(c, reference)
        return {"E": E, "A": A, "B": B, "alpha": alpha, "beta": beta, "gamma": gamma}

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of published E, A, B, alpha, beta, gamma."""
        c = coefficients
        level, share, slope_params, slope_tokens, gamma = bracket_from_published(
            c["A"], c["B"], c["alpha"], c["beta"], c["gamma"], reference
        )
        return {
            "floor": jnp.asarray(c["E"]) / reference.loss,
            "level": level / reference.loss,
            "share": share,
            "slope_params": slope_params,
            "slope_tokens": slope_tokens,
            "gamma": gamma,
        }

    def _gamma(self, coordinates: Coordinates) -> Array:
        return jnp.asarray(coordinates["gamma"])

    def _as_counted(
        self, coordinates: Coordinates, x: Array, y: Array, unique_y: Array
    ) -> tuple[Array, Array]:
        """Logs of N/N0 and D/D0 as they count: here as they are, repeated tokens like new ones.

        `unique_y` is the log of the unique tokens over D0.
        """
        del coordinates, unique_y
        return x, y


@dataclass(frozen=True)
class Chinchilla(Supervised):
    """Supervised scaling law with gamma = 1.

    ``L(N, D) = E + A/N^alpha + B/D^beta`` (Hoffmann et al. 2022, eq. 2).
    """

    name: ClassVar[str] = "chinchilla"
    title: ClassVar[str] = "E + A/N^alpha + B/D^beta"
    coordinates: ClassVar[tuple[Coordinate, ...]] = BRACKET
    coefficients: ClassVar[tuple[Coefficient, ...]] = PUBLISHED[:-1]
    fixed: ClassVar[Mapping[str, float]] = {"gamma": 1.0}
    neutral: ClassVar[Mapping[str, float]] = {}
    brackets: ClassVar[tuple[Bracket, ...]] = (
        Bracket("level", "share", "slope_params", "slope_tokens"),
    )
    published_values: ClassVar[PublishedValues | None] = OF_BESIROGLU
    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = (("A", "alpha", "E"), ("B", "beta"))

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """E, A, B, alpha, beta."""
        published = super().to_published(coordinates, reference)
        del published["gamma"]
        return published

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of published E, A, B, alpha, beta."""
        coordinates = super().from_published({**coefficients, **self.fixed}, reference)
        del coordinates["gamma"]
        return coordinates

    def _gamma(self, coordinates: Coordinates) -> Array:
        del coordinates  # fixed here, whatever is sampled
        return jnp.asarray(self.fixed["gamma"])
