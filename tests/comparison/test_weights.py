"""Stacking weights against answers worked out by hand."""

import numpy as np
import pytest

from bayes_distill.comparison.weights import stacking_weights


def test_the_weights_are_those_that_make_the_left_out_most_probable():
    # sum log(w1), log(w2), log(w2): w2 is 2/3
    p = np.log([[1.0, 1e-12], [1e-12, 1.0], [1e-12, 1.0]])
    assert stacking_weights(p) == pytest.approx([1 / 3, 2 / 3], abs=1e-4)


def test_a_fit_that_is_worse_everywhere_gets_nothing():
    p = np.array([[0.0, -1.0, -2.0], [0.0, -0.5, -3.0]])
    assert stacking_weights(p) == pytest.approx([1, 0, 0], abs=1e-6)


def test_joint_densities_far_below_what_an_exponential_holds():
    generator = np.random.default_rng(0)
    p = generator.normal(size=(20, 3))
    expected = stacking_weights(p)
    np.testing.assert_allclose(stacking_weights(p - 2000.0), expected, atol=1e-5)
    assert expected.sum() == pytest.approx(1)
    best = np.log(np.exp(p) @ expected).sum()
    for other in generator.dirichlet([1, 1, 1], 50):
        assert np.log(np.exp(p) @ other).sum() <= best + 1e-6
