"""The bracket (A/N^alpha + B/D^beta)^gamma, by its level and share at a reference point.

The published A, B, alpha, beta and gamma trade off along curved ridges. Stated at a reference
model (N0, D0) in the middle of the runs, the same function has a *level* R (its value there),
a *share* s (of the N-term in the inner sum there) and the two *slopes* alpha*gamma and
beta*gamma with which it falls when one term rules; each of these is seen directly in data:

    R * (s (N/N0)^-alpha + (1 - s) (D/D0)^-beta)^gamma
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import Reference


def log_bracket(
    level: ArrayLike,
    share: ArrayLike,
    slope_params: ArrayLike,
    slope_tokens: ArrayLike,
    gamma: ArrayLike,
    params: ArrayLike,
    tokens: ArrayLike,
    reference: Reference,
) -> Array:
    """Log of the bracket; `level` is in units of the reference loss."""
    x, y = log_sizes(params, tokens, reference)
    return log_bracket_at(level, share, slope_params, slope_tokens, gamma, x, y)


def log_sizes(params: ArrayLike, tokens: ArrayLike, reference: Reference) -> tuple[Array, Array]:
    """Logs of N/N0 and of D/D0."""
    x = jnp.log(jnp.asarray(params) / reference.params)
    y = jnp.log(jnp.asarray(tokens) / reference.tokens)
    return x, y


def log_bracket_at(
    level: ArrayLike,
    share: ArrayLike,
    slope_params: ArrayLike,
    slope_tokens: ArrayLike,
    gamma: ArrayLike,
    x: Array,
    y: Array,
) -> Array:
    """Log of the bracket at `x` = log N/N0 and `y` = log D/D0."""
    share, gamma = jnp.asarray(share), jnp.asarray(gamma)
    inner = jnp.logaddexp(
        jnp.log(share) - slope_params / gamma * x, jnp.log1p(-share) - slope_tokens / gamma * y
    )
    return jnp.log(jnp.asarray(level)) + gamma * inner


def bracket_to_published(
    level: ArrayLike,
    share: ArrayLike,
    slope_params: ArrayLike,
    slope_tokens: ArrayLike,
    gamma: ArrayLike,
    reference: Reference,
) -> tuple[Array, Array, Array, Array, Array]:
    """A, B, alpha, beta, gamma of the same bracket; `level` in the unit of the runs' loss."""
    share, gamma = jnp.asarray(share), jnp.asarray(gamma)
    alpha, beta = jnp.asarray(slope_params) / gamma, jnp.asarray(slope_tokens) / gamma
    log_inner = jnp.log(jnp.asarray(level)) / gamma
    log_A = log_inner + jnp.log(share) + alpha * jnp.log(reference.params)
    log_B = log_inner + jnp.log1p(-share) + beta * jnp.log(reference.tokens)
    return jnp.exp(log_A), jnp.exp(log_B), alpha, beta, gamma


def bracket_from_published(
    A: ArrayLike,
    B: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    gamma: ArrayLike,
    reference: Reference,
) -> tuple[Array, Array, Array, Array, Array]:
    """Level (in the unit of the runs' loss), share, slopes and gamma; inverse of the above."""
    alpha, beta, gamma = jnp.asarray(alpha), jnp.asarray(beta), jnp.asarray(gamma)
    log_a = jnp.log(jnp.asarray(A)) - alpha * jnp.log(reference.params)
    log_b = jnp.log(jnp.asarray(B)) - beta * jnp.log(reference.tokens)
    level = jnp.exp(gamma * jnp.logaddexp(log_a, log_b))
    return level, jax.nn.sigmoid(log_a - log_b), alpha * gamma, beta * gamma, gamma
