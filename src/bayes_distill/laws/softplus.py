"""log softplus without underflow: the suppression divides two of them far in their tails."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

_TAIL = -30.0  # below this, softplus(z) equals exp(z) to the last bit of a float64


def log_softplus(z: ArrayLike) -> Array:
    """Logarithm of log(1 + exp(z)), finite with finite gradients for every finite z."""
    z = jnp.asarray(z)
    return jnp.where(z < _TAIL, z, jnp.log(jax.nn.softplus(jnp.maximum(z, _TAIL))))
