"""log softplus without underflow, and the inverse of softplus."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

_TAIL = -37.0  # below this, softplus(z) equals exp(z) to the last bit of a float64


def log_softplus(z: ArrayLike) -> Array:
    """Logarithm of log(1 + exp(z)), finite with finite gradients for every finite z."""
    z = jnp.asarray(z)
    tail = z < _TAIL
    # not jnp.maximum, whose gradient is halved where the two are equal
    return jnp.where(tail, z, jnp.log(jax.nn.softplus(jnp.where(tail, _TAIL, z))))


def inverse_softplus(z: ArrayLike) -> Array:
    """The real number whose softplus is `z` > 0."""
    z = jnp.asarray(z)
    return z + jnp.log(-jnp.expm1(-z))
