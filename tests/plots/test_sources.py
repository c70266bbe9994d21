"""Plots of checks, and of files that other commands wrote."""

from __future__ import annotations

import json
import re

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

import bayes_distill as bd
from bayes_distill.errors import InputError
from bayes_distill.plots import PLOTS
from bayes_distill.validation.read import read_validation
from studies import random_study

OF_RUNS = (
    "prior-predictive",
    "posterior-predictive",
    "predictive-quantities",
    "loo-pit",
    "power-scaling",
    "prior-against-posterior",
)
GIVEN = {"next-run-map": {"coefficient": "beta"}, "power-scaling": {"params": "1B", "tokens": "9B"}}


@pytest.fixture
def study_file(tmp_path):
    return random_study().save(tmp_path / "calibration.json")


@pytest.mark.parametrize("kind", [*OF_RUNS, "next-run-map"])
def test_a_fit_with_runs_gives_a_figure_that_pyplot_does_not_keep(chinchilla, kind, tmp_path):
    out = tmp_path / "x.png"
    figure = bd.plot(kind, chinchilla.posterior, out=out, **GIVEN.get(kind, {}))
    assert isinstance(figure, Figure)
    assert any(ax.has_data() for ax in figure.axes)
    assert out.stat().st_size > 10_000
    assert plt.get_fignums() == []


@pytest.mark.parametrize("kind", OF_RUNS)
def test_a_posterior_without_runs_is_refused_with_the_way_out(kind, tmp_path):
    with pytest.raises(InputError, match=r'holds draws and no runs.*fit\("hoffmann2022"'):
        bd.plot(kind, "hoffmann2022", out=tmp_path / "x.png", **GIVEN.get(kind, {}))
    assert list(tmp_path.iterdir()) == []


def test_plots_of_runs_say_that_they_need_them():
    assert {name for name, entry in PLOTS.items() if "Needs runs." in entry.shows} == set(OF_RUNS)


def test_what_plots_show_is_said_without_flags_for_notebooks_too():
    said = {name: entry.shows for name, entry in PLOTS.items()}
    assert [name for name, shows in said.items() if "--" in shows or "FIT" in shows] == []


@pytest.mark.parametrize("kind", ["coverage", "reliability"])
def test_a_card_s_validation_and_its_file_give_the_same_picture(kind, tmp_path):
    result = read_validation("busbridge2025")
    written = tmp_path / "validation.json"
    gap_risk = json.loads(shipped().read_text(encoding="utf-8"))["gap_risk"]  # pairs do not ship
    written.write_text(json.dumps(result.to_json() | {"gap_risk": gap_risk}), encoding="utf-8")
    pictures = []
    for of in ("busbridge2025", str(written), result):
        out = tmp_path / f"{len(pictures)}.png"
        bd.plot(kind, of, out=out)
        pictures.append(out.read_bytes())
    assert len(set(pictures)) == 1


def shipped():
    from bayes_distill.cards.registry import models_folder

    return models_folder() / "busbridge2025" / "validation-params.json"


def test_a_validation_comes_back_as_it_was_written():
    content = json.loads(shipped().read_text(encoding="utf-8"))
    found = json.loads(json.dumps(read_validation("busbridge2025").to_json()))
    for part in ("groups", "overall", "levels", "interval", "settings", "notes", "verdict"):
        assert found[part] == content[part], part
    assert found["rows"] == content.get("rows", [])


def test_ranks_are_drawn_from_a_file_of_calibrate(study_file):
    figure = bd.plot("ranks", study_file)
    titles = " ".join(ax.get_title(loc="left") for ax in figure.axes)
    assert "c0  FAIL" in titles
    assert "level  FAIL" not in titles


@pytest.mark.parametrize(
    ("kind", "of", "says"),
    [
        ("coverage", "hoffmann2022", "ships without a validation: run `validate(RUNS, model"),
        ("reliability", "nothing.json", "does not exist, and is no card's name"),
        ("coverage", "calibration.json", "was not written by `validate(RUNS).save(FILE)`"),
        ("ranks", "validation.json", "was not written by `calibrate(CARD).save(FILE)`"),
        ("coverage", "broken.json", "cannot be read as JSON"),
        ("ranks", None, "posterior: is needed: a file written by `calibrate(CARD).save(FILE)`"),
    ],
)
def test_another_file_is_refused_by_name(kind, of, says, study_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    (tmp_path / "validation.json").write_bytes(shipped().read_bytes())
    with pytest.raises(InputError, match=re.escape(says)):
        bd.plot(kind, of, out="x.png")
    assert not (tmp_path / "x.png").exists()


def test_sources_are_what_their_commands_write():
    assert {k.name for k in PLOTS.values() if k.source == "validation"} == {
        "coverage",
        "coverage-by-factor",
        "reliability",
    }
    assert PLOTS["ranks"].source == "calibration"
    assert PLOTS["registered-forecasts"].source == "scores"
