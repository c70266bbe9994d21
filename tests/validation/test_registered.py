"""Registered forecasts: written by the questions, joined with runs, scored, verified."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import bayes_distill as bd
from bayes_distill.errors import InputError
from bayes_distill.validation.registered.from_quantiles import crps, ends, interval_score, pit
from bayes_distill.validation.scores import crps as crps_of_draws
from made_arms import made_up_arms
from posteriors import posterior_of_law

POINTS = {"params": "1B,3B", "tokens": "20B,90B", "teacher_loss": 2.1}
GRID = [(1e9, 2e10), (1e9, 9e10), (3e9, 2e10), (3e9, 9e10)]


@pytest.fixture(scope="module")
def written(tmp_path_factory, scattered):
    """A register with a forecast, a risk and a plan, and the forecast."""
    path = tmp_path_factory.mktemp("register") / "forecasts.jsonl"
    told = bd.forecast(scattered, **POINTS, register=path)
    bd.risk(scattered, params="1B", tokens="20B", teacher_loss=2.1, register=path)
    bd.plan(
        scattered,
        "1B",
        1e21,
        scenario="best-case,supervised",
        crossovers=False,
        draws=8,
        register=path,
    )
    return path.read_bytes(), told


@pytest.fixture
def asked(tmp_path, written):
    """The same in a file of its own, and the forecast."""
    path = tmp_path / "forecasts.jsonl"
    path.write_bytes(written[0])
    return path, written[1]


def came(told, shift=0.0, **columns):
    """Runs of every forecast, with losses at the median plus `shift` of their widths."""
    table = told.table
    width = table["new_run_upper"] - table["new_run_lower"]
    runs = table[["params", "tokens"]].assign(loss=table["new_run_median"] + shift * width)
    return runs.assign(teacher_loss=2.1, **columns)


def test_a_line_says_what_was_asked_of_which_fit(asked, scattered):
    path, told = asked
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["forecast", "risk", "plan"]
    first = lines[0]
    assert first["fit"]["fingerprint"] == scattered.fingerprint
    assert first["version"] == bd.__version__
    assert pd.Timestamp(first["time"]).utcoffset().total_seconds() == 0
    assert [(r["params"], r["tokens"]) for r in first["rows"]] == GRID
    table, middle = told.table, first["probabilities"].index(0.5)
    for row, r in zip(first["rows"], table.to_dict("records"), strict=True):
        assert row["quantiles"][middle] == pytest.approx(r["new_run_median"], rel=1e-6)
        lower, upper = ends(np.array(first["probabilities"]), np.array(row["quantiles"]), 0.9)
        assert (lower, upper) == pytest.approx((r["new_run_lower"], r["new_run_upper"]), rel=1e-6)
    assert 0 <= lines[1]["rows"][0]["p_stronger_teacher_hurts"] <= 1
    plan = lines[2]["rows"]
    assert [row["scenario"] for row in plan] == ["best-case", "supervised"]
    assert plan[0]["teacher_loss"] is not None
    assert plan[1]["teacher_loss"] is None
    assert bd.verify(path).intact


def test_the_fingerprint_is_that_of_the_file(scattered, tmp_path):
    loaded = bd.load_posterior(scattered.save(tmp_path / "fit.nc"))
    assert loaded.fingerprint == scattered.fingerprint != loaded.thin(10).fingerprint


def test_runs_are_scored_where_they_came(asked):
    path, told = asked
    runs = came(told).iloc[[0, 3]].reset_index(drop=True)
    runs.loc[1, "loss"] += 1.0
    found = bd.score(path, runs)
    content = found.to_json()
    assert content["scored"] == 3  # two of the forecast, one of the risk
    assert content["coverage"] == dict.fromkeys(("50", "80", "90", "95"), 2 / 3)
    assert [(r["line"], r["row"]) for r in content["rows"]] == [(0, 0), (0, 1), (1, 0)]
    far = content["rows"][1]
    assert far["pit"] == 1
    assert far["crps"] == pytest.approx(far["loss"] - far["median"], rel=0.05)
    assert far["interval_score"] > 19
    assert content["waiting"] == 4
    assert content["crps"] == pytest.approx(np.mean([r["crps"] for r in content["rows"]]))
    commands = {k["kind"]: k for k in content["kinds"] if k["question"] == "command"}
    assert commands["risk"]["coverage"]["90"] == 1
    assert commands["forecast"]["coverage"]["90"] == 0.5
    json.dumps(content, allow_nan=False)


def test_a_kind_of_question_that_fails_is_named(asked):
    path, told = asked
    found = bd.score(path, came(told, shift=3.0))
    assert found.failing == ("forecast", "distilled", *found.failing[2:])
    assert "risk" not in found.failing  # one run tells nothing
    assert bd.score(path, came(told)).failing == ()


def test_other_runs_are_not_joined(asked):
    path, told = asked
    good = came(told)
    others = [
        good.assign(params=good["params"] * 1.05),
        good.assign(tokens=good["tokens"] * 0.9),
        good.assign(teacher_loss=2.2),
        good.drop(columns="teacher_loss"),
    ]
    for runs in others:
        with pytest.raises(InputError, match="none of the 4 runs"):
            bd.score(path, runs)
    near = good.assign(params=good["params"] * 1.015)
    assert bd.score(path, near).scored == 5
    assert bd.score(path, near, where="params > 2e9").scored == 2
    with pytest.raises(InputError, match="none of the 4 runs"):
        bd.score(path, near, tolerance=0.01)


def test_runs_that_the_fit_had_are_no_news(tmp_path):
    fit = posterior_of_law("chinchilla")
    frame = fit.tree["runs"].dataset.to_dataframe().iloc[:3]
    path = tmp_path / "f.jsonl"
    bd.forecast(fit, at=frame[["params", "tokens"]], register=path)
    runs = frame[["params", "tokens", "loss"]].reset_index(drop=True)
    with pytest.raises(InputError, match="or their fits had it"):
        bd.score(path, runs)
    again = runs.assign(loss=runs["loss"] + 0.001)
    assert bd.score(path, again).scored >= 3


def test_scores_of_quantiles_are_those_of_draws():
    generator = np.random.default_rng(0)
    draws = 2 + 0.01 * generator.standard_normal(20_000)
    p = np.array([0.005, 0.01, *(i / 40 for i in range(1, 40)), 0.99, 0.995])
    q = np.quantile(draws, p)
    for loss in (1.97, 1.995, 2.0, 2.012, 2.05):
        expected = crps_of_draws(draws[:, None], np.array([loss]))[0]
        assert crps(p, q, loss) == pytest.approx(expected, rel=0.01, abs=2e-5)
        assert pit(p, q, loss) == pytest.approx((draws < loss).mean(), abs=0.006)
    assert interval_score(1.0, 2.0, 2.1, 0.9) == pytest.approx(1 + 20 * 0.1)


def test_a_changed_register_is_not_scored(asked):
    path, told = asked
    whole = path.read_bytes()
    head = bd.verify(path).head
    path.write_bytes(whole.replace(b'"kind": "risk"', b'"kind": "rusk"'))
    found = bd.verify(path)
    assert (found.lines, found.intact) == (3, False)
    assert list(found.table["line"]) == [1]
    with pytest.raises(InputError, match=r"line 1 of .* was changed"):
        bd.score(path, came(told))
    path.write_bytes(whole[:-9])
    assert not bd.verify(path).intact
    assert bd.verify(path, repair=True).intact
    assert bd.verify(path).to_json()["lines"] == 2
    assert not bd.verify(path, head=head).intact
    assert bd.score(path, came(told)).scored == 5


def test_lines_that_are_no_forecasts_are_refused(tmp_path):
    from bayes_distill._input.register import append_line

    path = tmp_path / "f.jsonl"
    good = {
        "kind": "forecast",
        "time": "2026-01-01T00:00:00+00:00",
        "fit": {"model": "m", "fingerprint": "f"},
        "probabilities": [0.1, 0.9],
        "rows": [{"params": 1e9, "tokens": 2e10, "mean": 2.0, "quantiles": [1.9, 2.1]}],
    }
    runs = pd.DataFrame({"params": [1e9], "tokens": [2e10], "loss": [2.0]})
    append_line(path, good)
    assert bd.score(path, runs).scored == 1
    rows = [{"params": 1e9, "tokens": 2e10, "mean": 2.0, "quantiles": [2.2, 2.1]}]
    for wrong in ({"rows": rows}, {"rows": 3}, {"time": "x"}, {"fit": []}, {"probabilities": [0]}):
        path.unlink()
        append_line(path, good | wrong)
        with pytest.raises(InputError, match=r"line 0 of .* is damaged"):
            bd.score(path, runs)


def test_scores_are_read_again_and_drawn(asked, tmp_path):
    path, told = asked
    found = bd.score(path, came(told))
    back = bd.read_scores(found.save(tmp_path / "scores.json"))
    assert json.loads(json.dumps(back.to_json())) == json.loads(json.dumps(found.to_json()))
    figure = bd.plot("registered-forecasts", tmp_path / "scores.json", out=tmp_path / "a.png")
    (ax,) = figure.axes
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["forecast (4)", "risk (1)", "share inside the 90% interval so far"]
    assert sum(len(line.get_xdata()) for line in ax.lines[:2]) == 5
    assert plt.get_fignums() == []
    with pytest.raises(InputError, match="cannot be read as JSON"):
        bd.plot("registered-forecasts", path)


def test_a_long_answer_is_refused_before_it_is_computed(tmp_path):
    points = pd.DataFrame({"params": np.geomspace(1e8, 1e9, 1001), "tokens": 2e10})
    with pytest.raises(InputError, match="1,000 rows at most"):
        bd.forecast("no.nc", at=points, register=tmp_path / "f.jsonl")
    with pytest.raises(InputError, match="register: the folder"):
        bd.forecast("no.nc", at=points.head(1), register=tmp_path / "none" / "f.jsonl")


def arms_came(**columns):
    sizes = {"params": [1e9] * 2, "tokens": [2e10] * 2}
    return pd.DataFrame({**sizes, "loss": [2.50, 2.47], "mix": ["code", "web"], **columns})


def test_arms_are_joined_by_their_name_and_which_is_better_is_scored(tmp_path):
    path = tmp_path / "f.jsonl"
    told = bd.arms(made_up_arms(), at="params=1B,tokens=20B", register=path)
    (line,) = map(json.loads, path.read_text().splitlines())
    assert [row["arm"] for row in line["rows"]] == ["code", "web"]
    found = bd.score(path, arms_came(), by="mix").to_json()
    assert [(r["arm"], r["row"]) for r in found["rows"]] == [("code", 0), ("web", 1)]
    (event,) = found["probabilities"]["rows"]
    assert event["probability"] == told.table["p_a_better"][0] == 0.75
    assert (event["happened"], event["brier"]) == (0.0, 0.75**2)
    assert event["difference"] == pytest.approx(-0.03)
    swapped = bd.score(path, arms_came(loss=[2.40, 2.47]), by="mix")
    assert swapped.to_json()["probabilities"]["brier"] == 0.25**2
    alone = bd.score(path, arms_came().head(1), by="mix")
    assert len(alone.probabilities) == 0
    assert any("1 probability that arm a is better cannot be" in note for note in alone.notes)
    for by, problem in ((None, "names no column of arms"), ("no", "no column no")):
        with pytest.raises(InputError, match=problem):
            bd.score(path, arms_came(), by=by)


def test_a_stronger_teacher_that_hurt_is_scored_by_two_students(asked, tmp_path):
    path, told = asked
    near = came(told).iloc[:1]
    (loss,) = near["loss"]
    others = pd.concat([near, near.assign(teacher_loss=1.9, loss=loss - 0.2)])
    rest = near.assign(teacher_loss=2.0, loss=loss + 0.1)  # the next stronger one: it hurt
    plain = near.assign(teacher_loss=np.nan, loss=loss + 0.05)
    runs = pd.concat([others, rest, plain], ignore_index=True)
    found = bd.score(path, runs)
    answer = json.loads(path.read_text().splitlines()[1])["rows"][0]
    events = found.probabilities.set_index(["kind", "event"])
    hurts = events.loc["risk", "p_stronger_teacher_hurts"]
    assert hurts["happened"] == 1
    assert hurts["difference"] == pytest.approx(0.1)
    assert hurts["brier"] == pytest.approx((answer["p_stronger_teacher_hurts"] - 1) ** 2)
    assert events.loc["forecast", "p_beats_supervised"]["happened"] == 1
    assert len(events) == 3
    back = bd.read_scores(found.save(tmp_path / "scores.json"))
    assert back.to_json()["probabilities"] == found.to_json()["probabilities"]
    few = bd.score(path, runs.head(1))
    assert len(few.probabilities) == 0
    assert any("that a stronger teacher hurts cannot be scored" in note for note in few.notes)
