"""Forecasts of dearer runs: refits below budgets, and scores by factor of extrapolation."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bayes_distill import validate
from bayes_distill.cli.main import run
from bayes_distill.errors import InputError
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.runs.writing import write_runs
from bayes_distill.validation.by_compute import by_factor
from bayes_distill.validation.read import read_validation

SHORT = {"chains": 2, "warmup": 150, "draws": 150}
TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.34, "beta": 0.37}


@pytest.fixture(scope="module")
def runs():
    params, ratio = np.meshgrid(np.geomspace(5e7, 3e9, 6), np.geomspace(5, 200, 4))
    table = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    return simulate_from_card("supervised-plain", table, coefficients=TRUTH, seed=5, noise=0.003)[0]


@pytest.fixture(scope="module")
def validated(runs):
    return validate(runs, "supervised-plain", leave_out="compute", factors=[3, 30], **SHORT)


def test_every_refit_sees_what_costs_no_more_than_its_budget(runs, validated):
    cost = 6 * (runs.frame["params"] * runs.frame["tokens"]).to_numpy()
    groups = validated.table.iloc[:-1]
    for row, factor in zip(groups.to_dict("records"), (3, 30), strict=True):
        dearer = cost > cost.max() / factor
        assert row["runs"] == dearer.sum()
        assert row["fitted"] == (~dearer).sum()
        assert row["factor"] == pytest.approx(cost.max() / cost[~dearer].max())
        mine = validated.rows[validated.rows["group"] == row["group"]]
        assert sorted(mine["row"]) == sorted(np.flatnonzero(dearer))
        expected = cost[mine["row"]] / cost[~dearer].max()
        np.testing.assert_allclose(mine["factor"], expected)


def test_scores_by_factor_are_relative_and_of_all_refits(validated):
    rows, table = validated.rows, validated.by_factor
    assert table["factor"].tolist() == [3, 30]
    assert table["above"].tolist() == [1, 3]
    assert table["runs"].sum() == len(rows)
    near = rows[rows["factor"] <= 3]
    # the refit far below says something of small factors too
    assert (near["group"] == validated.table["group"].iloc[1]).any()
    first = table.iloc[0]
    assert first["runs"] == len(near)
    relative = (near["loss_mean"] - near["loss"]).abs() / near["loss"]
    assert first["error"] == pytest.approx(relative.mean())
    assert first["crps"] == pytest.approx((near["crps"] / near["loss"]).mean())
    width = (near["new_run_upper_90"] - near["new_run_lower_90"]) / near["loss"]
    assert first["width"] == pytest.approx(width.mean())
    inside = near["loss"].between(near["new_run_lower_50"], near["new_run_upper_50"])
    assert first["coverage_50"] == inside.mean()
    assert first["interval_score"] >= first["width"]
    assert table["factor_median"].is_monotonic_increasing
    # the runs are the law's, so the bands should hold
    assert (table["coverage_90"] > 0.6).all()


def test_what_lies_beyond_the_last_factor_belongs_to_it(validated):
    table = by_factor(validated.rows, [2, 3], validated.levels, 0.9)
    assert table["runs"].sum() == len(validated.rows)
    assert table.iloc[-1]["factor_median"] > 3


def test_json_has_the_rows_of_the_contract(validated, tmp_path):
    content = validated.to_json()
    assert content["leave_out"] == "compute"
    assert content["factors"] == [3, 30]
    for row in content["rows"]:
        assert set(row) >= {
            "factor",
            "coverage",
            "width",
            "interval_score",
            "crps",
            "error",
            "verdict",
        }
        assert set(row["coverage"]) == {"50", "80", "90", "95"}
        assert row["verdict"] in ("too narrow", "as stated", "too wide")
        assert row["held"].startswith("held ")
        assert row["held"].endswith(f"% of 90%: {row['verdict']}")
    assert len(content["runs"]) == len(validated.rows)
    for group in [*content["groups"], content["overall"]]:
        assert group["held"].endswith(group["bands"])
        assert group["factor"] > 1
    again = read_validation(validated.save(tmp_path / "v.json"))
    pd.testing.assert_frame_equal(again.by_factor, validated.by_factor, check_dtype=False)


def test_budgets_that_leave_too_few_runs_are_left_out_with_a_note(runs):
    """Three hundred leaves two runs, of which the law makes nothing."""
    few = runs.frame.iloc[np.argsort(runs.frame["params"] * runs.frame["tokens"])]
    ends = pd.concat([few.iloc[:2], few.iloc[-12:]], ignore_index=True)
    cost = (ends["params"] * ends["tokens"]).to_numpy()
    factor = cost.max() / cost[1]
    found = validate(ends, "supervised-plain", leave_out="compute", factors=[2, factor], **SHORT)
    assert len(found.table) == 2
    assert any("left out: without above" in note for note in found.notes)
    with pytest.raises(InputError, match=r"without above .* a law needs at least 3 that differ"):
        validate(ends, "supervised-plain", leave_out="compute", factors=[factor], **SHORT)


def test_the_command_prints_factors_and_words(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_runs(runs, tmp_path / "runs.csv")
    short = ["--chains", "2", "--warmup", "150", "--draws", "150", "--model", "supervised-plain"]
    command = ["validate", "runs.csv", "--leave-out", "compute", "--factors", "3,30", *short]
    status = run([*command, "--out", "v.json"])
    out = capsys.readouterr().out
    assert status in (0, 3)
    assert "1 to 3" in out
    assert "3 to 30" in out
    rows = json.loads((tmp_path / "v.json").read_text())["rows"]
    assert all(row["held"].split(":")[0] in out for row in rows)
    assert (
        run(["validate", "runs.csv", "--leave-out", "compute", "--factors", "3,x,0.5", *short]) == 2
    )
    assert "--factors" in capsys.readouterr().err
