"""What is built to be installed holds the models, and answers from them on its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("busbridge2025", "busbridge2025-plain", "hoffmann2022")
STUDENT = ("--params", "1B", "--tokens", "100B", "--teacher-loss", "2.0")
PLAN = ("--params", "1B", "--budget", "1e22", "--scenario", "best-case", "--draws", "50")


def build(target: str, folder: Path) -> Path:
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as an installation has it."""
    folder = tmp_path_factory.mktemp("wheel")
    unpacked = folder / "site"
    with zipfile.ZipFile(build("wheel", folder / "dist")) as wheel:
        wheel.extractall(unpacked)
    return unpacked


@pytest.mark.slow
def test_the_wheel_holds_every_card_with_its_posterior_and_page(site):
    models = site / "bayes_distill" / "_models"
    here = {p.relative_to(ROOT / "models") for p in (ROOT / "models").rglob("*") if p.is_file()}
    there = {path.relative_to(models) for path in models.rglob("*") if path.is_file()}
    assert there == here
    for name in SHIPPED:
        for part in ("card.toml", "posterior.nc", "CARD.md"):
            same = (ROOT / "models" / name / part).read_bytes()
            assert (models / name / part).read_bytes() == same


@pytest.mark.slow
def test_the_source_distribution_holds_them_too(tmp_path):
    with tarfile.open(build("sdist", tmp_path / "dist")) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    for name in SHIPPED:
        assert {f"models/{name}/{p}" for p in ("card.toml", "posterior.nc", "CARD.md")} <= names


@pytest.mark.slow
def test_it_answers_outside_the_checkout(site, tmp_path):
    def ask(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "bayes_distill", *arguments, "--json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    ready = {model["name"] for model in ask("models", "list")["models"] if model["posterior"]}
    assert ready >= {*SHIPPED, "busbridge2025-table6"}
    where = ask("models", "show", "busbridge2025")["posterior"]
    assert Path(where).is_relative_to(site)
    (row,) = ask("forecast", "busbridge2025", *STUDENT)["rows"]
    assert row["predictive"]["lower"] < row["credible"]["lower"] < row["mean"] < 2.4
    (risk,) = ask("risk", "busbridge2025", *STUDENT)["rows"]
    assert 0 <= risk["p_stronger_teacher_hurts"] <= 1
    (plan,) = ask("plan", "busbridge2025", *PLAN)["rows"]
    assert plan["loss"]["lower"] < plan["loss"]["mean"] < plan["loss"]["upper"]
