"""How far one student departs from its law: a shift of its loss, and a tilt with its teacher.

    L_S = law + shift + tilt * X / (X + 0.03),    X = L_S - L_T by the law,

all in units of the reference loss. A shift is the same under every teacher. A tilt is nothing
under a weak teacher, whose loss the student reaches anyway, and full under a strong one, where
the student's own capacity shows. Neither moves without bound, wherever it is asked.

Both belong to a student, not to the law: students of one size share them (`departures`).
"""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

TILT_REACH = 0.03  # X at which half the tilt shows: 0.07 nats at a reference loss of 2.4
NAMES = ("shift", "tilt")


def departure(coordinates: Mapping[str, ArrayLike], excess: Array) -> Array | None:
    """Loss above the law, in units of the reference loss; ``None`` where nothing is said of it.

    `excess` is the loss above the teacher's by the law, same units.
    """
    if "shift" not in coordinates and "tilt" not in coordinates:
        return None
    own = jnp.asarray(coordinates.get("shift", 0.0))
    if "tilt" in coordinates:
        own = own + jnp.asarray(coordinates["tilt"]) * excess / (excess + TILT_REACH)
    return own
