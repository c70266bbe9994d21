"""Scores of forecasts against values known otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_distill.validation.scores import (
    bands,
    base_rate_brier,
    brier,
    crps,
    joint_log_predictive,
    log_predictive,
    pit,
)


def crps_of_a_normal(mean: float, sd: float, loss: np.ndarray) -> np.ndarray:
    """Closed form: Gneiting & Raftery 2007, section 4.2."""
    z = (loss - mean) / sd
    return sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))


def test_crps_of_a_normal_is_the_closed_form():
    generator = np.random.default_rng(0)
    draws = generator.normal(2.3, 0.01, (20_000, 4))
    loss = np.array([2.3, 2.31, 2.28, 2.35])
    assert crps(draws, loss) == pytest.approx(crps_of_a_normal(2.3, 0.01, loss), rel=0.02)


def test_crps_by_hand():
    # draws 0, 1, 3 and the loss 1: mean error (1 + 0 + 2) / 3, mean distance (1 + 2 + 3) / 3
    draws = np.array([[3.0], [0.0], [1.0]])
    assert crps(draws, np.array([1.0])) == pytest.approx([1 - 2 / 2])
    assert crps(draws[:1], np.array([1.0])) == pytest.approx([2.0])


def test_crps_is_unbiased_in_the_number_of_draws():
    generator = np.random.default_rng(1)
    loss = np.zeros(40_000)
    few = crps(generator.standard_normal((3, len(loss))), loss).mean()
    assert few == pytest.approx(crps_of_a_normal(0, 1, np.zeros(1))[0], abs=0.01)


def test_pit_is_the_share_of_draws_below():
    draws = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    assert pit(draws, np.array([0.5, 1.5, 2.0])) == pytest.approx([0, 0.5, 0.75])


def test_bands_of_calibrated_draws_hold_what_they_say():
    generator = np.random.default_rng(2)
    centre = generator.normal(2.5, 0.1, 4000)
    draws = centre + 0.01 * generator.standard_normal((1000, 4000))
    loss = centre + 0.01 * generator.standard_normal(4000)
    for level, (lower, upper) in bands(draws, (0.5, 0.9)).items():
        assert np.mean((lower <= loss) & (loss <= upper)) == pytest.approx(level, abs=0.025)


def test_log_predictive_averages_densities_not_their_logs():
    density = np.array([[0.1, 4.0], [0.3, 2.0]])
    assert log_predictive(np.log(density)) == pytest.approx(np.log([0.2, 3.0]))


def test_joint_density_multiplies_within_a_draw():
    density = np.array([[0.1, 4.0], [0.3, 2.0]])  # products 0.4 and 0.6
    joint, draws = joint_log_predictive(np.log(density).sum(axis=1))
    assert joint == pytest.approx(np.log(0.5))
    assert draws == pytest.approx(1 / (0.4**2 + 0.6**2))
    # no overflow far from any density that a float can hold
    far, _ = joint_log_predictive(np.full((3, 500), -50.0).sum(axis=1))
    assert far == pytest.approx(-25_000)


def test_losses_that_are_wrong_together_score_better_jointly():
    generator = np.random.default_rng(3)
    shared = generator.normal(0, 1, (4000, 1)) + np.zeros((1, 12))
    apart = generator.normal(0, 1, (4000, 12))
    loss = np.full(12, 0.9)  # all off in the same direction
    scores = [
        joint_log_predictive(stats.norm.logpdf(loss, m, 0.3).sum(axis=1))[0]
        for m in (shared, apart)
    ]
    assert scores[0] > scores[1] + 3


def test_brier_by_hand():
    happened = np.array([1, 0, 0, 1])
    assert brier(np.array([0.9, 0.2, 0.0, 0.5]), happened) == pytest.approx(0.3 / 4)
    assert base_rate_brier(happened) == 0.25
    assert base_rate_brier(np.zeros(5)) == 0
