"""Golden section and bisection inside compiled programs, on functions whose answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_distill._runtime.one_dimensional import GOLDEN, bisect, golden_section

LEAST = np.array([[0.2, 0.5, 3.0, -1.0], [0.0, 1.0, 0.7, 0.9]])


def valleys(x):
    return jnp.abs(x - LEAST) + (x - LEAST) ** 2


@pytest.mark.parametrize("steps", [0, 1, 12, 60])
def test_the_minimum_of_each_element_lies_in_its_bracket(steps):
    low, high = jnp.zeros(LEAST.shape), jnp.ones(LEAST.shape)
    found = jax.jit(lambda a, b: golden_section(valleys, a, b, steps))(low, high)
    inside = np.clip(LEAST, 0, 1)  # at an end where the valley lies beyond it
    assert (found.low <= inside + 1e-12).all()
    assert (found.high >= inside - 1e-12).all()
    np.testing.assert_allclose(found.high - found.low, GOLDEN**steps, rtol=1e-6, atol=1e-12)
    assert ((found.low <= found.best) & (found.best <= found.high)).all()


def test_a_section_takes_one_evaluation():
    evaluated = []

    def watched(x):
        jax.debug.callback(lambda _: evaluated.append(1), x)
        return (x - 0.3) ** 2

    golden_section(watched, jnp.zeros(()), jnp.ones(()), 20)
    jax.effects_barrier()
    assert len(evaluated) == 2 + 20


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-2, 3, allow_subnormal=False), min_size=1, max_size=5))
def test_bisection_finds_where_a_condition_begins_to_hold(edges):
    at = np.array(edges)
    found = np.asarray(bisect(lambda x: x >= at, jnp.asarray(0.0), jnp.ones(at.shape), 60))
    assert found.shape == at.shape
    np.testing.assert_allclose(found, np.clip(at, 0, 1), atol=1e-12)
    # the condition holds at what is returned, unless it holds nowhere
    assert (found[at <= 1] >= at[at <= 1]).all()
