"""Minima in the unit square: a grid to start from, then a safeguarded Newton method.

Everything here treats one problem with two unknowns and is meant to be vmapped: no linear algebra
beyond 2 x 2 matrices written out, so that thousands of problems become plain array arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

Objective = Callable[[Array], Array]

TOLERANCE = 1e-13  # on the decrease that the quadratic model still predicts
ROUNDING = 1e-14
LONGEST_STEP = 0.25  # of the square's side, per coordinate
LEAST_DAMPING, MOST_DAMPING = 1e-12, 1e6


class Refined(NamedTuple):
    """Where a search has arrived, how low it is there, and whether it has converged."""

    point: Array  # (2,)
    value: Array  # ()
    converged: Array  # () bool


class _Expansion(NamedTuple):
    """A point and what the objective looks like there, to second order."""

    point: Array
    value: Array
    gradient: Array
    hessian: Array


class _State(NamedTuple):
    best: _Expansion
    current: _Expansion  # equal to the best, or one step beyond it and not yet any better
    ahead: Array  # bool: whether it is beyond
    damping: Array
    converged: Array
    iteration: Array


def grid_starts(objective: Objective, first: Array, second: Array, count: int) -> Array:
    """The lowest local minima of `objective` on a grid, shape (count, 2), lowest first.

    Parameters
    ----------
    objective
        Maps a point of the unit square, shape (2,), to a number.
    first, second
        Grid along each coordinate, shapes (n,) and (m,), within [0, 1]; n * m >= `count`.
    count
        How many to return; where there are fewer, the lowest other points fill up.
    """
    points = jnp.stack(jnp.meshgrid(first, second, indexing="ij"), axis=-1)
    values = jax.vmap(jax.vmap(objective))(points)
    return points.reshape(-1, 2)[_lowest_local_minima(values, count)]


def _lowest_local_minima(values: Array, count: int) -> Array:
    """Flat indices, shape (count,), of grid points not above their eight neighbours."""
    n, m = values.shape
    padded = jnp.pad(values, 1, constant_values=jnp.inf)
    neighbours = jnp.full_like(values, jnp.inf)
    for i in range(3):
        for j in range(3):
            if (i, j) != (1, 1):
                neighbours = jnp.minimum(neighbours, padded[i : i + n, j : j + m])
    # points that are no minima come after all that are, in their own order
    largest = jnp.max(values)
    ranked = jnp.where(values <= neighbours, values, values + 2 * jnp.abs(largest)).ravel()
    chosen = []
    for _ in range(count):
        lowest = jnp.argmin(ranked)
        chosen.append(lowest)
        ranked = ranked.at[lowest].set(jnp.inf)
    return jnp.stack(chosen)


def refine(objective: Objective, start: Array, free: Array, iterations: Array) -> Refined:
    """Newton steps from `start` under a watchdog, bounds held exactly.

    Teachers of one loss form a narrow, bent valley. A step along it ends on its slope, higher up,
    and the next step corrects that; so one step that does not descend is forgiven, and only the
    second sends the search back to the best point, more heavily damped.

    Parameters
    ----------
    objective
        As for `grid_starts`; smooth but for finitely many curves.
    start
        A point, shape (2,).
    free
        Which coordinates may move, shape (2,).
    iterations
        After how many steps to stop; a search that has not converged can be resumed.
    """
    gradient_of = jax.value_and_grad(objective)

    def expand(point: Array) -> _Expansion:
        (value, gradient), (_, hessian) = jax.vmap(
            lambda direction: jax.jvp(gradient_of, (point,), (direction,)), out_axes=(None, 0)
        )(jnp.eye(2))
        return _Expansion(point, value, gradient, hessian)

    def advance(state: _State) -> _State:
        step, predicted = _damped_step(state.current, state.damping, free)
        # on an edge of the objective no step descends, however short
        done = (predicted < TOLERANCE) | (state.damping >= MOST_DAMPING)
        converged = state.converged | (~state.ahead & done)
        trial = expand(jnp.clip(state.current.point + step, 0.0, 1.0))
        better = (trial.value < state.best.value) & ~state.converged
        # the last step is too short for the value to tell, but brings the point closer
        last = converged & ~state.converged & (trial.value <= state.best.value + ROUNDING)
        back = ~better & state.ahead
        best = _choose(better | last, trial, state.best)
        damping = jnp.where(
            better,
            state.damping * 0.05,
            jnp.where(back, jnp.maximum(state.damping, 1e-5) * 10, state.damping),
        )
        return _State(
            best,
            _choose(better | back | converged, best, trial),
            ~better & ~state.ahead,
            jnp.clip(damping, LEAST_DAMPING, MOST_DAMPING),
            converged,
            state.iteration + 1,
        )

    first = expand(start)
    no = jnp.asarray(False)
    initial = _State(first, first, no, jnp.asarray(1e-3), no, jnp.asarray(0))
    end = jax.lax.while_loop(lambda s: ~s.converged & (s.iteration < iterations), advance, initial)
    return Refined(end.best.point, end.best.value, end.converged)


def _choose(condition: Array, this: _Expansion, other: _Expansion) -> _Expansion:
    return _Expansion(*(jnp.where(condition, a, b) for a, b in zip(this, other, strict=True)))


def _damped_step(at: _Expansion, damping: Array, free: Array) -> tuple[Array, Array]:
    """A descending step within the square, and by how much an undamped one is to decrease."""
    x, g, H = at.point, at.gradient, at.hessian
    held = ~free | ((x <= 0) & (g >= 0)) | ((x >= 1) & (g <= 0))
    g = jnp.where(held, 0.0, g)
    a, b, c = H[0, 0], H[0, 1], H[1, 1]
    b = jnp.where(held[0] | held[1], 0.0, b)
    a, c = jnp.where(held[0], 1.0, a), jnp.where(held[1], 1.0, c)
    a, b, c = _positive_definite(a, b, c)
    predicted = 0.5 * (c * g[0] ** 2 - 2 * b * g[0] * g[1] + a * g[1] ** 2) / (a * c - b * b)
    # mostly in proportion to each curvature: a valley's small one must not drown in the large
    common = 1e-3 * jnp.maximum(a, c)
    a, c = a + damping * (a + common), c + damping * (c + common)
    determinant = a * c - b * b
    step = jnp.stack([b * g[1] - c * g[0], b * g[0] - a * g[1]]) / determinant
    step = step * jnp.minimum(1.0, LONGEST_STEP / jnp.maximum(jnp.max(jnp.abs(step)), 1e-300))
    # a coordinate that runs into a bound stops there, and the other one adapts
    inside = jnp.clip(x + step, 0.0, 1.0) - x
    hit = inside != step
    adapted = jnp.stack([-(g[0] + b * inside[1]) / a, -(g[1] + b * inside[0]) / c])
    adapted = jnp.clip(adapted, -LONGEST_STEP, LONGEST_STEP)
    step = jnp.where(hit[::-1] & ~hit & ~held, adapted, inside)
    step = jnp.clip(x + step, 0.0, 1.0) - x
    return step, predicted


def _positive_definite(a: Array, b: Array, c: Array) -> tuple[Array, Array, Array]:
    """Replace [[a, b], [b, c]] by the matrix with the absolute values of its eigenvalues."""
    determinant = a * c - b * b
    convex = (determinant > 0) & (a + c > 0)
    # |H| = (H^2 + |det H| 1) / sqrt(tr H^2 + 2 |det H|), by Cayley and Hamilton
    size = jnp.abs(determinant)
    root = jnp.sqrt(a * a + 2 * b * b + c * c + 2 * size)
    root = jnp.maximum(root, 1e-300)
    tiny = 1e-12  # a flat valley still needs an invertible matrix
    return (
        jnp.where(convex, a, (a * a + b * b + size) / root + tiny),
        jnp.where(convex, b, b * (a + c) / root),
        jnp.where(convex, c, (b * b + c * c + size) / root + tiny),
    )
