"""Gap map, IsoFLOP profiles, observed against predicted, coefficients, trade-offs."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from bayes_distill.plots.capacity_gap_map import LEVELS, capacity_gap_map
from bayes_distill.plots.coefficients_against_published import (
    coefficients_against_published,
    symbol,
)
from bayes_distill.plots.isoflop_profiles import isoflop_profiles
from bayes_distill.plots.observed_against_predicted import observed_against_predicted
from bayes_distill.plots.trade_off_pairs import trade_off_pairs
from bayes_distill.views import coefficients, gap_map, isoflop, observed, trade_offs
from bayes_distill.views.gap_map import GapMap


@pytest.fixture(scope="session")
def gap(scattered):
    return gap_map(scattered, teacher_loss=2.0, cells=12, draws=100)


@pytest.fixture(scope="session")
def profiles(scattered):
    return isoflop(scattered, "1e20,1e21", teacher_loss=2.1, draws=100, interval=0.8)


@pytest.fixture(scope="session")
def held(scattered):
    frame = pd.DataFrame(
        {
            "params": [5e8, 5e8, 1e9, 1e9, 8e9],
            "tokens": [1e10, 1e10, 2e10, 2e10, 2e11],
            "teacher_loss": [2.0, 2.3, 2.0, 2.3, 2.0],
            "loss": [2.45, 2.48, 2.35, 2.37, 2.0],
        }
    )
    return observed(scattered, frame)


def test_the_map_shows_the_grid_and_says_what_it_is(gap, scattered, reads):
    ax = capacity_gap_map(gap, hull=scattered.hull)
    assert ax.get_xlabel() == "student size (non-embedding parameters)"
    assert ax.get_ylabel() == "student tokens"
    assert "2.00 nats per token" in ax.get_title(loc="left")
    filled = ax.collections[0]
    np.testing.assert_allclose(filled.levels, LEVELS)
    np.testing.assert_allclose(
        ax.get_xlim(), [gap.table["params"].min(), gap.table["params"].max()]
    )
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert "posterior probability" in bar.get_ylabel()
    said = reads.legends(ax.figure)
    assert "outline of the runs" in said
    assert "50%" in said


def test_the_50_percent_line_runs_where_the_probability_is_one_half():
    x, y = np.geomspace(1e8, 1e10, 21), np.geomspace(1e9, 1e12, 21)
    n, d = (side.ravel() for side in np.meshgrid(x, y))
    p = 1 - (np.log10(n) - 8) / 2  # one half at a billion, whatever the tokens
    table = pd.DataFrame({"params": n, "tokens": d, "p_stronger_teacher_hurts": p})
    ax = capacity_gap_map(GapMap(table, 2.0, ()))
    line = ax.collections[1].get_paths()[1].vertices  # of the levels 5%, 50%, 95%
    np.testing.assert_allclose(line[:, 0], 1e9, rtol=0.02)


def test_a_map_takes_axes(gap):
    _, ax = plt.subplots()
    assert capacity_gap_map(gap, ax) is ax


def test_profiles_and_their_bands_are_those_given(profiles, reads):
    ax = isoflop_profiles(profiles)
    for budget, label in ((1e20, "1e+20 FLOPs"), (1e21, "1e+21 FLOPs")):
        mine = profiles.table[profiles.table["budget"] == budget]
        x, y = reads.curve(ax, label)
        np.testing.assert_allclose(x, mine["params"])
        np.testing.assert_allclose(y, mine["mean"])
        _, lower, upper = reads.band(ax, label)
        np.testing.assert_allclose(lower, mine["lower"])
        np.testing.assert_allclose(upper, mine["upper"])
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


def test_runs_outside_the_fit_have_a_mark_of_their_own(held, reads):
    top, bottom = observed_against_predicted(held)
    points = {
        line.get_marker(): line for line in top.lines if line.get_linestyle() in ("None", "none")
    }
    assert set(points) == {"^", "D"}  # none of them was fitted: left out, inside and outside
    outside = held.table[held.table["outside"]]
    np.testing.assert_allclose(points["D"].get_xdata(), outside["loss_mean"])
    np.testing.assert_allclose(points["D"].get_ydata(), outside["observed"])
    residuals = [line for line in bottom.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(residuals[0].get_ydata(), outside["residual"])
    said = reads.legends(top.figure)
    assert "left out, outside the runs: 1 runs" in said
    assert "90% predictive band, equal-tailed" in said
    assert top.get_ylabel() == "observed loss (nats per token)"
    assert bottom.get_xlabel() == "predicted loss, posterior mean (nats per token)"


def test_predictive_bars_stand_around_zero_residual(held):
    _, bottom = observed_against_predicted(held)
    reach = np.concatenate([s for c in bottom.collections for s in c.get_segments()])
    ends = np.sort(reach[:, 1])
    table = held.table
    wanted = np.sort(
        np.concatenate([table[f"new_run_{end}"] - table["loss_mean"] for end in ("lower", "upper")])
    )
    np.testing.assert_allclose(ends, wanted, atol=1e-12)


def test_coefficients_have_panels_with_both_intervals(scattered, reads):
    found = coefficients(scattered, interval=0.8)
    axes = coefficients_against_published(found)
    panels = {
        ax.get_title(loc="left").split()[0]: ax for ax in axes.flat if ax.get_title(loc="left")
    }
    assert list(panels) == [symbol(name) for name in found.table["name"]]
    row = found.table.set_index("name").loc["alpha'"]
    x = [np.asarray(line.get_xdata(), float).tolist() for line in panels["α′"].lines]
    assert [row["lower"], row["upper"]] in x
    assert [0.319, 0.324] in x  # as table 6 prints it
    assert [0.321] in x
    said = reads.legends(axes.flat[0].figure)
    assert "80% credible interval, equal-tailed" in said
    assert "table 6" in said


def test_what_is_not_identified_is_marked(scattered):
    found = coefficients(scattered)
    found.table.loc[found.table["name"] == "c1", "identified"] = False
    axes = coefficients_against_published(found)
    titles = [ax.get_title(loc="left") for ax in axes.flat]
    assert [t for t in titles if "not identified" in t] == ["c₁   (not identified)"]


def test_pairs_show_the_draws_on_named_axes(scattered, reads):
    found = trade_offs(scattered, draws=100)
    axes = trade_off_pairs(found)
    named = [(ax.get_ylabel(), ax.get_xlabel()) for ax in axes.flat]
    assert named == [("A′", "α′"), ("A′", "γ′"), ("α′", "γ′"), ("c₁", "d₁")]
    np.testing.assert_allclose(axes[0, 0].lines[0].get_xdata(), found.draws["alpha'"])
    np.testing.assert_allclose(axes[0, 0].lines[0].get_ydata(), found.draws["A'"])
    assert f"{found.correlation['c1']['d1']:.2f}" in axes[1, 1].get_title(loc="left")
    assert "100 draws" in reads.legends(axes[0, 0].figure)


def test_the_map_looks_as_it_did(same_picture):
    x, y = np.geomspace(5e7, 2e10, 24), np.geomspace(1e9, 1e12, 24)
    n, d = (side.ravel() for side in np.meshgrid(x, y))
    p = 1 / (1 + np.exp(3 * (np.log(n / 1e9) + 0.3 * np.log(d / 3e10))))
    table = pd.DataFrame({"params": n, "tokens": d, "p_stronger_teacher_hurts": p})
    same_picture(capacity_gap_map(GapMap(table, 2.0, ())).figure, "capacity_gap_map")
