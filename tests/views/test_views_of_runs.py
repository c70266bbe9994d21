"""IsoFLOP profiles, runs against predictions, coefficients and trade-offs, against plain calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_distill.compute import FLOPS
from bayes_distill.errors import InputError
from bayes_distill.laws import TABLE_6_AS_PRINTED
from bayes_distill.predict.forecast import forecast
from bayes_distill.views import coefficients, isoflop, observed, trade_offs
from bayes_distill.views.coefficients import TABLE_6_INTERVALS
from bayes_distill.views.observed import FITTED, INSIDE, OUTSIDE

FRAME = pd.DataFrame(
    {
        "params": [5e8, 5e8, 1e9, 8e9],
        "tokens": [1e10, 1e10, 2e10, 2e11],
        "teacher_loss": [2.0, 2.3, 2.0, 2.0],
        "loss": [2.45, 2.48, 2.35, 2.0],
    }
)


def with_runs(posterior, frame):
    tree = posterior.tree.copy()
    columns = {name: ("run", frame[name].to_numpy(float)) for name in frame}
    tree["runs"] = xr.Dataset(columns, coords={"run": np.arange(len(frame))})
    return replace(posterior, tree=tree)


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
        ("mean", "loss_mean"),
        ("lower", "loss_lower"),
        ("upper", "loss_upper"),
        ("outside", "outside"),
    ):
        np.testing.assert_allclose(some[column].astype(float), plain[wanted].astype(float))


def test_the_best_size_is_that_of_the_law(load_point):
    # gamma = 1: the minimum over N at C = 6 N D is known in closed form
    c = load_point.published
    A, B, alpha, beta = (float(c[name][0]) for name in ("A", "B", "alpha", "beta"))
    found = isoflop(load_point, 1e21, flops="6nd").optima.iloc[0]
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    wanted = G * (1e21 / 6) ** (beta / (alpha + beta))
    assert found["params_median"] == pytest.approx(wanted, rel=0.003)
    assert found["p_at_end"] == 0


@pytest.fixture
def load_point():
    from bayes_distill.cards import load_card
    from bayes_distill.laws import Reference
    from bayes_distill.posterior import Posterior

    truth = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
    return Posterior.from_coefficients(load_card("hoffmann2022"), truth, Reference(1e9, 2e10, 2.3))


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
    posterior = with_runs(scattered, frame)
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


def test_runs_are_told_apart_by_where_they_are(scattered):
    posterior = with_runs(scattered, FRAME.iloc[:2])
    found = observed(posterior, FRAME)
    assert found.table["where"].tolist() == [FITTED, FITTED, INSIDE, OUTSIDE]
    plain = forecast(posterior, at=FRAME.drop(columns="loss")).table
    np.testing.assert_allclose(found.table["loss_mean"], plain["loss_mean"])
    np.testing.assert_allclose(found.table["new_run_upper"], plain["new_run_upper"])
    np.testing.assert_allclose(found.table["residual"], FRAME["loss"] - plain["loss_mean"])


def test_the_summary_counts_what_the_table_holds(scattered):
    found = observed(with_runs(scattered, FRAME.iloc[:2]), FRAME)
    summary = found.summary.set_index("where")
    assert summary["runs"].to_dict() == {FITTED: 2, INSIDE: 1, OUTSIDE: 1}
    mine = found.table[found.table["where"] == FITTED]
    assert summary.loc[FITTED, "mean_error"] == pytest.approx(mine["residual"].abs().mean())
    assert summary.loc[FITTED, "held"] == mine["inside"].mean()


def test_without_runs_the_fitted_ones_are_held_against_themselves(scattered):
    found = observed(with_runs(scattered, FRAME))
    assert found.table["observed"].tolist() == FRAME["loss"].tolist()
    assert set(found.table["where"]) == {FITTED}
    with pytest.raises(InputError, match="holds no runs"):
        observed(scattered)


def test_coefficients_beside_table_6(scattered):
    table = coefficients(scattered, interval=0.8).table.set_index("name")
    assert list(table.index) == list(scattered.law.coefficient_names)
    draws = scattered.published["alpha'"]
    wanted = np.quantile(draws, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(
        table.loc["alpha'", ["lower", "median", "upper"]].astype(float), wanted
    )
    for name, (lower, upper) in TABLE_6_INTERVALS.items():
        row = table.loc[name]
        assert row["published"] == TABLE_6_AS_PRINTED[name]
        assert (row["published_lower"], row["published_upper"]) == (lower, upper)
        assert lower <= row["published"] <= upper
    assert table["prior_median"].isna().all()  # made up: it has no prior


def test_a_fit_has_its_prior_and_what_is_identified(sweep):
    table = coefficients(sweep.posterior).table.set_index("name")
    assert (table["prior_upper"] > table["prior_lower"]).all()
    told = {c["name"]: c["identified"] for c in sweep.posterior.info["coefficients"]}
    assert table["identified"].to_dict() == {name: told[name] for name in table.index}


def test_trade_offs_of_the_three_laws(scattered, load_point, chinchilla):
    found = trade_offs(scattered, draws=200)
    assert found.groups == (("A'", "alpha'", "gamma'"), ("c1", "d1"))
    logs = np.log([found.draws["c1"], found.draws["d1"]])
    assert found.correlation["c1"]["d1"] == pytest.approx(np.corrcoef(logs)[0, 1])
    for name, draws in found.draws.items():
        low, high = found.ranges[name]
        assert np.mean((low <= draws) & (draws <= high)) > 0.97
        assert low < found.published[name] < high
    assert trade_offs(chinchilla.posterior).groups == (("A", "alpha", "E"), ("B", "beta"))
    with pytest.raises(InputError, match="point coefficients"):
        trade_offs(load_point)
