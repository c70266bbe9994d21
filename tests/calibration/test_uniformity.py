"""The test of uniform ranks: right as often as it says, and awake to the ways of being wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_distill.calibration.uniformity import bands, uniformity_p_values
from bayes_distill.inference.p_values import holm


@pytest.mark.parametrize("replicates", [40, 200])
def test_a_right_posterior_is_suspected_once_in_twenty_studies(replicates):
    quantities, studies = 15, 400
    pits = np.random.default_rng(3).uniform(size=(studies * quantities, replicates))
    p_values = uniformity_p_values(pits).reshape(studies, quantities)
    suspected = np.mean([holm(p).min() < 0.05 for p in p_values])
    # 400 studies: standard error 0.011; Cauchy combination is not exact
    assert 0.02 < suspected < 0.09


@pytest.mark.parametrize(
    ("mean", "sd"),
    [(0.35, 1.0), (-0.35, 1.0), (0.0, 1.45), (0.0, 0.65)],
    ids=["too low", "too high", "too narrow", "too wide"],
)
def test_two_hundred_replicates_show_a_wrong_posterior(mean, sd):
    z = np.random.default_rng(4).normal(mean, sd, size=(200, 200))
    adjusted = 20 * uniformity_p_values(stats.norm.cdf(z))  # as one of twenty quantities
    assert (adjusted < 0.05).mean() > 0.8


def test_bands_hold_whole_curves_as_often_as_they_say():
    replicates, quantities = 100, 10
    actual = bands(replicates, quantities)
    pits = np.random.default_rng(5).uniform(size=(4000, replicates))
    x = actual["x"].to_numpy()
    curves = (pits[:, :, None] <= x).mean(axis=1) - x

    def held(suffix: str) -> float:
        low, high = actual[f"lower{suffix}"].to_numpy(), actual[f"upper{suffix}"].to_numpy()
        return float(((low - 1e-9 <= curves) & (curves <= high + 1e-9)).all(axis=1).mean())

    assert held("") == pytest.approx(0.95, abs=0.02)
    assert held("_all") == pytest.approx(0.995, abs=0.005)
