"""Cards with factors: what they declare, what a fit stores in them, and wrong ones."""

import pandas as pd
import pytest
from tests.card_texts import PRIORS_OF_CHINCHILLA

from bayes_distill.cards import card_from_dict, card_from_toml, centred
from bayes_distill.errors import InputError

LAW = 'name = "mine"\nlaw = "chinchilla"\n' + PRIORS_OF_CHINCHILLA
CARD = (
    LAW
    + """
[factors.lr]
term = "tokens"
form = "power"
sd = 0.3
aliases = ["learning rate"]
[factors.decay]
column = "schedule"
term = "floor"
form = "categorical"
sd = 0.1
"""
)
FRAME = pd.DataFrame(
    {
        "params": [1e8, 1e9, 1e9],
        "tokens": 1e10,
        "loss": 2.5,
        "lr": [1e-4, 1e-3, 2e-3],
        "schedule=wsd": [1.0, 0.0, 1.0],
        "schedule=cosine": [0.0, 1.0, 0.0],
    }
)


def fault_of(text, start=LAW):
    with pytest.raises(InputError) as error:
        card_from_toml(start + text, "the card")
    assert len(error.value.faults) == 2, str(error.value)  # the card's name, and the fault
    return str(error.value.faults[1])


def test_a_fit_stores_the_middle_of_numbers_and_the_levels_of_names():
    card = card_from_toml(CARD, "the card")
    assert [each.name for each in card.scaling_law.extra_inputs] == ["lr"]
    assert card.scaling_law.extra_inputs[0].default is None
    middle = centred(card, FRAME)
    assert middle.factors["lr"].reference == 1e-3
    assert middle.factors["decay"].levels == ("wsd", "cosine")  # the most frequent one first
    law = middle.scaling_law
    assert law.coordinate_names[5:] == ("effect(lr)", "effect(decay=cosine)")
    assert law.middle_of_inputs == {"lr": 1e-3, "schedule=wsd": 1.0, "schedule=cosine": 0.0}
    assert law.title.endswith("B/D^beta by lr, E by schedule")
    again = card_from_dict(middle.model_dump(mode="json"), "the card")
    assert again == middle
    assert again.scaling_law == law


def test_priors_are_centred_on_no_effect():
    prior = centred(card_from_toml(CARD, "the card"), FRAME).coordinate_priors["effect(lr)"]
    assert (prior.family, prior.mean, prior.sd) == ("normal", 0.0, 0.3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('term = "excess"\nform = "power"\nsd = 1', "the chinchilla law has no excess term"),
        ('term = "width"\nform = "power"\nsd = 1', "Input should be 'floor', 'parameters'"),
        ('term = "floor"\nform = "cubic"\nsd = 1', "Input should be 'log-linear', 'power'"),
        ('term = "floor"\nform = "power"', "factors.lr.sd: Field required"),
        ('term = "floor"\nform = "power"\nsd = -1', "greater than or equal to"),
        ('term = "floor"\nform = "power"\nsd = 1\ncolumn = "tokens"', "is a column that laws read"),
        ('term = "floor"\nform = "power"\nsd = 1\nreference = 0', "it has a logarithm"),
        ('term = "floor"\nform = "power"\nsd = 1\nlevels = ["a", "b"]', "that is power has no"),
        ('term = "floor"\nform = "categorical"\nsd = 1\nlevels = ["a"]', "two or more different"),
        ('term = "floor"\nform = "power"\nsd = 1\ndefault = "a"', "must be a number"),
        (
            'term = "floor"\nform = "power"\nsd = 1\ndefault = 3\nrange = [1, 2]',
            "its default 3 is not inside its range",
        ),
    ],
)
def test_a_wrong_factor_gives_one_line(text, said):
    assert said in fault_of(f"[factors.lr]\n{text}\n")


def test_formulas_and_published_coefficients_have_no_factors():
    factor = '[factors.lr]\nterm = "floor"\nform = "power"\nsd = 1\n'
    formula = 'name = "mine"\nformula = "L + A / params**a"\n[priors]\n' + "\n".join(
        f'{name} = {{ family = "lognormal", median = 1, sd = 1 }}' for name in "LAa"
    )
    assert "a formula holds the columns itself" in fault_of(factor, formula + "\n")
    names = ("E", "A", "B", "alpha", "beta")
    points = 'name = "mine"\nlaw = "chinchilla"\n[coefficients]\n' + "\n".join(
        f"{name} = 1.0" for name in names
    )
    assert "its law has no factors" in fault_of(factor, points + "\n")
