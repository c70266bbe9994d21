"""`--log-to`: copies of fits, answers and reports as artefacts of an MLflow run."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

import bayes_distill as bd
from bayes_distill.runs.trackers.artefacts import TrackedRun

STUDENT = ("--params", "1B", "--tokens", "20B", "--teacher-loss", "2.1")


@pytest.fixture
def address(mlflow_store, workplace):
    """A run in a copy of the store, whose artefacts go to the working directory."""
    shutil.copy(mlflow_store, "mlflow.db")
    artefacts = str(Path("artefacts").resolve())
    with sqlite3.connect("mlflow.db") as store:
        (run,) = store.execute("select run_uuid from runs where name = 's1'").fetchone()
        store.execute("update runs set artifact_uri = ?", (artefacts,))
    store.close()
    return f"mlflow:sqlite:///mlflow.db#{run}"


def test_an_answer_and_files_are_logged(address, command, scattered_file, scattered, workplace):
    answer = command("forecast", scattered_file, *STUDENT, "--json", "--log-to", address)
    assert answer.status == 0
    assert "logged to the run" in answer.err
    folder = workplace / "artefacts" / "bayes-distill"
    assert json.loads((folder / "forecast.json").read_text()) == answer.json
    assert bd.log_to(address, scattered) == "bayes-distill/fit.nc"
    assert bd.load_posterior(folder / "fit.nc").fingerprint == scattered.fingerprint
    page = workplace / "page.html"
    page.write_text("<p>")
    TrackedRun.of(address).log_file(page, "report.html")
    assert (folder / "report.html").read_text() == "<p>"


def test_what_is_no_run_is_told_before_anything_is_computed(
    address, command, scattered_file, monkeypatch
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = address.partition("#")[0]
    for wrong, problem in (
        ("mlflow:abc", "names no store, and MLFLOW_TRACKING_URI is not set"),
        (f"{store}#none", "Run with id=none not found"),
        ("mlflow:sqlite:///no.db#x", "there is no file no.db"),
        ("here", "'here' is no run: write mlflow:RUN_ID"),
    ):
        answer = command("forecast", scattered_file, *STUDENT, "--params", "x", "--log-to", wrong)
        answer.check_refused("--log-to: ")
        assert problem in answer.error
        assert "--params" in answer.error


def test_a_store_of_the_environment_is_taken(address, monkeypatch):
    store, _, run = address.removeprefix("mlflow:").partition("#")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    assert TrackedRun.of(f"mlflow:{run}") == TrackedRun(store, run)


def test_a_server_that_does_not_answer_is_one_line(command, scattered_file, workplace):
    pytest.importorskip("mlflow")
    answer = command(
        "forecast", scattered_file, *STUDENT, "--log-to", "mlflow:http://127.0.0.1:9#x"
    )
    answer.check_refused("--log-to: no tracking server answers at http://127.0.0.1:9")
