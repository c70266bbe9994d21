"""Inputs that were once misread, where the folder with them is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bayes_distill.runs import check


@pytest.fixture(scope="module")
def cases() -> Path:
    """The folder ``cases`` beside the real tables."""
    data = os.environ.get("BAYES_DISTILL_DATA")
    folder = Path(data).parent / "cases" if data else None
    if folder is None or not folder.is_dir():
        pytest.skip("set BAYES_DISTILL_DATA to a folder with the folder cases beside it")
    return folder


@pytest.mark.parametrize(
    ("name", "used", "skipped", "faults", "note"),
    [
        ("05_mlflow_ui.csv", 14, 2, 0, "its state is failed"),
        ("run_state_plain.csv", 14, 2, 0, "its state is crashed"),
        ("two_corpora_plain.csv", 32, 0, 0, "differ by up to 55%"),
        ("two_corpora_plain.csv", 32, 0, 0, "is column `data` a factor?"),
        ("bare_M_B.csv", 16, 0, 2, None),
        ("wandb_api_project.csv", 16, 0, 0, None),
        ("teacher_name.csv", 16, 0, 0, "names teachers (7B)"),
        ("cerebras5.csv", 5, 0, 0, "5 runs are few"),
        ("ppl_low.csv", 16, 0, 0, "are they perplexities?"),
        ("utf16.csv", 16, 0, 0, None),
        ("strings.csv", 16, 0, 5, None),
        ("02_olmo_ladder.train.csv", 20, 0, 0, None),
        ("07_datablations_1epoch.train.csv", 28, 0, 0, None),
    ],
)
def test_what_is_said_of_each(cases, name, used, skipped, faults, note):
    report = check(cases / name)
    assert report.to_json()["used"] == used
    assert (len(report.skipped), len(report.faults)) == (skipped, faults)
    questions = [n for n in report.notes if "?" in n]
    if note is None:
        assert [n for n in questions if "factor" in n or "perplexities" in n] == []
    else:
        assert any(note in n for n in report.notes)


def test_states_of_a_mapping_are_applied(cases):
    report = check(cases / "run_state_plain.csv", mapping=cases / "m3.toml")
    assert [s.row for s in report.skipped] == [14, 15]
