"""Densities with effects integrated, against closed forms and numerical integrals."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import logsumexp

from bayes_distill.validation.marginal_likelihood import (
    normal_log_density,
    student_t_log_density,
)

GENERATOR = np.random.default_rng(0)
GROUP = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
SCALE = np.linspace(0.5, 1.5, 9)
ALIKE = (GROUP[:, None] == GROUP).astype(float)
LOSSES = GENERATOR.standard_normal(9) + np.where(GROUP == 0, 1.5, -2.0)


def test_normal_noise_is_a_multivariate_normal_density():
    spread = np.array([0.3, 1.0, 4.0])
    shared = spread[:, None, None] ** 2 * ALIKE
    residual, scale = np.tile(LOSSES, (3, 1)), np.tile(SCALE, (3, 1))
    exact = [
        stats.multivariate_normal(cov=each + np.diag(SCALE**2)).logpdf(LOSSES) for each in shared
    ]
    np.testing.assert_allclose(normal_log_density(residual, scale, shared), exact, rtol=1e-10)


def by_quadrature(losses, spread, nu):
    """Sum over the groups of the log of an integral over the effect of each."""
    u = np.linspace(-30, 30, 40_001)
    total = 0.0
    for group in (0, 1):
        mine = group == GROUP
        density = stats.t.pdf((losses[mine, None] - u) / SCALE[mine, None], nu)
        joint = (density / SCALE[mine, None]).prod(axis=0) * stats.norm.pdf(u, scale=spread)
        total += np.log(integrate.trapezoid(joint, u))
    return total


@pytest.mark.parametrize("spread", [0.3, 2.0])
@pytest.mark.parametrize("nu", [2.5, 4.0, 30.0])
@pytest.mark.parametrize("outlier", [0.0, 9.0])
def test_student_t_noise_agrees_with_quadrature(spread, nu, outlier):
    losses = LOSSES + outlier * (np.arange(9) == 2)
    count = 4000
    estimates = student_t_log_density(
        np.tile(losses, (count, 1)),
        np.tile(SCALE, (count, 1)),
        np.tile(spread**2 * ALIKE, (count, 1, 1)),
        np.full((count, 1), nu),
        np.random.default_rng(1),
    )
    exact = by_quadrature(losses, spread, nu)
    weights = np.exp(estimates - exact)
    # unbiased: the mean of the density's estimates is 1 within four standard errors
    assert weights.mean() == pytest.approx(1, abs=4 * weights.std() / np.sqrt(count))
    # and one estimate of a draw is already good
    assert weights.std() < 0.5
    assert logsumexp(estimates) - np.log(count) == pytest.approx(exact, abs=0.05)


def test_without_effects_it_is_the_density_of_the_runs():
    count = 2000
    estimates = student_t_log_density(
        np.tile(LOSSES, (count, 1)),
        np.tile(SCALE, (count, 1)),
        np.zeros((count, 9, 9)),
        np.full((count, 1), 4.0),
        np.random.default_rng(1),
    )
    exact = (stats.t.logpdf(LOSSES / SCALE, 4) - np.log(SCALE)).sum()
    assert logsumexp(estimates) - np.log(count) == pytest.approx(exact, abs=0.05)
