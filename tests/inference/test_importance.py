"""Importance sampling of densities that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from bayes_distill.inference.importance import Proposal, importance_sample

COVARIANCE = np.array([[1.0, 0.6, 0.3], [0.6, 2.0, -0.4], [0.3, -0.4, 1.5]])


def proposal(wide=(True, False, True)):
    return Proposal.at(np.array([1.0, -1.0, 0.5]), COVARIANCE, np.array(wide))


def test_density_of_a_proposal_is_one_altogether():
    two = Proposal.at(np.zeros(2), COVARIANCE[:2, :2], np.array([True, False]))

    def density(y, x):
        return float(np.exp(two.log_density(np.array([[x, y]]))[0]))

    total = integrate.dblquad(density, -60, 60, -40, 40, epsabs=1e-4)[0]
    assert total == pytest.approx(1, abs=2e-3)


def test_density_is_that_of_the_draws():
    """The mean of another density over it is one, whatever the proposal."""
    for wide in ((True, True, True), (True, False, True)):
        drawn = proposal(wide).sample(np.random.default_rng(0), 200_000)
        other = stats.multivariate_normal(np.array([1.0, -1.0, 0.5]), 0.5 * COVARIANCE)
        ratio = np.exp(other.logpdf(drawn) - proposal(wide).log_density(drawn))
        assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / np.sqrt(len(ratio)))


def test_a_normal_distribution_is_recovered():
    target = stats.multivariate_normal([1.3, -1.5, 0.2], COVARIANCE)
    found = importance_sample(target.logpdf, proposal(), np.random.default_rng(1), 2000, 5)
    assert found.pareto_k < 0.5
    assert found.effective > 5000
    mean = found.weights @ found.points
    np.testing.assert_allclose(mean, target.mean, atol=0.06)
    apart = found.points - mean
    np.testing.assert_allclose((apart.T * found.weights) @ apart, COVARIANCE, atol=0.15)


def test_rounds_find_what_the_first_proposal_misses():
    """Three standard deviations off, and half as wide."""
    target = stats.multivariate_normal([4.0, -4.0, -3.0], 2 * COVARIANCE)
    once = importance_sample(target.logpdf, proposal(), np.random.default_rng(2), 2000, 1)
    often = importance_sample(
        target.logpdf, proposal((True, True, True)), np.random.default_rng(2), 2000, 6
    )
    assert often.effective > 20 * once.effective
    np.testing.assert_allclose(often.weights @ often.points, target.mean, atol=0.15)


def test_points_without_density_have_no_weight():
    """A half of the plane is cut off, once by minus infinity and once by no number."""
    for nothing in (-np.inf, np.nan):

        def half(x, nothing=nothing):
            inside = stats.multivariate_normal([1.0, -1.0, 0.5], COVARIANCE).logpdf(x)
            return np.where(x[:, 0] > 1, inside, nothing)

        found = importance_sample(half, proposal(), np.random.default_rng(3), 1000, 3)
        assert found.weights[found.points[:, 0] <= 1].sum() < 1e-12
        mean = found.weights @ found.points[:, 0]
        assert mean == pytest.approx(1 + np.sqrt(2 / np.pi), abs=0.1)


def test_resampled_points_have_equal_weight():
    target = stats.multivariate_normal([1.0, -1.0, 0.5], COVARIANCE)
    found = importance_sample(target.logpdf, proposal(), np.random.default_rng(4), 2000, 3)
    drawn = found.resampled(20_000, np.random.default_rng(5))
    np.testing.assert_allclose(drawn.mean(axis=0), target.mean, atol=0.06)
    np.testing.assert_allclose(np.cov(drawn.T), COVARIANCE, atol=0.15)
