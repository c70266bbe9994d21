"""Inputs that were once misread, where the folder with them is there."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from bayes_distill.cards import load_card
from bayes_distill.errors import InputError
from bayes_distill.inference.fit import check_card, default_card
from bayes_distill.runs import check, read_runs
from bayes_distill.runs.words import check_sentence


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


def test_settings_that_cannot_be_applied_are_faults(cases):
    with pytest.raises(InputError, match="no column of states"):
        read_runs(cases / "ppl_low.csv", mapping=cases / "m3.toml")


def test_a_column_in_millions_names_the_scale_of_a_mapping(cases):
    faults = {fault.column: fault.problem for fault in check(cases / "bare_M_B.csv").faults}
    assert "70 to 1000, which look like millions" in faults["params"]
    assert '{ from = "params", scale = 1e6 }' in faults["params"]
    assert '{ from = "tokens", scale = 1e9 }' in faults["tokens"]
    read = read_runs(cases / "bare_M_B.csv", columns="params=params*1e6,tokens=tokens*1e9")
    assert read.frame["params"].min() == 7e7


def test_dictionaries_of_the_public_api_are_columns(cases):
    columns = check(cases / "wandb_api_project.csv").columns
    assert columns["params"] == "config.n_params"
    assert columns["loss"] == "summary.val/loss"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("teacher_name.csv", "no faults. Settle 1 question below first."),
        ("two_corpora_plain.csv", "no faults. Settle 1 question below first."),
        ("ppl_low.csv", "no faults. Settle 1 question below first."),
        ("strings.csv", "cannot be fitted yet: 5 faults in 5 of 16 rows."),
        ("05_mlflow_ui.csv", "14 supervised runs, 2 skipped, no faults."),
    ],
)
def test_the_first_sentence_does_not_reassure(cases, name, said):
    assert said in check_sentence(check(cases / name).to_json(), name)


def test_a_named_teacher_lacks_its_loss(cases):
    (note,) = (n for n in check(cases / "teacher_name.csv").notes if "names teachers" in n)
    assert "neither teacher_loss nor teacher_params and teacher_tokens" in note


def test_few_runs_are_fitted_with_learned_priors_and_said_to_rest_on_them(cases):
    runs = read_runs(cases / "cerebras5.csv")
    card = load_card(default_card(runs))
    check_card(card, runs)  # raises nothing
    assert card.name == "supervised"
    note = next(n for n in check(cases / "cerebras5.csv").notes if "5 runs are few" in n)
    assert "rest" in note


def test_cells_without_a_number_are_named_for_what_they_are(cases):
    problems = {f.row: f.problem for f in check(cases / "strings.csv").faults}
    assert problems[8].startswith("'-' stands for no value")
    assert problems[2].startswith("'diverged' is not a number")
    assert problems[10].startswith("is zero")


def test_a_packed_table_reads_as_the_table(cases, tmp_path):
    plain = cases / "cerebras5.csv"
    packed = tmp_path / "cerebras5.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    np.testing.assert_array_equal(read_runs(packed).frame["loss"], read_runs(plain).frame["loss"])
