"""NumPy or JAX: functions for whichever made the arrays at hand.

A log density is evaluated by NUTS, where arrays are JAX's and traced, and on stored draws, where
they are NumPy's. Written with these two functions it is one function for both.
"""

from __future__ import annotations

import sys
from typing import Any


def numpy_for(*values: Any) -> Any:
    """``jax.numpy`` if any of the values is an array of JAX, traced or not, else ``numpy``."""
    if _any_of_jax(values):
        import jax.numpy as jnp

        return jnp
    import numpy as np

    return np


def special_for(*values: Any) -> Any:
    """``jax.scipy.special`` if any of the values is an array of JAX, else ``scipy.special``."""
    if _any_of_jax(values):
        import jax.scipy.special as of_jax

        return of_jax
    import scipy.special as of_scipy

    return of_scipy


def _any_of_jax(values: tuple[Any, ...]) -> bool:
    jax = sys.modules.get("jax")  # without it there are no arrays of JAX
    return jax is not None and any(isinstance(value, jax.Array) for value in values)
