"""Runs from an MLflow tracking store, made with MLflow itself."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest

from bayes_distill.cli.main import run
from bayes_distill.errors import InputError
from bayes_distill.runs import check, read_runs

LOGGED = ("finished", "running", "failed", "killed", "no loss", "diverged", "repeated", "bits")


@pytest.fixture(scope="module")
def database(mlflow_store: Path) -> Path:
    return mlflow_store


MAPPING = {
    "columns": {
        "params": "param:model.n_params",
        "tokens": {"from": "tokens_seen", "scale": 1e9},
        "loss": "metric:val/loss",
        "group": "tag:purpose",
    }
}


def mapped(**changes):
    return {**MAPPING, "columns": {**MAPPING["columns"], **changes}}


def test_finished_runs_are_read_and_the_others_skipped_with_a_reason(database):
    runs = read_runs(f"mlflow:sqlite:///{database}#sweep", mapping=MAPPING)
    assert runs.frame.index.tolist() == [1, 2, 3, 10, 11]
    np.testing.assert_allclose(runs.frame["params"], [2e8, 4e8, 8e8, 1e8, 3e8])
    np.testing.assert_allclose(runs.frame["tokens"], 20 * runs.frame["params"])
    np.testing.assert_allclose(runs.frame["loss"], [3.0, 2.9, 2.8, 2.99, 2.85])
    assert runs.frame["run"].tolist() == ["s1", "s2", "s3", "s0", "s0"]
    assert runs.frame["group"].tolist() == ["scaling"] * 3 + ["again", "debug"]
    assert [(s.row, s.run, s.reason) for s in runs.skipped] == [
        (0, "s0", "a newer run has its name, sizes and tokens (row 10)"),
        (4, "going", "its state is running, not finished"),
        (5, "broke", "its state is failed, not finished"),
        (6, "ended", "its state is killed, not finished"),
        (7, "empty", "it has no metric:val/loss"),
        (8, "burst", "metric:val/loss is NaN"),
        (9, "flown", "metric:val/loss is inf"),
    ]
    assert any("5 used, 7 skipped: " in note for note in runs.notes)


def test_smallest_value_of_a_metric_and_every_duplicate(database):
    plan = mapped(loss={"from": "metric:val/loss", "value": "min"})
    plan["keep"] = {"duplicates": "all", "states": ["FINISHED", "Failed"]}
    runs = read_runs(f"mlflow:sqlite:///{database}?experiment=sweep", mapping=plan)
    found = dict(zip(runs.frame.index, runs.frame["loss"], strict=True))
    # what diverged in the end had finite losses before; what logged none is still skipped
    assert found == pytest.approx(
        {0: 3.0, 1: 2.9, 2: 2.8, 3: 2.7, 5: 4.0, 8: 2.5, 9: 2.5, 10: 2.99, 11: 2.85}
    )
    assert check(f"mlflow:sqlite:///{database}#sweep", mapping=plan).columns["loss"] == (
        "min of metric:val/loss"
    )


def test_names_are_multiplied_and_a_constant_is_the_same_for_all(database):
    plan = mapped(tokens=["param:batch_tokens", "metric:steps"], teacher_loss=2.2)
    plan["keep"] = {"where": {"tag:purpose": ["scaling", "again"]}}
    report = check(f"mlflow:sqlite:///{database}#sweep", mapping=plan)
    assert report.columns == {
        "params": "param:model.n_params",
        "tokens": "param:batch_tokens * metric:steps",
        "loss": "metric:val/loss",
        "teacher_loss": "constant 2.2",
        "run": "run name",
        "group": "tag:purpose",
    }
    runs = read_runs(f"mlflow:sqlite:///{database}#sweep", mapping=plan)
    np.testing.assert_allclose(runs.frame["tokens"], [4e9, 8e9, 1.6e10, 2e9])
    assert set(runs.frame["teacher_loss"]) == {2.2}
    assert "tag:purpose is debug, not scaling or again" in [s.reason for s in runs.skipped]


def test_aliases_find_what_a_mapping_leaves_out(database):
    source = f"mlflow:sqlite:///{database}#sweep"
    report = check(source, mapping={"columns": {"tokens": MAPPING["columns"]["tokens"]}})
    assert report.columns["params"] == "param:n_params"
    assert report.columns["loss"] == "metric:val/loss"
    assert report.faults == ()
    [fault] = check(source).faults  # nothing there means tokens
    assert fault.column == "tokens"
    assert "metric:tokens_seen" in fault.problem


def test_a_wrong_unit_is_a_fault_and_not_a_reason_to_skip(database):
    report = check(f"mlflow:sqlite:///{database}", mapping=mapped(params="n_params"))
    assert [(f.row, f.column) for f in report.faults] == [(12, "param:n_params")]
    assert "7B" in report.faults[0].problem
    assert report.rows == 13
    assert report.notes[0] == "Read from MLflow: 'sweep' (12 runs), 'other' (1 run)."


def test_every_wrong_name_is_told_at_once(database):
    plan = mapped(params="param:model.n_parms", loss={"from": "val_loss", "value": "min"})
    plan["keep"] = {"where": {"tag:porpoise": "scaling"}, "states": "dun"}
    with pytest.raises(InputError) as caught:
        read_runs(f"mlflow:sqlite:///{database}#sweep", mapping=plan)
    assert [f.column for f in caught.value.faults] == [
        "columns.params",
        "columns.loss",
        "keep.where.tag:porpoise",
        "keep.states",
    ]
    assert "did you mean param:model.n_params" in caught.value.faults[0].problem
    assert "tag:purpose" in caught.value.faults[2].problem


def test_no_usable_run_is_a_fault_that_says_why(database):
    plan = {**mapped(), "keep": {"where": {"tag:purpose": "production"}}}
    report = check(f"mlflow:sqlite:///{database}#sweep", mapping=plan)
    assert len(report.skipped) == 12
    [fault] = report.faults
    assert "none of the 12 runs can be used" in fault.problem
    assert "tag:purpose is scaling, not production" in fault.problem


def test_the_store_and_the_folder_are_left_as_they_are(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    read_runs(f"mlflow:sqlite:///{database}#sweep", mapping=MAPPING)
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    assert [p.name for p in database.parent.iterdir()] == [database.name]
    assert list(tmp_path.iterdir()) == []


def test_a_relative_address(database, monkeypatch):
    monkeypatch.chdir(database.parent)
    assert len(read_runs("mlflow:sqlite:///mlflow.db#sweep", mapping=MAPPING)) == 5


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("{}#swept", "has no experiment 'swept': it has 'Default', 'other', 'sweep', 'unused'"),
        ("{}#unused", "holds no runs in its experiments 'unused'"),
        ("{}.gone", "there is no file"),
    ],
)
def test_what_is_not_there(database, address, message):
    with pytest.raises(InputError, match=message):
        read_runs(f"mlflow:sqlite:///{address.format(database)}", mapping=MAPPING)


def test_a_forgotten_slash_is_pointed_out(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = str(database).lstrip("/")
    with pytest.raises(InputError, match=f"fourth slash: sqlite:///{database}"):
        read_runs(f"mlflow:sqlite:///{relative}")


def test_other_files_and_addresses_are_refused_and_left_alone(tmp_path):
    text, base = tmp_path / "a.db", tmp_path / "b.db"
    text.write_text("no database, but long enough to be looked at" * 9)
    with sqlite3.connect(base) as connection:
        connection.execute("create table other (x)")
    connection.close()
    for path, message in ((text, "not a database"), (base, "no MLflow store")):
        before = path.read_bytes()
        with pytest.raises(InputError, match=message):
            read_runs(f"mlflow:sqlite:///{path}")
        assert path.read_bytes() == before
    with pytest.raises(InputError, match="names no MLflow store"):
        read_runs("mlflow:mlflow.db")


def test_a_store_of_another_version_of_mlflow(database, tmp_path):
    other = tmp_path / "other.db"
    other.write_bytes(database.read_bytes())
    with sqlite3.connect(other) as connection:
        connection.execute("update alembic_version set version_num = '0'")
    connection.close()
    with pytest.raises(InputError, match="another version of MLflow"):
        read_runs(f"mlflow:sqlite:///{other}")


@pytest.mark.parametrize("missing", ["mlflow", "alembic", "sqlalchemy"])
def test_without_mlflow_the_error_says_how_to_get_it(database, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=r'pip install "bayes-distill\[mlflow\]"'):
        read_runs(f"mlflow:sqlite:///{database}")


def test_check_and_fit_take_the_mapping_as_a_file(database, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("m.toml").write_text(
        '[columns]\nparams = "param:model.n_params"\nloss = "val/loss"\n'
        'tokens = { from = "metric:tokens_seen", scale = 1e9 }\n'
    )
    source = f"mlflow:sqlite:///{database}#sweep"
    assert run(["check", source, "--mapping", "m.toml", "--json"]) == 0
    answer = capsys.readouterr()
    assert answer.err == ""
    found = json.loads(answer.out)
    assert (found["rows"], found["kind"]) == (12, "supervised")
    assert found["columns"]["tokens"] == "metric:tokens_seen * 1e+09"
    assert found["skipped"][1] == {
        "row": 4,
        "run": "going",
        "reason": "its state is running, not finished",
    }
    assert run(["check", source, "--mapping", "m.toml"]) == 0
    text = capsys.readouterr().out
    assert "supervised runs, 5 used, 7 skipped, no faults" in text
    assert "skipped: row 4 (going): its state is running" in text
    small = ["--mapping", "m.toml", "--model", "supervised-plain", "--out", "fit.nc"]
    assert run(["fit", source, *small]) == 2  # five are too few
    assert "has 5 usable runs" in capsys.readouterr().err
    assert run(["fit", source, "--mapping", "gone.toml", "--out", "fit.nc"]) == 2
    assert "error: --mapping: there is no file gone.toml" in capsys.readouterr().err
