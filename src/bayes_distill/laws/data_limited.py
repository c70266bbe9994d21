"""The data-limited law: what repeated tokens, and more parameters than these feed, are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import Coefficient, Coefficients, Coordinate, Coordinates, Reference
from bayes_distill.laws.published import OF_MUENNIGHOFF, PublishedValues
from bayes_distill.laws.supervised import BRACKET, PUBLISHED, Chinchilla

LARGEST = 50.0  # log of a ratio beyond which repeats add nothing, whatever their worth


@dataclass(frozen=True)
class DataLimited(Chinchilla):
    """Supervised scaling law for data that are repeated (Muennighoff et al. 2023, eq. 5 and 6).

    ``L = E + A/N'^alpha + B/D'^beta`` with

    ``D' = U_D + U_D R*_D (1 - exp(-R_D/R*_D))``, where ``R_D = D/U_D - 1`` is how often the U_D
    unique tokens are repeated, and

    ``N' = U_N + U_N R*_N (1 - exp(-R_N/R*_N))``, where ``R_N = max(N/U_N - 1, 0)`` and U_N is the
    number of parameters with which ``E + A/N^alpha + B/D^beta`` is least on U_D tokens for
    the compute N D, or N if that is less.

    A repeat is worth less and less, and so are parameters beyond what the unique tokens feed: the
    latter even where no token is repeated. With both R* infinite this is Chinchilla's law.
    Repeats never harm here, as they may in truth after very many epochs.

    N' and D' and their first derivatives are continuous where repeats begin.
    """

    name: ClassVar[str] = "data-limited"
    title: ClassVar[str] = "E + A/N'^alpha + B/D'^beta, N' and D' discounted for repeats"
    coordinates: ClassVar[tuple[Coordinate, ...]] = (
        *BRACKET,
        Coordinate("repeats_tokens", "positive", "R*_D: repeats of tokens that are worth having"),
        Coordinate("repeats_params", "positive", "R*_N: the same for excess parameters"),
    )
    coefficients: ClassVar[tuple[Coefficient, ...]] = (
        *PUBLISHED[:-1],
        Coefficient("R*_D", "repeats after which a token has lost all but 1/e of its worth"),
        Coefficient("R*_N", "the same for parameters beyond the best number for the tokens"),
    )
    knows_repeats: ClassVar[bool] = True
    published_values: ClassVar[PublishedValues | None] = OF_MUENNIGHOFF

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """E, A, B, alpha, beta, R*_D, R*_N."""
        return super().to_published(coordinates, reference) | {
            "R*_D": jnp.asarray(coordinates["repeats_tokens"]),
            "R*_N": jnp.asarray(coordinates["repeats_params"]),
        }

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Sampled coordinates of published E, A, B, alpha, beta, R*_D, R*_N."""
        return super().from_published(coefficients, reference) | {
            "repeats_tokens": jnp.asarray(coefficients["R*_D"]),
            "repeats_params": jnp.asarray(coefficients["R*_N"]),
        }

    def _as_counted(
        self, coordinates: Coordinates, x: Array, y: Array, unique_y: Array
    ) -> tuple[Array, Array]:
        """Logs of N'/N0 and D'/D0; more unique tokens than tokens count as all of them."""
        c = coordinates
        unique_y = jnp.minimum(unique_y, y)
        alpha, beta = jnp.asarray(c["slope_params"]), jnp.asarray(c["slope_tokens"])
        share = jnp.asarray(c["share"])
        # alpha A/N^alpha = beta B/D^beta, where N D is best spent
        terms = jnp.log(alpha) + jnp.log(share) - jnp.log(beta) - jnp.log1p(-share)
        fed = (terms + beta * unique_y) / alpha
        return (
            jnp.minimum(x, fed) + _log_worth(x - fed, c["repeats_params"]),
            unique_y + _log_worth(y - unique_y, c["repeats_tokens"]),
        )


def _log_worth(log_ratio: Array, repeats: ArrayLike) -> Array:
    """Log of 1 + R* (1 - exp(-R/R*)) for a log of 1 + R; below no repeats, 0."""
    repeats = jnp.asarray(repeats)
    number = jnp.expm1(jnp.clip(log_ratio, 0.0, LARGEST))
    return jnp.log1p(-repeats * jnp.expm1(-number / repeats))
