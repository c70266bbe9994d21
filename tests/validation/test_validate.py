"""Refits without groups of runs, from Python and from the command line."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_distill import Posterior, validate
from bayes_distill.errors import InputError
from bayes_distill.runs import Runs
from bayes_distill.validation.read import read_validation
from bayes_distill.validation.refit import score
from bayes_distill.validation.result import Validation
from bayes_distill.validation.summaries import collect

LEVELS = (0.5, 0.8, 0.9, 0.95)
SHORT = {"chains": 4, "warmup": 500, "draws": 200}  # shares the compiled programs of `chinchilla`


def left_out(scattered: Posterior, count: int = 200, noise: float = 1.0) -> pd.DataFrame:
    """Runs from one of the posterior's draws, with that draw's noise times `noise`."""
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "params": 1e9,
            "tokens": generator.choice([2e10, 5e10], count),
            "teacher_loss": generator.uniform(1.9, 2.8, count),
        }
    )
    mean = scattered.distilled_loss(*frame.to_numpy(float).T)
    new = mean + noise * (scattered.new_run(mean, np.ones(count, bool), generator) - mean)
    frame["loss"] = new[7]
    frame.index = pd.Index(np.arange(100, 100 + count), name="row")
    return frame


def collected(scattered: Posterior, frame: pd.DataFrame) -> Validation:
    found = {
        "group": "1B",
        "fitted": 9,
        "verdict": "pass",
        "rhat_max": 1.0,
        **score(scattered, frame, levels=LEVELS),
    }
    return collect(
        [found],
        leave_out="params",
        model="busbridge2025-plain",
        levels=LEVELS,
        interval=0.9,
        settings={},
        notes=[],
    )


def test_a_calibrated_posterior_is_shown_as_such(scattered):
    result = collected(scattered, left_out(scattered))
    overall = result.table.iloc[-1]
    for level in (50, 80, 90, 95):
        assert overall[f"coverage_{level}"] == pytest.approx(level / 100, abs=0.08)
    assert abs(overall["bias"]) < overall["mae"] < 0.008
    assert overall["crps"] < overall["mae"]
    assert overall["brier_predictive"] < overall["brier_base_rate"] / 2
    assert result.rows["pit"].between(0, 1).all()
    width = result.rows["new_run_upper_90"] - result.rows["new_run_lower_90"]
    assert width.mean() == overall["width"]


def test_what_was_saved_is_read_again(scattered, tmp_path):
    result = collected(scattered, left_out(scattered, 30))
    again = read_validation(result.save(tmp_path / "validation.json"))
    pd.testing.assert_frame_equal(again.table, result.table[list(again.table)], check_dtype=False)
    pd.testing.assert_frame_equal(again.rows[list(result.rows)], result.rows, check_dtype=False)
    pd.testing.assert_frame_equal(again.reliability, result.reliability, check_dtype=False)
    with pytest.raises(InputError, match="does not exist: create it first"):
        result.save(tmp_path / "nowhere" / "validation.json")


def test_an_overconfident_posterior_is_shown_as_such(scattered):
    honest = collected(scattered, left_out(scattered)).table.iloc[-1]
    bold = collected(scattered, left_out(scattered, noise=4.0)).table.iloc[-1]
    assert bold["coverage_90"] < 0.6
    assert bold["lpd"] < honest["lpd"] - 50
    assert bold["crps"] > 2 * honest["crps"]
    assert bold["width"] == pytest.approx(honest["width"], rel=0.02)


def test_a_bias_is_shown_with_its_sign(scattered):
    frame = left_out(scattered)
    there = collected(scattered, frame.assign(loss=frame["loss"] - 0.05)).table.iloc[-1]
    assert there["bias"] == pytest.approx(0.05, abs=0.005)  # the forecast is too high
    assert there["max_relative_error"] > 0.02


def test_densities_are_those_of_the_likelihood(scattered):
    from scipy import stats

    frame = left_out(scattered, 3)
    found = score(scattered, frame, levels=LEVELS)
    mean = scattered.distilled_loss(*frame[["params", "tokens", "teacher_loss"]].to_numpy(float).T)
    spread = scattered.draws["scale"][:, None] * scattered.reference.loss
    density = stats.t.pdf((frame["loss"].to_numpy() - mean) / spread, 4) / spread
    assert found["rows"]["lpd"] == pytest.approx(np.log(density.mean(axis=0)))
    assert found["joint_lpd"] == pytest.approx(np.log(density.prod(axis=1).mean()))


def test_runs_of_both_kinds_and_teachers_by_size_are_scored(scattered):
    frame = left_out(scattered, 3).assign(teacher_params=np.nan, teacher_tokens=np.nan)
    frame.loc[101, ["teacher_loss"]] = np.nan
    frame.loc[102, ["teacher_loss", "teacher_params", "teacher_tokens"]] = np.nan, 7e9, 1.4e11
    rows = score(scattered, frame, levels=LEVELS)["rows"]
    teacher = scattered.supervised_loss(np.array([7e9]), np.array([1.4e11]))
    by_size = scattered.distilled_loss(
        frame["params"].to_numpy()[2:], frame["tokens"].to_numpy()[2:], teacher
    )
    alone = scattered.supervised_loss(
        frame["params"].to_numpy()[1:2], frame["tokens"].to_numpy()[1:2]
    )
    assert rows["mean"][1:] == pytest.approx([alone.mean(), by_size.mean()])


@pytest.fixture(scope="module")
def labelled(chinchilla) -> Runs:
    """A supervised sweep with two labels; runs without one are always fitted."""
    frame = chinchilla.runs.frame
    group = pd.Series(None, index=frame.index, dtype=object)
    group[frame["params"].between(3e8, 4e8)] = "small"
    group[frame["params"].between(2e9, 3e9)] = "large"
    return replace(chinchilla.runs, frame=frame.assign(group=group))


@pytest.fixture(scope="module")
def checked(labelled, tmp_path_factory):
    """Both labels left out in turn, and the folder that keeps the refits."""
    folder = tmp_path_factory.mktemp("refits")
    return validate(labelled, "supervised-plain", leave_out="group", resume=folder, **SHORT), folder


def test_each_left_out_run_is_judged_once_by_a_fit_without_it(checked, labelled):
    result, _ = checked
    frame = labelled.frame
    assert sorted(result.rows["row"]) == sorted(frame.index[frame["group"].notna()])
    assert result.table["group"].tolist() == ["large", "small", "overall"]
    overall = result.table.iloc[-1]
    assert overall["runs"] == frame["group"].notna().sum()
    assert (result.table["fitted"] + result.table["runs"])[:2].tolist() == [len(frame)] * 2
    # the law is the truth here: forecasts are good, and bands are neither nought nor huge
    assert overall["mae"] < 0.02
    assert 0.7 < overall["coverage_90"] <= 1
    assert overall["joint_lpd"] == pytest.approx(result.table["joint_lpd"][:2].sum())
    assert len(result.pairs) == 0
    assert result.to_json()["gap_risk"] is None


def test_a_second_call_takes_up_what_is_there(checked, labelled):
    result, folder = checked
    assert len(list(folder.iterdir())) == 2
    seen = []
    again = validate(
        labelled,
        "supervised-plain",
        leave_out="group",
        resume=folder,
        progress=lambda *told: seen.append(told),
        **SHORT,
    )
    assert seen == [("refits", 2, 2)]
    pd.testing.assert_frame_equal(again.table, result.table)


def test_json_is_plain_and_holds_groups_and_rows(checked):
    result, _ = checked
    told = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert [g["runs"] for g in told["groups"]] == result.table["runs"][:2].tolist()
    assert told["overall"]["coverage"].keys() == {"50", "80", "90", "95"}
    assert told["settings"] == SHORT | {"seed": 0}
    row = told["rows"][0]
    assert row["predictive"]["90"]["lower"] < row["mean"] < row["predictive"]["90"]["upper"]


def test_json_of_the_gap_risk(scattered):
    told = json.loads(json.dumps(collected(scattered, left_out(scattered)).to_json()))["gap_risk"]
    assert told["pairs"] > 100
    bins = told["predictive"]["reliability"]
    assert sum(b["pairs"] for b in bins) == told["pairs"]
    assert bins[0]["lower"] == 0
    assert bins[-1]["upper"] == 1


def test_a_doubtful_refit_is_told_and_is_the_verdict(scattered):
    good = {
        "group": "1B",
        "fitted": 9,
        "verdict": "pass",
        "rhat_max": 1.0,
        **score(scattered, left_out(scattered, 20), levels=LEVELS),
    }
    result = collect(
        [
            good,
            {**good, "group": "2B", "verdict": "fail"},
            {**good, "group": "3B", "verdict": "review"},
        ],
        leave_out="params",
        model="x",
        levels=LEVELS,
        interval=0.8,
        settings={},
        notes=["odd"],
    )
    assert result.verdict == "fail"
    assert result.notes[:3] == (
        "odd",
        "the fit without 2B failed its checks: its figures may be off",
        "the fit without 3B asks for review: its figures may be off",
    )
    assert replace(result, table=result.table.assign(verdict="pass")).verdict == "pass"
    wide = (result.rows["new_run_upper_80"] - result.rows["new_run_lower_80"]).mean()
    assert result.table["width"].iloc[-1] == wide


def test_every_fault_is_named_before_anything_is_fitted(chinchilla):
    with pytest.raises(InputError) as caught:
        validate(
            chinchilla.runs,
            "nonesuch",
            leave_out="group",
            chains=1,
            interval=2.0,
            workers=0,
            student_apart=-1.0,
        )
    text = str(caught.value)
    for part in (
        "interval: 2",
        "student_apart: -1",
        "`chains` is 1",
        "workers: 0",
        "nonesuch",
        "no column group",
    ):
        assert part in text


def test_a_refit_that_would_have_too_few_runs_is_refused_beforehand(chinchilla):
    few = chinchilla.runs.where("row < 8")
    with pytest.raises(InputError, match=r"without .*: .* usable runs"):
        validate(few, "supervised-plain", leave_out="params", min_runs=1)
