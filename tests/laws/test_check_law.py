"""The contract test of `bayes_distill.testing`: laws that ship pass, broken ones are told how."""

from dataclasses import dataclass

import jax.numpy as jnp
import pandas as pd
import pytest

from bayes_distill.cards import centred, load_card, model_names
from bayes_distill.laws import LAWS, Chinchilla, Input
from bayes_distill.testing import check_law

FORMULA_CARDS = [name for name in model_names() if load_card(name).formula is not None]
TYPICAL = {
    "floor": 0.55,
    "c0": 2.3,
    "kappa": 2.3,
    "width": 0.1,
    "bend": 3.0,
    "gain": 0.005,
    "gain_reach": 0.04,
    "repeats_tokens": 15.0,
    "repeats_params": 5.0,
}


@pytest.mark.parametrize("name", ["chinchilla", "data-limited", "distillation-gain-own-gap"])
def test_laws_that_ship_pass(name):
    check_law(LAWS[name], coordinates=TYPICAL)


@dataclass(frozen=True)
class Broken(Chinchilla):
    """Rises with size, counts in float32, and forgets a coefficient."""

    name = "broken"

    def log_supervised_loss(self, c, params, tokens, reference, unique_tokens=None, *, inputs=None):
        right = super().log_supervised_loss(c, params, tokens, reference)
        return (jnp.log(reference.loss) * 2 - right).astype(jnp.float32)

    def to_published(self, coordinates, reference):
        found = super().to_published(coordinates, reference)
        return {name: value for name, value in found.items() if name != "beta"}


def test_a_broken_law_is_told_everything():
    with pytest.raises(AssertionError) as error:
        check_law(Broken(), coordinates={"floor": 0.55})
    for problem in (
        "losses are float32",
        "rises with params",
        "rises with tokens",
        "to_published gives A, B, E, alpha, and not its coefficients",
    ):
        assert problem in str(error.value)


@dataclass(frozen=True)
class Declared(Chinchilla):
    """Declares what does not go together."""

    name = "declared"
    trade_offs = (("A", "omega"),)
    inputs = (Input("lr", default=5.0, least=0.1, most=1.0), Input("lr"))


def test_declarations_that_do_not_go_together_are_named():
    with pytest.raises(AssertionError) as error:
        check_law(Declared())
    for problem in ("two of its inputs", "trade_offs name omega", "default of lr is out"):
        assert problem in str(error.value)


@pytest.mark.parametrize("name", FORMULA_CARDS)
def test_formula_cards_that_ship_pass(name):
    card = load_card(name)
    point = {"params": 5e8, "tokens": 1.5e10, "loss": 2.4} | card.scaling_law.middle_of_inputs
    middle = {name: prior.middle for name, prior in card.priors.items()}
    tuned = "lr" in card.inputs  # the best learning rate moves with size and tokens
    law = centred(card, pd.DataFrame([point])).scaling_law
    check_law(law, coordinates=middle, may_rise=("params", "tokens") if tuned else ())
