"""The inverse mass matrix that windows of warm-up estimate, and when it has converged."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.inference.metric import Metric, refined
from bayes_distill.inference.warm_up import converged

GENERATOR = np.random.default_rng(0)


def window(draws: int, chains: int = 4) -> dict[str, np.ndarray]:
    """Draws of two sites: correlated, and each chain somewhere else."""
    noise = GENERATOR.standard_normal((chains, draws, 3)) * [1.0, 2.0, 0.1]
    noise[..., 1] += noise[..., 0]
    noise += 5 * np.arange(chains)[:, None, None]
    return {"b": noise[..., 2], "a": noise[..., :2]}


COVARIANCE = np.array([[1.0, 1.0, 0.0], [1.0, 5.0, 0.0], [0.0, 0.0, 0.01]])


def later(mass: np.ndarray) -> Metric:
    """A metric that has a window behind it."""
    return Metric.first(mass, 4)._replace(windows=np.array(1))


def test_the_mass_matrix_is_the_covariance_within_chains():
    estimate = refined(later(np.eye(3)), window(20_000))
    np.testing.assert_allclose(estimate.inverse_mass_matrix, COVARIANCE, atol=0.1)


def test_windows_after_the_first_are_pooled():
    draws = window(600)
    parts = [{name: leaf[:, i : i + 200] for name, leaf in draws.items()} for i in (0, 200, 400)]
    metric = later(np.eye(3))
    for part in parts:
        metric = refined(metric, part)
    assert (metric.windows, metric.draws) == (4, 600)
    whole = refined(later(np.eye(3)), draws)
    np.testing.assert_allclose(metric.outer_products, whole.outer_products)
    np.testing.assert_allclose(
        metric.inverse_mass_matrix, whole.inverse_mass_matrix, atol=0.02
    )  # held by other matrices


def test_few_draws_leave_the_matrix_before_nearly_as_it_was():
    before = np.diag([4.0, 4.0, 4.0])
    estimate = refined(later(before), window(2)).inverse_mass_matrix
    np.testing.assert_allclose(estimate, before, atol=1.5)
    assert np.linalg.eigvalsh(estimate).min() > 1


def test_the_way_from_the_mode_does_not_count():
    draws = window(4000)
    draws["a"][:, :1000] += 100.0
    first = refined(Metric.first(np.eye(3), 4), draws)
    assert first.inverse_mass_matrix[0, 0] == pytest.approx(1, abs=0.1)
    assert (first.draws, first.windows) == (0, 1)  # the next window begins anew
    assert refined(later(np.eye(3)), draws).inverse_mass_matrix[0, 0] > 100


def test_warm_up_has_converged_once_a_window_confirms_its_metric():
    draws, lp = window(400), GENERATOR.standard_normal((4, 400))
    right, wide = later(COVARIANCE), later(COVARIANCE * 30)
    skewed = later(COVARIANCE * np.outer([1.0, 1.0, 0.3], [1.0, 1.0, 0.3]))
    assert converged(right, refined(right, draws), lp)
    assert converged(wide, refined(wide, draws), lp)  # the step size sees to the scale of all
    assert not converged(skewed, refined(skewed, draws), lp)


def test_warm_up_has_not_converged_while_chains_are_apart():
    draws, right = window(400), later(COVARIANCE)
    lp = GENERATOR.standard_normal((4, 400))
    lp[3] += 3.0
    assert not converged(right, refined(right, draws), lp)
    few = np.zeros((4, 2))  # not even enough to tell
    assert not converged(right, refined(right, draws), few)
