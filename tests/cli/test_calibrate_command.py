"""``bayes-distill calibrate``: verdicts, files, and input that is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bayes_distill.calibration.result import read_calibration

PRIORS = {"floor": 0.6, "level": 0.3, "share": 0.5, "slope_params": 0.25, "slope_tokens": 0.25}
SHORT = ("--chains", "2", "--warmup", "200", "--draws", "150", "--sweeps", "10")


def write_card(path: Path, level: float = 0.3) -> Path:
    lines = [
        f'name = "{path.stem}"',
        'law = "chinchilla"',
        "[likelihood]",
        'scale = "relative"',
        'supervised_prior = {family = "lognormal", median = 0.05, sd = 0.3}',
    ]
    for name, median in (PRIORS | {"level": level}).items():
        family = "logitnormal" if name == "share" else "lognormal"
        lines += [f"[priors.{name}]", f'family = "{family}"', f"median = {median}", "sd = 0.1"]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{n:g},{d:g}" for n in (1e8, 3e8, 1e9) for d in (2e9, 1e10, 5e10)]
    Path("design.csv").write_text("\n".join(["params,tokens", *rows]) + "\n")
    write_card(Path("narrow.toml"))
    write_card(Path("shifted.toml"), 0.45)
    return tmp_path


def test_a_wrong_prior_gives_status_3_and_a_whole_file(command, files):
    common = ("narrow.toml", "--design", "design.csv", *SHORT, "--simulator", "shifted.toml")
    answer = command(
        "calibrate",
        *common,
        "--out",
        "study.json",
        "--plot",
        "ranks.png",
        "--resume",
        "kept",
        "--json",
    )
    assert answer.status == 3
    found = answer.json
    assert found["verdict"] == "fail"
    assert (found["model"], found["simulator"], found["sweeps"]) == ("narrow", "shifted", 10)
    assert found["design"] == "design.csv"
    assert len(found["quantities"]) == 11
    assert "level: the posterior lies too low" in answer.err
    assert Path("ranks.png").read_bytes().startswith(b"\x89PNG")
    study = read_calibration("study.json")
    assert study.verdict == "fail"
    assert len(study.fits) == 10
    assert len(list(Path("kept").iterdir())) == 10
    # as people read it, from what is kept
    shown = command("calibrate", *common, "--resume", "kept", "--quiet")
    assert shown.status == 3
    assert "Verdict: fail (narrow on design.csv, truths from shifted; 10 replicates" in shown.out
    assert "loss_beyond: loss of 10B on 500B tokens" in shown.out
    assert json.loads(Path("study.json").read_text())["notes"] == found["notes"]


def test_every_fault_is_named_and_nothing_is_written(command, files):
    before = sorted(files.iterdir())
    answer = command(
        "calibrate",
        "nothing.toml",
        "--sweeps",
        "many",
        "--draws",
        "3",
        "--workers",
        "0",
        "--simulator",
        "neither",
        "--out",
        "no/folder.json",
        "--seed",
        "-1",
        "--plot",
        "ranks.gif",
        "--json",
    )
    answer.check_refused(
        "nothing.toml",
        "--sweeps",
        "'many'",
        "--draws",
        "--workers",
        "neither",
        "--design",
        "no",
        "--seed",
        "--plot",
        "ranks.gif",
    )
    assert sorted(files.iterdir()) == before


def test_replicates_go_by_two_names_but_not_at_once(command, files):
    common = ("calibrate", "narrow.toml", "--design", "design.csv")
    for name in ("--replicates", "--sweeps"):
        answer = command(*common, name, "3")
        assert answer.status == 2
        assert f"{name}: 3 are too few" in answer.error
    both = command(*common, "--replicates", "10", "--sweeps", "10")
    assert both.status == 2
    assert "--sweeps: is the earlier name of replicates" in both.error
