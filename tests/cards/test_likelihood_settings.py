"""The table [likelihood] of a card: its parameters, and every fault under its key."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bayes_distill.cards import card_from_dict, card_from_toml, load_card
from bayes_distill.cards.likelihood import LikelihoodSettings
from bayes_distill.cards.priors import Beta, LogitNormal
from bayes_distill.errors import InputError
from bayes_distill.likelihoods import Contaminated, Normal, StudentT
from card_texts import PRIORS_OF_CHINCHILLA

DEFAULT = {
    "family": "student_t",
    "degrees_of_freedom": 4.0,
    "scale": "absolute",
    "prior": {"family": "lognormal", "median": 0.004, "sd": 1.0},
    "supervised_prior": {"family": "lognormal", "median": 0.004, "sd": 1.0},
    "teacher_effect": None,
    "condition_effect": None,
}


def card_with(likelihood, **changes):
    content = load_card("supervised-plain").model_dump(mode="json")
    return card_from_dict({**content, "likelihood": likelihood, **changes}, "mine.toml")


def faults_of(likelihood, **changes):
    with pytest.raises(InputError) as caught:
        card_with(likelihood, **changes)
    _, *faults = caught.value.faults
    return {fault.column: fault.problem for fault in faults}


@pytest.mark.parametrize("family", ["student_t", "normal"])
def test_plain_data_of_the_first_two_families_are_as_ever(family):
    """Earlier versions read what this one writes."""
    settings = LikelihoodSettings(family=family)
    assert json.loads(settings.model_dump_json()) == DEFAULT | {"family": family}
    assert list(settings.model_dump()) == list(DEFAULT)
    for stated in (False, {"family": "lognormal", "median": 0.01, "sd": 0.5}):
        other = LikelihoodSettings(family=family, run_effect=stated)
        assert LikelihoodSettings(**other.model_dump()) == other
    assert settings.priors == {}


def test_a_family_becomes_a_likelihood_with_its_numbers():
    assert type(LikelihoodSettings().at({})) is StudentT
    assert LikelihoodSettings(degrees_of_freedom=7).at({}).degrees_of_freedom == 7.0
    assert type(LikelihoodSettings(family="normal").at({})) is Normal


def test_parameters_are_numbers_or_priors_and_have_defaults():
    plain = card_with({"family": "contaminated"}).likelihood
    assert plain.priors == {"contamination": LogitNormal(family="logitnormal", median=0.1, sd=1)}
    assert plain.numbers == {"mean_excess": 5.0, "degrees_of_freedom": 4.0}
    stated = card_with(
        {
            "family": "contaminated",
            "degrees_of_freedom": 10,
            "contamination": 0.2,
            "mean_excess": {"family": "gamma", "mean": 6, "sd": 2},
        }
    ).likelihood
    assert stated.numbers == {"contamination": 0.2, "degrees_of_freedom": 10.0}
    assert list(stated.priors) == ["mean_excess"]
    found = stated.at({"mean_excess": np.array([4.0, 8.0]), "kappa": 1.0})
    assert isinstance(found, Contaminated)
    assert (found.contamination, found.degrees_of_freedom) == (0.2, 10.0)
    assert found.mean_excess.tolist() == [4.0, 8.0]


def test_a_card_with_parameters_survives_json_and_toml():
    text = f"""
    name = "mine"
    law = "chinchilla"
    [likelihood]
    family = "contaminated"
    mean_excess = 8
    contamination = {{ family = "beta", a = 1, b = 9 }}
    {PRIORS_OF_CHINCHILLA}
    """
    card = card_from_toml(text, "mine.toml")
    assert card.likelihood.priors == {"contamination": Beta(family="beta", a=1, b=9)}
    content = card.model_dump(mode="json")
    assert content["likelihood"]["mean_excess"] == 8.0
    assert "parameters" not in content["likelihood"]
    assert card_from_dict(content, "stored") == card


def test_description():
    assert LikelihoodSettings().description == "Student t with 4 degrees of freedom"
    assert LikelihoodSettings(family="normal").description == "normal"
    said = LikelihoodSettings(family="contaminated").description
    assert "4 degrees of freedom" in said
    assert "(sampled)" in said
    assert "mean of 5 residual scales" in said


def test_same_family_is_about_standardised_residuals_alone():
    one = LikelihoodSettings(family="contaminated", contamination=0.1)
    prior = {"family": "lognormal", "median": 0.1, "sd": 1.0}
    assert one.same_family(one.model_copy(update={"scale": "relative"}))
    assert one.same_family(LikelihoodSettings(**{**one.model_dump(), "prior": prior}))
    assert not one.same_family(LikelihoodSettings(family="contaminated"))
    assert not one.same_family(LikelihoodSettings())
    normal = LikelihoodSettings(family="normal")
    assert normal.same_family(LikelihoodSettings(family="normal", degrees_of_freedom=9))


# --- faults ----------------------------------------------------------------------------------


def test_every_fault_is_named_under_its_key():
    faults = faults_of(
        {
            "family": "contaminated",
            "degrees_of_freedom": -1,
            "contamination": 1.5,
            "mean_excess": {"family": "lognormal", "median": -5, "sd": 1, "mode": 2},
            "skewness": 3,
            "prior": {"family": "lognormal", "median": 0.0, "sd": 1.0},
        },
        reference={"params": -1},
    )
    assert set(faults) == {
        "likelihood.degrees_of_freedom",
        "likelihood.contamination",
        "likelihood.mean_excess.median",
        "likelihood.mean_excess.mode",
        "likelihood.skewness",
        "likelihood.prior.median",
        "reference.params",
    }
    assert "between 0 and 1, not 1.5" in faults["likelihood.contamination"]
    assert faults["likelihood.skewness"] == (
        "unknown setting: use one of condition_effect, contamination, degrees_of_freedom, family, "
        "mean_excess, prior, run_effect, scale, supervised_prior, teacher_effect"
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("much", "a number or a prior"),
        (True, "a number or a prior"),
        ([0.1], "a number or a prior"),
        (float("nan"), "between 0 and 1, not nan"),
        ({"family": "lognormal", "median": 0.1, "sd": 1}, "lognormal is for positive parameters"),
        ({"family": "cauchy"}, "cauchy"),
        ({}, "family"),
    ],
)
def test_values_that_a_parameter_cannot_have(value, problem):
    (fault,) = faults_of({"family": "contaminated", "contamination": value}).items()
    assert fault[0] == "likelihood.contamination"
    assert problem in fault[1]


def test_an_unknown_family_is_a_fault_of_the_family_alone_and_of_every_other_key():
    faults = faults_of({"family": "laplace", "width": 2, "scale": "huge"})
    assert set(faults) == {"likelihood.family", "likelihood.width", "likelihood.scale"}
    assert "use student_t, normal, contaminated, or a dotted path" in faults["likelihood.family"]
    assert set(faults_of({"family": 3})) == {"likelihood.family"}


def test_a_parameter_of_another_family_is_no_key():
    assert set(faults_of({"mean_excess": 4})) == {"likelihood.mean_excess"}
    assert set(faults_of({"parameters": {"mean_excess": 4}})) == {"likelihood.parameters"}


def test_point_coefficients_need_numbers():
    """Nothing is sampled, so nothing could draw a parameter from its prior."""
    values = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    points = {"priors": {}, "supervised": None, "coefficients": values, "law": "chinchilla"}
    faults = faults_of({"family": "contaminated"}, **points)
    assert set(faults) == {"likelihood.contamination"}
    good = card_with({"family": "contaminated", "contamination": 0.1}, **points)
    assert good.likelihood.priors == {}


def test_faults_of_a_law_without_a_teacher_are_named():
    prior = {"family": "lognormal", "median": 0.001, "sd": 1.0}
    assert set(faults_of({"teacher_effect": prior})) == {"likelihood.teacher_effect"}
