"""The search in the unit square, on functions whose minima are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_distill.planning.solver.newton import grid_starts, refine

FREE = jnp.array([True, True])


def run(objective, start, free=FREE, iterations=100):
    return refine(objective, jnp.asarray(start, float), free, jnp.asarray(iterations))


def valley(x):
    """A banana along a quarter circle, least at 30 degrees."""
    r, t = jnp.hypot(x[0], x[1]), jnp.arctan2(x[1], x[0])
    return 1e4 * (r - 0.7) ** 2 + 1e-3 * (t - jnp.pi / 6) ** 2


@pytest.mark.parametrize("start", [(0.05, 0.7), (0.9, 0.05), (0.5, 0.5)])
def test_follows_a_bent_valley_to_its_lowest_point(start):
    found = run(valley, start)
    assert found.converged
    want = 0.7 * np.array([np.cos(np.pi / 6), np.sin(np.pi / 6)])
    np.testing.assert_allclose(found.point, want, atol=1e-4)


def test_holds_bounds_exactly():
    found = run(lambda x: (x[0] + 0.3) ** 2 + (x[1] - 1.2) ** 2 + x[0] * x[1], (0.4, 0.3))
    np.testing.assert_array_equal(found.point, [0.0, 1.0])
    assert found.converged


def test_leaves_a_bound_from_which_the_objective_falls():
    found = run(lambda x: (x[0] - 0.3) ** 2 + (x[1] - 0.6) ** 2, (0.0, 1.0))
    np.testing.assert_allclose(found.point, [0.3, 0.6], atol=1e-7)


def test_descends_from_a_saddle():
    found = run(lambda x: jnp.cos(6 * x[0]) + (x[1] - 0.5) ** 2, (0.1, 0.4))
    np.testing.assert_allclose(found.point, [np.pi / 6, 0.5], atol=1e-6)


def test_settles_on_an_edge():
    def edged(x):
        return jnp.maximum((x[0] + 0.2) ** 2, 2 * (x[0] - 0.9) ** 2) + (x[1] - 0.5) ** 2

    found = run(edged, (0.9, 0.1), iterations=200)
    assert found.converged
    edge = (0.9 * np.sqrt(2) - 0.2) / (1 + np.sqrt(2))
    np.testing.assert_allclose(found.point, [edge, 0.5], atol=2e-3)


def test_keeps_a_fixed_coordinate():
    found = run(lambda x: (x[0] - 0.3) ** 2 + (x[1] - x[0]) ** 2, (0.0, 0.5), jnp.array([0, 1]) > 0)
    np.testing.assert_allclose(found.point, [0.0, 0.0], atol=1e-7)


def test_stops_when_told_and_can_be_resumed():
    early = run(valley, (0.05, 0.7), iterations=3)
    assert not early.converged
    late = run(valley, early.point)
    assert late.converged
    assert late.value <= early.value


def test_grid_finds_several_minima_lowest_first():
    def two(x):
        first = (x[0] - 0.2) ** 2 + (x[1] - 0.2) ** 2
        second = (x[0] - 0.8) ** 2 + (x[1] - 0.7) ** 2 + 0.01
        return jnp.minimum(first, second)

    axis = jnp.linspace(0, 1, 11)
    starts = grid_starts(two, axis, axis, 2)
    np.testing.assert_allclose(starts, [[0.2, 0.2], [0.8, 0.7]], atol=1e-12)


def test_is_the_same_vmapped():
    starts = jnp.array([[0.05, 0.7], [0.9, 0.05], [0.5, 0.5]])
    together = jax.vmap(lambda s: run(valley, s))(starts)
    for k, start in enumerate(starts):
        alone = run(valley, start)
        np.testing.assert_allclose(together.point[k], alone.point, atol=1e-9)
