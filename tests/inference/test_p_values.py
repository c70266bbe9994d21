"""P-values among replicated values, and their adjustment."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_distill.inference.p_values import holm, p_above, p_either_side


def test_holm_by_hand():
    # 0.01 * 4, 0.02 * 3, 0.04 * 2 would be below what comes before it, 0.9 * 1
    actual = holm(np.array([0.02, 0.9, 0.01, 0.025]))
    np.testing.assert_allclose(actual, [0.06, 0.9, 0.04, 0.06])
    np.testing.assert_allclose(holm(np.array([0.4, 0.6])), [0.8, 0.8])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1.0, 1.0])


@pytest.mark.parametrize("law", [stats.norm(2, 3), stats.t(4), stats.skewnorm(5), stats.expon()])
def test_shares_and_tails_of_known_distributions(law):
    """Within the replicated values to their error, and beyond them to the order of magnitude."""
    replicated = law.rvs(size=20_000, random_state=np.random.default_rng(0))
    for p in (0.7, 0.3, 0.12, 0.02):
        assert p_above(law.isf(p), replicated) == pytest.approx(p, abs=0.015)
    for p in (1e-3, 1e-5):
        assert 0.3 * p < p_above(law.isf(p), replicated) < 100 * p


def test_a_tail_is_never_lighter_than_exponential():
    """Of uniform numbers nothing lies above one; what does is improbable, not impossible."""
    replicated = np.random.default_rng(1).random(10_000)
    assert 0 < p_above(1.5, replicated) < 1e-4


def test_either_side_is_twice_the_smaller_tail():
    replicated = np.random.default_rng(2).standard_normal(50_000)
    assert p_either_side(2.5, replicated) == pytest.approx(2 * stats.norm.sf(2.5), rel=0.15)
    assert p_either_side(-2.5, replicated) == pytest.approx(2 * stats.norm.sf(2.5), rel=0.15)
    assert p_either_side(0.0, replicated) == pytest.approx(1, abs=0.02)


def test_replicated_values_that_agree():
    assert p_above(1.0, np.ones(9)) == 1.0
    assert p_above(2.0, np.ones(9)) == pytest.approx(0.1)
