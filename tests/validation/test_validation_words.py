"""What is said of a validation: the bands decide, not the sampling."""

from __future__ import annotations

import pytest

from bayes_distill.cli import validate
from bayes_distill.cli.tables import tables_as
from bayes_distill.validation.words import validation_sentence
from validations import made_up_validation


def test_bands_that_hold_a_quarter_are_not_relied_on(chinchilla):
    content = made_up_validation(chinchilla.posterior, 0.25).to_json()
    assert content["verdict"] == "pass"  # that of the sampling
    assert content["overall"]["bands"] == "too narrow"
    said = validation_sentence(content)
    assert said.startswith("The 90% bands of supervised hold 25% of 40 left-out runs. ")
    assert "Do not rely on them" in said
    assert "pass" not in said
    assert said.endswith("the dearest at 10 times the compute of those fitted.")


def test_bands_as_stated_are_relied_on(chinchilla):
    content = made_up_validation(chinchilla.posterior, 0.9, leave_out="params").to_json()
    assert "They can be relied on for runs like these." in validation_sentence(content)


@pytest.mark.parametrize("told", [{"effective_runs": 4.1}, {"coverage": {"90": 0.61}}])
def test_too_few_runs_to_tell_are_no_ground_to_rely_on(told, chinchilla):
    content = made_up_validation(chinchilla.posterior, 0.9, leave_out="params").to_json()
    content["overall"] |= {"bands": "as stated"} | told
    said = validation_sentence(content)
    assert "relied on for runs like these" not in said
    assert "there are too few independent runs." in said


def test_the_farthest_factor_decides(chinchilla):
    content = made_up_validation(
        chinchilla.posterior, 0.75, leave_out="compute", factors=(3.0, 10.0)
    ).to_json()
    said = validation_sentence(content)
    # the runs that miss their bands are the dearest ones
    assert "At 1 to 3 times the compute of those fitted: 100%" in said
    assert ", too narrow. Do not rely on them" in said


def test_a_failed_refit_is_told(chinchilla):
    content = made_up_validation(chinchilla.posterior, 0.9).to_json() | {"verdict": "fail"}
    assert validation_sentence(content).endswith("The sampling of some refits: fail.")


@pytest.mark.parametrize("form", ["text", "md", "csv"])
def test_pass_does_not_stand_beside_bands_that_do_not_hold(form, chinchilla, capsys):
    found = made_up_validation(chinchilla.posterior, 0.25)
    with tables_as(form):
        validate._print(found)
    out = capsys.readouterr().out
    assert "held 25% of 90%: too narrow" in out
    assert "pass" not in out
    # the factor of extrapolation stands beside each score
    assert found.table["factor"].tolist() == [10, 10]
    assert "factor" in out


def test_a_sampling_that_did_not_pass_is_a_column(chinchilla, capsys):
    found = made_up_validation(chinchilla.posterior, 0.9)
    found.table["verdict"] = "review"
    with tables_as("csv"):
        validate._print(found)
    assert capsys.readouterr().out.splitlines()[1].endswith(",review")
