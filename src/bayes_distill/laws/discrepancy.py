"""How far one student departs from its law: shift, tilt, stretch, and the place of its gap.

    L_S = law + shift + tilt * X / (X + 0.03) + stretch * X / (X + 0.3),   X = L_S - L_T of the law,

all in units of the reference loss. A shift is the same under every teacher. A tilt is nothing
under a weak teacher, whose loss the student reaches anyway, and full under a strong one, where the
student's own capacity shows; a stretch goes on growing with X, as the student's bracket does. None
moves without bound, wherever it is asked. The place moves the log of the loss at which the
capacity gap opens: L~_S exp(place) instead of L~_S.

They belong to a student, not to the law: students of one size share a shift and a tilt, students of
one size on one number of tokens a stretch and a place (`discrepancies`).
"""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

TILT_REACH = 0.03  # X at which half the tilt shows: 0.07 nats at a reference loss of 2.4
STRETCH_REACH = 0.3
OF_SIZES = ("shift", "tilt")
OF_CONDITIONS = ("stretch", "place")
NAMES = (*OF_SIZES, *OF_CONDITIONS)


def discrepancy(coordinates: Mapping[str, ArrayLike], excess: Array) -> Array | None:
    """Loss above the law, in units of the reference loss; ``None`` where nothing is said of it.

    `excess` is the loss above the teacher's by the law, same units; a place is in it already.
    """
    own = jnp.asarray(coordinates["shift"]) if "shift" in coordinates else None
    for name, reach in (("tilt", TILT_REACH), ("stretch", STRETCH_REACH)):
        if name in coordinates:
            part = jnp.asarray(coordinates[name]) * excess / (excess + reach)
            own = part if own is None else own + part
    return own


def opens_at(coordinates: Mapping[str, ArrayLike], log_ability: Array) -> Array:
    """Log of the loss at which the gap opens for a student that reaches `log_ability` alone."""
    place = coordinates.get("place")
    return log_ability if place is None else log_ability + jnp.asarray(place)
