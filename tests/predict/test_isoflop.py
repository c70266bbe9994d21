"""IsoFLOP profiles, against plain calls and the closed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.compute import FLOPS
from bayes_distill.errors import InputError
from bayes_distill.predict.forecast import forecast
from bayes_distill.predict.isoflop import isoflop
from studies import with_table


def test_a_profile_spends_all_of_its_budget(scattered):
    found = isoflop(scattered, 1e21, draws=50)
    spent = (
        3 * FLOPS["eq69"].forward_flops(found.table["params"].to_numpy()) * found.table["tokens"]
    )
    np.testing.assert_allclose(spent, 1e21)
    ratio = (found.table["tokens"] / found.table["params"]).to_numpy()
    assert (ratio.max(), ratio.min()) == pytest.approx((1000, 0.3), rel=0.02)


def test_a_profile_is_a_forecast(scattered):
    found = isoflop(scattered, 1e21, teacher_loss=2.1, draws=2000, interval=0.8).table
    some = found.iloc[[0, 60, 120]]
    at = some[["params", "tokens"]].assign(teacher_loss=2.1)
    plain = forecast(scattered, at=at, interval=0.8).table
    for column, wanted in (
        ("loss_mean", "loss_mean"),
        ("loss_lower", "loss_lower"),
        ("loss_upper", "loss_upper"),
        ("extrapolated", "outside"),
    ):
        np.testing.assert_allclose(some[column].astype(float), plain[wanted].astype(float))


def test_profiles_of_distilled_students_have_no_kinks_at_sizes_of_the_runs():
    found = isoflop("busbridge2025", "1e20,1e22", teacher_loss=2.0, draws=200)
    for _, curve in found.table.groupby("budget"):
        bend = np.diff(curve["loss_mean"], 2)
        assert (bend > 0).all()  # one valley
        assert np.abs(np.diff(bend)).max() < 0.1 * bend.max()
    assert any("sizes in general" in note for note in found.notes)
    alone = isoflop("busbridge2025", "1e20", draws=20)
    assert not any("sizes in general" in note for note in alone.notes)


def test_the_best_size_is_that_of_the_law(chinchilla_point):
    # gamma = 1: the minimum over N at C = 6 N D is known in closed form
    c = chinchilla_point.published
    A, B, alpha, beta = (float(c[name][0]) for name in ("A", "B", "alpha", "beta"))
    found = isoflop(chinchilla_point, 1e21, flops="6nd").optima.iloc[0]
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    wanted = G * (1e21 / 6) ** (beta / (alpha + beta))
    assert found["params_median"] == pytest.approx(wanted, rel=0.003)
    assert found["p_at_end"] == 0


def test_a_range_too_short_for_the_optimum_says_so(scattered):
    found = isoflop(scattered, 1e21, params="10M,50M", draws=50).optima.iloc[0]
    assert found["p_at_end"] == 1
    assert found["params_median"] == pytest.approx(5e7)


def test_runs_near_a_budget_are_shown_with_it(scattered):
    size = 1e9
    each = 3 * float(FLOPS["eq69"].forward_flops(size))
    frame = pd.DataFrame(
        {
            "params": size,
            "tokens": np.array([1.0, 1.08, 1.5, 1.0, 1.0]) * 1e21 / each,
            "teacher_loss": [2.1, 2.101, 2.1, 2.4, np.nan],
            "loss": [2.3, 2.31, 2.29, 2.5, 2.4],
        }
    )
    posterior = with_table(scattered, frame)
    taught = isoflop(posterior, "1e21,1e22", teacher_loss=2.1, draws=20).runs
    assert taught["loss"].tolist() == [2.3, 2.31]
    assert set(taught["budget"]) == {1e21}
    assert isoflop(posterior, "1e21", draws=20).runs["loss"].tolist() == [2.4]
    assert isoflop(scattered, "1e21", draws=20).runs.empty


def test_faults_of_profiles_come_together(scattered):
    with pytest.raises(InputError) as refused:
        isoflop(scattered, "0", params="1B", teacher_loss="2,3", flops="9nd", interval=3)
    named = {fault.column for fault in refused.value.faults}
    assert named == {"budget", "params", "teacher_loss", "flops", "interval"}
