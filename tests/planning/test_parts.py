"""Parts of a plan: the result is the same wherever they are computed, and in how many goes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from bayes_distill import plan
from bayes_distill.compute import Architecture, PlainCount, Scenario
from bayes_distill.errors import InputError
from bayes_distill.planning import parts
from bayes_distill.planning.criteria import criterion_named
from bayes_distill.planning.draw_counts import DrawCounts
from bayes_distill.planning.plain_data import (
    pack,
    posterior_as_text,
    posterior_of_text,
    setting_as_plain,
    setting_of_plain,
    unpack,
)
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.limits import Limits
from clusters import local_cluster

BOTH = "teacher-pretraining-and-inference"
GRID = {
    "params": "1B,3B",
    "budget": "1e10,1e21,1e22",
    "scenario": f"supervised,{BOTH}",
    "target_loss": 2.3,
    "draws": 24,
}
PARTS = 4 + 2 + 4  # rows, crossovers, targets


@pytest.fixture(scope="module")
def here(posterior):
    return plan(posterior, **GRID)


def same(found, expected):
    assert found.to_json() == expected.to_json()
    for name in expected.draws:
        np.testing.assert_array_equal(found.samples[name], expected.samples[name])
    assert found.draws.equals(expected.draws)


def test_two_processes_give_what_one_does(posterior, here):
    same(plan(posterior, **GRID, workers=2), here)


def test_a_cluster_gives_what_one_process_does(posterior, here):
    with local_cluster(1) as cluster:
        same(plan(posterior, **GRID, scheduler=cluster), here)


def test_a_plan_that_was_interrupted_goes_on(posterior, here, tmp_path):
    told = []

    def stop_half_way(phase, done, total):
        told.append((phase, done, total))
        if done == PARTS // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan(posterior, **GRID, resume=tmp_path, progress=stop_half_way)
    assert told == [("planning", done, PARTS) for done in range(PARTS // 2 + 1)]
    stored = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert len(stored) == PARTS // 2
    seen = []
    again = plan(posterior, **GRID, resume=tmp_path, progress=lambda *now: seen.append(now[1]))
    same(again, here)
    assert seen[0] == PARTS // 2  # what was done is not done again
    assert {file: file.stat().st_mtime_ns for file in stored} == stored
    assert len(list(tmp_path.iterdir())) == PARTS


@pytest.mark.slow
def test_a_plan_that_was_killed_goes_on(tmp_path, posterior):
    file, store = posterior.save(tmp_path / "fit.nc"), tmp_path / "parts"
    budgets = ",".join(f"{c:.6g}" for c in np.geomspace(1e20, 1e24, 70))
    call = [sys.executable, "-m", "bayes_distill", "plan", str(file), "--params", "1B,3B"]
    call += ["--budget", budgets, "--scenario", BOTH, "--no-crossovers", "--draws", "64"]
    call += ["--resume", str(store), "--json"]
    running = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (store.exists() and any(store.glob("plan_part-*.json"))):
        assert time.monotonic() < until
        assert running.poll() is None
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    first = set(store.glob("plan_part-*.json"))
    assert 1 <= len(first) < 6
    again = subprocess.run(call, capture_output=True, text=True, check=True)
    assert len(set(store.glob("plan_part-*.json"))) == 6
    whole = plan(
        file, "1B,3B", budgets, scenario=BOTH, crossovers=False, draws=64, allow_failed=True
    )
    assert json.loads(again.stdout) == json.loads(json.dumps(whole.to_json()))


def test_progress_counts_parts(posterior):
    told = []
    plan(posterior, **GRID, progress=lambda *now: told.append(now))
    assert told == [("planning", done, PARTS) for done in range(PARTS + 1)]


def test_a_part_holds_so_many_budgets(posterior, monkeypatch):
    asked = {"scenario": BOTH, "crossovers": False, "teacher_range": False, "draws": 8}
    budgets = np.geomspace(1e20, 1e24, 7)
    whole = plan(posterior, 1e9, budgets, **asked)
    monkeypatch.setattr(parts, "BUDGETS", 3)
    told = []
    cut = plan(posterior, 1e9, budgets, **asked, progress=lambda *now: told.append(now[1:]))
    assert told[-1] == (3, 3)
    np.testing.assert_allclose(cut.table["loss_mean"], whole.table["loss_mean"], rtol=1e-9)
    # noise of new runs is drawn for the student, not for the part
    spread = [found.table["new_run_upper"] - found.table["loss_upper"] for found in (cut, whole)]
    np.testing.assert_allclose(*spread, atol=1e-6)


def test_what_cannot_travel_is_refused_with_all_its_names(posterior, tmp_path):
    class Mine:
        def forward_flops(self, params):
            return 2.5 * params

    own = {"criterion": lambda losses: float(losses.max()), "flops": Mine()}
    asked = {"params": "1B", "budget": "1e22", "scenario": "supervised", "crossovers": False}
    for place in ({"workers": 2}, {"scheduler": "tcp://127.0.0.1:1"}, {"resume": tmp_path / "x"}):
        with pytest.raises(InputError) as caught:
            plan(posterior, **asked, **own, **place)
        assert [f.column for f in caught.value.faults] == ["criterion", "flops"]
    assert not (tmp_path / "x").exists()
    found = plan(posterior, **asked, **own, workers=1)
    assert found.table["recipe_student_tokens"].item() == pytest.approx(1e22 / 7.5e9)


def test_places_that_cannot_be_are_named_with_the_other_faults(posterior):
    with pytest.raises(InputError) as caught:
        plan(posterior, "7", "1e22", workers=0, scheduler="tcp://127.0.0.1:1")
    assert [f.column for f in caught.value.faults] == ["params", "workers", "workers"]


def test_arrays_come_back_bit_for_bit():
    content = {
        "a": np.array([[0.1, np.nan], [-np.inf, 5e-324]]),
        "b": np.array([True, False]),
        "c": np.arange(3),
        "empty": np.empty((0, 2)),
        "text": np.array(["x", "y"]),
        "number": np.float64(0.1),
        "list": [np.arange(2.0), {"d": (1, None)}],
    }
    plain = json.loads(json.dumps(pack(content), allow_nan=False))
    found = unpack(plain)
    for name in ("a", "b", "c", "empty"):
        np.testing.assert_array_equal(found[name], content[name])
        assert found[name].dtype == content[name].dtype
    assert found["text"].tolist() == ["x", "y"]
    assert found["number"] == 0.1
    np.testing.assert_array_equal(found["list"][0], np.arange(2.0))
    assert found["list"][1] == {"d": [1, None]}


@pytest.mark.parametrize("name", ["busbridge2025", "hoffmann2022", "busbridge2025-table6"])
def test_a_posterior_as_text_is_the_same_posterior(name):
    from bayes_distill import load_posterior

    posterior = load_posterior(name).thin(50)
    found = posterior_of_text(posterior_as_text(posterior))
    params, tokens = np.array([1e9, 3e8]), np.array([1e11, 1e10])
    np.testing.assert_array_equal(
        found.supervised_loss(params, tokens), posterior.supervised_loss(params, tokens)
    )
    for key, values in posterior.student(1e9).items():
        np.testing.assert_array_equal(found.student(1e9)[key], values)
    assert found.hull == posterior.hull
    assert found.card == posterior.card
    if posterior.law.has_teacher:
        np.testing.assert_array_equal(
            found.distilled_loss(params, tokens, np.array([2.0, 2.2])),
            posterior.distilled_loss(params, tokens, np.array([2.0, 2.2])),
        )


@pytest.mark.parametrize("flops", [Architecture(context_length=2048), PlainCount()])
def test_a_setting_as_plain_data_is_the_same_setting(posterior, flops):
    setting = Setting(
        posterior,
        1e9,
        Scenario("shared", teacher_share=0.25, logits_share=1.0),
        Limits(max_tokens=1e12, teacher_sizes=(1e9, 3e9)),
        flops,
        criterion_named("cvar:0.9"),
        1e12,
        DrawCounts(plan=40, crossover=10),
    )
    plain = json.loads(json.dumps(setting_as_plain(setting), allow_nan=False))
    found = setting_of_plain(plain, posterior)
    for name in ("params", "scenario", "limits", "flops", "served_tokens", "draw_counts"):
        assert getattr(found, name) == getattr(setting, name)
    losses = np.random.default_rng(0).gamma(2.0, 0.1, (50, 3))
    np.testing.assert_array_equal(found.criterion(losses), setting.criterion(losses))


def test_a_chosen_size_is_chosen_in_its_part(posterior):
    asked = {"budget": "1e21,1e22", "scenario": "supervised", "served_tokens": 1e11, "draws": 8}
    one, two = (plan(posterior, **asked, workers=n) for n in (None, 2))
    same(two, one)
    pd.testing.assert_frame_equal(one.table, two.table)
