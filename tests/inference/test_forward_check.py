"""The forward check: which runs are fitted and forecast, and what its p-values are worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_distill.inference.forward_check import Halves, compute, forward, halves
from bayes_distill.likelihoods import Normal


def ladder(n=20, step=1.3):
    """Runs that cost `step` times as much, each as the one before, in no order."""
    order = np.random.default_rng(0).permutation(n)
    return pd.DataFrame({"params": 1e8 * np.ones(n), "tokens": 1e9 * step**order})


def test_the_cheaper_half_is_fitted_and_the_clearly_dearer_runs_are_forecast():
    frame = ladder()
    parts = halves(frame)
    rank = np.argsort(np.argsort(compute(frame)))
    np.testing.assert_array_equal(parts.fitted, rank < 10)
    # 1.3^2 is 1.69: the run right above the half costs too little more
    np.testing.assert_array_equal(parts.forecast, rank > 10)
    assert parts.why_not == ""


def test_too_few_runs_or_too_little_difference():
    assert "12 runs" in halves(ladder(11)).why_not
    assert "1.5 times" in halves(ladder(30, step=1.001)).why_not
    assert halves(ladder(12, step=2)).why_not == ""


def correlated(draws, runs, generator):
    """Predictive draws whose curve moves as a whole, and runs that such a draw made."""
    frame = ladder(2 * runs, step=1.6).assign(loss=0.0)
    parts = Halves(np.arange(2 * runs) < runs, np.arange(2 * runs) >= runs)
    mean = 3 + 0.05 * generator.standard_normal((draws, 1)) * np.ones(2 * runs)
    scale = np.full(mean.shape, 0.01)
    truth = 3 + 0.05 * generator.standard_normal() + 0.01 * generator.standard_normal(2 * runs)
    return frame.assign(loss=truth), parts, mean, scale


def test_p_values_count_errors_that_runs_share():
    """Ten runs that are off together are one surprise: uniform p-values, not ten times as small."""
    generator = np.random.default_rng(1)
    found = [forward(*correlated(1000, 10, generator), Normal(), seed) for seed in range(150)]
    for name in ("p_signed", "p_absolute"):
        p = np.array([getattr(each, name) for each in found])
        assert stats.kstest(p, "uniform").pvalue > 0.001, name


def test_a_biased_forecast_is_found_with_its_side_and_size():
    frame, parts, mean, scale = correlated(1000, 10, np.random.default_rng(2))
    found = forward(frame.assign(loss=3.6), parts, mean, scale, Normal(), 0)
    assert found.signed == pytest.approx(found.absolute) == pytest.approx(0.6 / 0.051, rel=0.1)
    assert found.error == pytest.approx(0.2, abs=0.01)
    assert found.p_signed < 1e-4
    assert found.p_absolute < 1e-4
    low = forward(frame.assign(loss=2.4), parts, mean, scale, Normal(), 0)
    assert low.signed < 0
    assert low.error < 0
    assert low.p_signed < 1e-4


def test_bands_that_are_too_narrow_show_without_any_bias():
    generator = np.random.default_rng(3)
    frame, parts, mean, scale = correlated(1000, 20, generator)
    sides = 3 + 0.3 * (-1.0) ** np.arange(40)
    found = forward(frame.assign(loss=sides), parts, mean, scale, Normal(), 0)
    assert found.p_signed > 0.1
    assert found.p_absolute < 1e-4


def test_the_factor_is_of_compute():
    frame, parts, mean, scale = correlated(100, 10, np.random.default_rng(4))
    cost = compute(frame)
    found = forward(frame, parts, mean, scale, Normal(), 0)
    assert found.factor == pytest.approx(cost[10:].max() / cost[:10].max())
