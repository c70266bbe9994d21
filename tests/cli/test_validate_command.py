"""``validate`` from the command line; the refits themselves are tested beside the function."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes_distill.validation.refit import score

SIZES = (5e8, 1e9)


@pytest.fixture
def runs(scattered, workplace) -> pd.DataFrame:
    """Forty runs of two sizes, measured as one of the posterior's draws says."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "params": np.repeat(SIZES, 20),
            "tokens": 2e10,
            "teacher_loss": np.tile(np.linspace(1.9, 2.7, 20), 2),
        }
    )
    mean = scattered.distilled_loss(*frame.to_numpy(float).T)
    frame["loss"] = scattered.new_run(mean, np.ones(40, bool), generator)[11]
    frame.to_csv("runs.csv", index=False)
    return frame


@pytest.fixture
def asked(scattered, monkeypatch) -> list[dict[str, Any]]:
    """The refits that a call asks for; the same posterior answers each, and seed 9 fails."""
    found: list[dict[str, Any]] = []

    def answer(function, tasks, **places):
        results = []
        for task in tasks:
            frame = pd.DataFrame(task["columns"], index=pd.Index(task["rows"], name="row"))
            results.append(
                {
                    "group": task["group"],
                    "fitted": 20,
                    "verdict": "pass" if task["settings"]["seed"] < 9 else "fail",
                    "rhat_max": 1.001,
                    **score(scattered, frame[task["held"]], **task["scoring"]),
                }
            )
            found.append({**task, **places})
        return results

    monkeypatch.setattr("bayes_distill.validation.leave_out.map_tasks", answer)
    return found


def test_json_and_the_same_in_a_file(command, runs, asked, workplace):
    options = (
        "--model busbridge2025-plain --chains 2 --warmup 150 --draws 60 --seed 4 --interval 0.8 "
        "--resume kept --out v.json --json"
    )
    answer = command("validate", "runs.csv", *options.split())
    assert answer.status == 0
    told = answer.json
    assert json.loads((workplace / "v.json").read_text()) == told
    assert [group["group"] for group in told["groups"]] == ["500M", "1B"]
    assert told["overall"]["runs"] == 40
    assert told["interval"] == 0.8
    assert told["gap_risk"]["predictive"]["brier"] < told["gap_risk"]["brier_base_rate"]
    settings = {"chains": 2, "warmup": 150, "draws": 60, "seed": 4}
    assert asked[0]["settings"] == settings == told["settings"]
    assert asked[0]["store"] == "kept"


def test_tables_for_people(command, runs, asked):
    answer = command("validate", "runs.csv", "--groups", "1B")
    assert answer.status == 0
    assert "in 90%" in answer.out
    assert "overall" in answer.out
    assert "500M" not in answer.out
    assert "Brier score" in answer.out
    assert [task["group"] for task in asked] == ["1B"]


def test_a_failed_refit_is_told_and_gives_status_three(command, runs, asked):
    answer = command("validate", "runs.csv", "--json", "--seed", "9")
    assert answer.status == 3
    assert answer.json["verdict"] == "fail"
    assert "the fit without 1B failed its checks" in answer.err


def test_the_tail(command, runs, asked):
    edge = runs["loss"].quantile(0.2).round(4)
    answer = command(
        "validate", "runs.csv", "--leave-out", "tail", "--tail", f"loss > {edge}", "--json", "-q"
    )
    assert answer.json["groups"][0]["group"] == f"all but loss > {edge}"
    assert answer.json["overall"]["runs"] == (runs["loss"] <= edge).sum()
    assert answer.err == ""


def test_every_bad_flag_is_named_at_once_and_nothing_is_fitted(command, runs, asked, workplace):
    answer = command(
        "validate",
        "runs.csv",
        "--leave-out",
        "params",
        "--groups",
        "2B",
        "--tail",
        "loss > 2",
        "--chains",
        "1",
        "--draws",
        "many",
        "--workers",
        "0",
        "--scheduler",
        "tcp://nowhere:1",
        "--student-apart",
        "x",
        "--teacher-apart",
        "-1",
        "--out",
        "no/v.json",
        "--interval",
        "90",
        "--model",
        "nonesuch",
        "--resume",
        "kept",
    )
    answer.check_refused(
        "--groups: there is no '2B' among 500M: 20, 1B: 20",
        "--tail: goes with --leave-out tail",
        "--chains is 1",
        "--draws: 'many'",
        "--workers: 0 is less than 1",
        "--workers: give either",
        "--student-apart: 'x'",
        "--teacher-apart: -1",
        "--out: the folder no",
        "--interval: 90",
        "nonesuch",
    )
    assert asked == []
    assert not (workplace / "kept").exists()
