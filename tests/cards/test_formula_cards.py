"""Cards that state a formula, and laws by name: what is read, and what is refused where."""

import sys

import pandas as pd
import pytest

from bayes_distill.cards import Card, card_from_dict, card_from_toml, centred, law_named, law_names
from bayes_distill.errors import InputError
from bayes_distill.laws import FormulaLaw, Supervised

CARD = """
name = "experts"
formula = "L + A / (params * experts**g)**a"
[inputs.params]
aliases = ["dense parameters"]
[inputs.experts]
default = 1
range = [1, 1000]
[priors]
L_term = { family = "lognormal", median = 0.6, sd = 0.4 }
A_term = { family = "lognormal", median = 0.3, sd = 0.8 }
g = { family = "normal", mean = 0.3, sd = 0.3 }
a = { family = "lognormal", median = 0.25, sd = 0.6 }
"""

POINT = dict.fromkeys(("E", "A", "B", "alpha", "beta"), 1.0)


def faults(text):
    with pytest.raises(InputError) as error:
        card_from_toml(text, "the card")
    return {fault.column: fault.problem for fault in error.value.faults}


def test_a_card_of_a_formula_has_its_law_and_survives_a_file():
    card = card_from_toml(CARD, "the card")
    law = card.scaling_law
    assert isinstance(law, FormulaLaw)
    assert law.coordinate_names == ("L_term", "A_term", "g", "a")
    assert law.coefficient_names == ("L", "A", "g", "a")
    assert {c.name: c.support for c in law.coordinates}["g"] == "real"
    assert [each.name for each in law.extra_inputs] == ["experts"]
    assert Card.model_validate_json(card.model_dump_json()) == card
    again = Card.model_validate_json(card.model_dump_json())
    assert hash(again.scaling_law) == hash(card.scaling_law)


def test_a_card_is_centred_at_the_middle_of_the_runs_once():
    card = card_from_toml(CARD, "the card")
    frame = pd.DataFrame(
        {"params": [1e8, 1e9, 1e10], "tokens": 1.0, "loss": [3.0, 2.5, 2.0], "experts": [1, 8, 64]}
    )
    there = centred(card, frame)
    assert dict(there.scaling_law.centre) == {
        "params": 1e9, "tokens": 1.0, "loss": 2.5, "experts": 8.0,
    }  # fmt: skip
    assert centred(there, frame * 2) == there
    assert there.scaling_law.own_reference.params == 1e9


def test_a_card_without_a_formula_is_left_as_it_is():
    card = card_from_dict({"name": "x", "law": "chinchilla", "coefficients": POINT}, "x")
    assert centred(card, pd.DataFrame()) is card


@pytest.mark.parametrize(
    ("old", "new", "column", "problem"),
    [
        ("experts**g)", "experts**g", "formula", "was never closed (at character 9"),
        ("A / (", "loss / (", "formula", "it is of the loss"),
        ("g = {", "gg = {", "priors.gg", "the formula holds no gg"),
        ("L_term", "a_term", "priors.a_term", "there is a prior of a too"),
        ("g = { f", "g_term = { f", "priors.g_term", "not a positive scale of a term"),
        ("a = {", "params = {", "priors.params", "is a column of the table"),
        ("[inputs.experts]", "[inputs.lr]", "inputs.lr", "the formula holds no lr"),
        (
            "range = [1, 1000]",
            "range = [5, 9]",
            "inputs.experts",
            "its default 1 is not inside its",
        ),
        ("default = 1\n", "default = -1\n", "inputs.experts", "its default -1 is not inside its"),
        ("range = [1, 1000]", "range = [5, 1]", "inputs.experts", "not a lowest and a highest"),
        ('name = "experts"', 'name = "e"\nlaw = "chinchilla"', "law", "needs no law"),
    ],
)
def test_a_faulty_card_names_the_key(old, new, column, problem):
    assert problem in faults(CARD.replace(old, new, 1))[column]


def test_names_that_the_model_uses_are_refused():
    text = CARD.replace("experts**g", "experts**scale").replace("g = {", "scale = {")
    assert "a name that the model uses" in faults(text)["priors.scale"]


def test_inputs_are_of_a_formula_only():
    text = CARD.replace('formula = "L + A / (params * experts**g)**a"', 'law = "chinchilla"')
    assert "are of a formula" in faults(text)["inputs"]


def test_a_law_is_found_by_a_dotted_path(tmp_path, monkeypatch):
    (tmp_path / "own_laws.py").write_text(
        "from dataclasses import dataclass\n"
        "from bayes_distill.laws import Chinchilla\n"
        "@dataclass(frozen=True)\n"
        "class Mine(Chinchilla):\n"
        "    name = 'mine'\n"
        "thing = 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_laws", raising=False)
    assert law_named("own_laws:Mine").name == "mine"
    assert law_named("supervised") == Supervised()
    assert "supervised" in law_names()
    for name, problem in {
        "own_laws:thing": "neither a subclass nor an instance",
        "own_laws:Other": "has no Other",
        "no_such_module:Law": "was not found",
        "os:system": "standard library",
        "bayes_distill.laws:Law": "does not define",
        "unheard-of": "is not known",
    }.items():
        with pytest.raises(InputError, match=problem):
            law_named(name)
