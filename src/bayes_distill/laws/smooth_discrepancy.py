"""How far a law may be wrong: a smooth function of log size and log tokens.

    log L(N, D) = law + delta(x, y),    x = log N/N0,  y = log D/D0,
    delta = g1(x) + g2(y) + g3((x + y) / sqrt 2) + g4((y - x) / sqrt 2)

with each g an integrated Wiener process whose value and slope are zero at the reference. So the
exponents of the law do a random walk along log size, log tokens, log compute and log tokens per
parameter: delta is nothing in the middle of the runs, and its standard deviation grows as the
distance to the power 1.5. The derivative of a Wiener process is white noise; here it is constant
over pieces, whose values, the *weights*, are independent and normal. They are a draw's function,
anywhere. Towards small models and short runs, which often lie off any power law, the strength of
the process is another than towards large ones.

The excess of a distilled student over its teacher has a second one, with one more direction, the
teacher's strength: ten times the log of the teacher's loss over what the student reaches alone by a
typical law. That law only says where a teacher counts as strong, so it need not be right, and it
does not depend on the draw.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

SMOOTH = "smooth"
"""Key of the weights (..., WEIGHTS), the standard deviation of a Wiener process of strength 1."""
STUDENT_SMOOTH = "student_smooth"
"""Key of those (..., STUDENT_WEIGHTS) of a student's excess over its teacher."""
LOG_DISCREPANCY = "log_discrepancy"
"""Key of delta itself, where it was evaluated before; it then stands in place of the weights."""
STUDENT_LOG_DISCREPANCY = "student_log_discrepancy"
"""The same of the excess."""
EDGES = np.array([0.0, 0.75, 1.5, 2.5, 4.0, 6.0, 9.0, 14.0])  # |log|; a factor of 1.2 million
DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (0.5**0.5, 0.5**0.5), (-(0.5**0.5), 0.5**0.5))
SIDES = (1.0, -1.0)
UPWARD = np.tile(np.repeat(np.array(SIDES) > 0, len(EDGES) - 1), len(DIRECTIONS))
"""Weights (WEIGHTS,) of the side of larger models and of more tokens, compute and tokens each."""
PIECES = len(SIDES) * (len(EDGES) - 1)
WEIGHTS = len(DIRECTIONS) * PIECES
STUDENT_WEIGHTS = (len(DIRECTIONS) + 1) * PIECES
STRENGTH = 10.0  # a tenth of the loss is one unit of a teacher's strength
TYPICAL_FLOOR, TYPICAL_SLOPE = 0.6, 0.3  # of the typical law, which shares its rest evenly


def basis(x: ArrayLike, y: ArrayLike) -> Array:
    """Values (..., WEIGHTS) at `x`, `y` (...) of the function that each weight multiplies."""
    return _pieces(_along(x, y))


def student_basis(x: ArrayLike, y: ArrayLike, log_teacher: ArrayLike) -> Array:
    """Values (..., STUDENT_WEIGHTS); `log_teacher` is the log of L_T over the reference loss."""
    x, y, log_teacher = jnp.broadcast_arrays(*map(jnp.asarray, (x, y, log_teacher)))
    reducible = (jnp.exp(-TYPICAL_SLOPE * x) + jnp.exp(-TYPICAL_SLOPE * y)) / 2
    alone = jnp.log(TYPICAL_FLOOR + (1 - TYPICAL_FLOOR) * reducible)
    return _pieces([*_along(x, y), STRENGTH * (log_teacher - alone)])


def _along(x: ArrayLike, y: ArrayLike) -> list[Array]:
    x, y = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(y))
    return [a * x + b * y for a, b in DIRECTIONS]


def _pieces(along: list[Array]) -> Array:
    """Twice the integral of every piece, along every direction and to both of its sides."""
    widths = np.diff(EDGES)
    both = jnp.stack(along, axis=-1)[..., None, None] * np.array(SIDES)[:, None]
    beyond = jnp.maximum(both - EDGES[:-1], 0.0)
    inside = jnp.minimum(beyond, widths)
    value = inside * (beyond - 0.5 * inside) / np.sqrt(widths)
    return value.reshape(*value.shape[:-3], len(along) * PIECES)


def log_discrepancy(coordinates: Mapping[str, ArrayLike], x: Array, y: Array) -> Array | None:
    """Give delta at `x` = log N/N0, `y` = log D/D0; ``None`` where coordinates say nothing of it.

    Coordinates hold either delta itself (`LOG_DISCREPANCY`) or weights (`SMOOTH`), which have one
    more axis, the last, than other coordinates; the axes before it broadcast as theirs do.
    """
    if LOG_DISCREPANCY in coordinates:
        return jnp.asarray(coordinates[LOG_DISCREPANCY])
    if SMOOTH not in coordinates:
        return None
    return jnp.sum(jnp.asarray(coordinates[SMOOTH]) * basis(x, y), axis=-1)


def student_log_discrepancy(
    coordinates: Mapping[str, ArrayLike], x: Array, y: Array, log_teacher: Array
) -> Array | None:
    """Give that of the log of L_S - L_T; `log_teacher` is the log of L_T over the reference loss.

    Keys are `STUDENT_LOG_DISCREPANCY` or `STUDENT_SMOOTH`, as in `log_discrepancy`.
    """
    if STUDENT_LOG_DISCREPANCY in coordinates:
        return jnp.asarray(coordinates[STUDENT_LOG_DISCREPANCY])
    if STUDENT_SMOOTH not in coordinates:
        return None
    weights = jnp.asarray(coordinates[STUDENT_SMOOTH])
    return jnp.sum(weights * student_basis(x, y, log_teacher), axis=-1)
