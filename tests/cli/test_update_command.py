"""`update` on the command line: its JSON, and that the old file stays whole."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from bayes_distill.validation import update as module


@pytest.fixture
def old(workplace, chinchilla):
    shutil.copy(chinchilla.file, workplace / "fit.nc")
    (workplace / "more.csv").write_text("params,tokens,loss\n3e8,7e9,3.05\n2e9,5e10,2.3\n")
    return (workplace / "fit.nc").read_bytes()


@pytest.fixture
def fitted(monkeypatch, chinchilla):
    """Sampling that costs nothing: the fit of the earlier runs."""
    calls = []

    def fit(*arguments, **settings):
        calls.append(SimpleNamespace(arguments=arguments, settings=settings))
        return chinchilla.posterior

    monkeypatch.setattr(module, "fit", fit)
    return calls


def test_it_prints_what_fit_does_and_what_changed(command, workplace, old, fitted):
    answer = command("update", "fit.nc", "more.csv", "--out", "new.nc", "--json")
    assert answer.status == 0
    keys = {"fit", "model", "law", "runs", "seconds", "diagnostics", "coefficients"}
    assert set(answer.json) >= {*keys, "flagged_runs", "moved", "surprises"}
    assert set(answer.json["moved"][0]) >= {"name", "sd"}
    (call,) = fitted
    assert call.settings["begin_at"] is not None
    assert (call.settings["draws"], call.settings["warmup"]) == (500, 200)
    assert (workplace / "new.nc").is_file()
    assert (workplace / "fit.nc").read_bytes() == old
    printed = command("update", "fit.nc", "more.csv", "--out", "new.nc").out
    assert printed.startswith("2 new runs moved")


def test_a_killed_update_leaves_the_old_file(command, workplace, old, monkeypatch):
    def killed(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "fit", killed)
    answer = command("update", "fit.nc", "more.csv", "--out", "fit.nc", "--overwrite")
    assert answer.status == 130
    assert (workplace / "fit.nc").read_bytes() == old


def test_the_old_file_is_not_replaced_without_a_word(command, workplace, old, fitted):
    command("update", "fit.nc", "more.csv", "--out", "fit.nc").check_refused("--out: fit.nc is an")
    command("update", "fit.nc", "more.csv").check_refused("--out: is needed")
    command("update", "fit.nc", "none.csv", "--out", "new.nc", "--draws", "1").check_refused(
        "--draws: ", "none.csv"
    )
    assert fitted == []
    assert not (workplace / "new.nc").exists()
