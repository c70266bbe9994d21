"""The plot of IsoFLOP profiles: what is on it."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.plots.isoflop_profiles import isoflop_profiles
from bayes_distill.predict.isoflop import isoflop


@pytest.fixture(scope="session")
def profiles(scattered):
    return isoflop(scattered, "1e20,1e21", teacher_loss=2.1, draws=100, interval=0.8)


def test_curves_and_intervals_are_those_of_the_profiles(profiles, reads):
    ax = isoflop_profiles(profiles)
    for budget, label in ((1e20, "1e+20 FLOPs"), (1e21, "1e+21 FLOPs")):
        rows = profiles.table[profiles.table["budget"] == budget]
        x, y = reads.curve(ax, label)
        np.testing.assert_allclose(x, rows["params"])
        np.testing.assert_allclose(y, rows["loss_mean"])
        _, lower, upper = reads.interval(ax, label)
        np.testing.assert_allclose(lower, rows["loss_lower"])
        np.testing.assert_allclose(upper, rows["loss_upper"])
    bars = [line for line in ax.lines if line.get_marker() == "|"]
    for bar, (_, best) in zip(bars, profiles.optima.iterrows(), strict=True):
        np.testing.assert_allclose(bar.get_xdata(), [best["params_lower"], best["params_upper"]])


def test_profiles_say_what_they_are(profiles, reads):
    ax = isoflop_profiles(profiles, unit="bits per byte")
    assert ax.get_ylabel() == "student loss (bits per byte)"
    assert "non-embedding parameters" in ax.get_xlabel()
    assert "teacher of loss 2.10" in ax.get_title(loc="left")
    said = reads.legends(ax.figure)
    assert "80% credible band, equal-tailed" in said
    assert "80% credible interval, equal-tailed" in said
    assert "Budget (FLOPs)" in said
