"""Runs against their predictions: the numbers, and the plot of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.plots.observed_against_predicted import (
    FITTED,
    INSIDE,
    OUTSIDE,
    observed,
    observed_against_predicted,
)
from bayes_distill.predict.forecast import forecast
from studies import with_table

FRAME = pd.DataFrame(
    {
        "params": [5e8, 5e8, 1e9, 8e9],
        "tokens": [1e10, 1e10, 2e10, 2e11],
        "teacher_loss": [2.0, 2.3, 2.0, 2.0],
        "loss": [2.45, 2.48, 2.35, 2.0],
    }
)


def test_runs_are_told_apart_by_where_they_are(scattered):
    posterior = with_table(scattered, FRAME.iloc[:2])
    found = observed(posterior, FRAME)
    assert found.table["where"].tolist() == [FITTED, FITTED, INSIDE, OUTSIDE]
    plain = forecast(posterior, at=FRAME.drop(columns="loss")).table
    np.testing.assert_allclose(found.table["loss_mean"], plain["loss_mean"])
    np.testing.assert_allclose(found.table["new_run_upper"], plain["new_run_upper"])
    np.testing.assert_allclose(found.table["residual"], FRAME["loss"] - plain["loss_mean"])


def test_the_summary_counts_what_the_table_holds(scattered):
    found = observed(with_table(scattered, FRAME.iloc[:2]), FRAME)
    summary = found.summary.set_index("where")
    assert summary["runs"].to_dict() == {FITTED: 2, INSIDE: 1, OUTSIDE: 1}
    rows = found.table[found.table["where"] == FITTED]
    assert summary.loc[FITTED, "mean_error"] == pytest.approx(rows["residual"].abs().mean())
    assert summary.loc[FITTED, "coverage"] == rows["covered"].mean()


def test_by_default_the_fitted_runs_are_compared(scattered):
    found = observed(with_table(scattered, FRAME))
    assert found.table["observed"].tolist() == FRAME["loss"].tolist()
    assert set(found.table["where"]) == {FITTED}
    with pytest.raises(InputError, match="holds no runs"):
        observed(scattered)


@pytest.fixture(scope="session")
def compared(scattered):
    frame = pd.DataFrame(
        {
            "params": [5e8, 5e8, 1e9, 1e9, 8e9],
            "tokens": [1e10, 1e10, 2e10, 2e10, 2e11],
            "teacher_loss": [2.0, 2.3, 2.0, 2.3, 2.0],
            "loss": [2.45, 2.48, 2.35, 2.37, 2.0],
        }
    )
    return observed(scattered, frame)


def test_runs_outside_the_fit_have_a_mark_of_their_own(compared, reads):
    top, bottom = observed_against_predicted(compared)
    points = {
        line.get_marker(): line for line in top.lines if line.get_linestyle() in ("None", "none")
    }
    assert set(points) == {"^", "D"}  # none of them was fitted: left out, inside and outside
    outside = compared.table[compared.table["extrapolated"]]
    np.testing.assert_allclose(points["D"].get_xdata(), outside["loss_mean"])
    np.testing.assert_allclose(points["D"].get_ydata(), outside["observed"])
    residuals = [line for line in bottom.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(residuals[0].get_ydata(), outside["residual"])
    said = reads.legends(top.figure)
    assert "left out, outside the runs: 1 runs" in said
    assert "90% predictive band, equal-tailed" in said
    assert top.get_ylabel() == "observed loss (nats per token)"
    assert bottom.get_xlabel() == "predicted loss, posterior mean (nats per token)"


def test_predictive_bars_stand_around_zero_residual(compared):
    _, bottom = observed_against_predicted(compared)
    reach = np.concatenate([s for c in bottom.collections for s in c.get_segments()])
    ends = np.sort(reach[:, 1])
    table = compared.table
    wanted = np.sort(
        np.concatenate([table[f"new_run_{end}"] - table["loss_mean"] for end in ("lower", "upper")])
    )
    np.testing.assert_allclose(ends, wanted, atol=1e-12)
