"""Factors of a law: what multiplies which term, written a second time."""

import numpy as np
import pytest

from bayes_distill.laws import (
    LAWS,
    TABLE_6,
    DataLimited,
    Distillation,
    Input,
    Label,
    Reference,
    Supervised,
)
from bayes_distill.laws.factors import Factor, terms_of, with_factors
from bayes_distill.testing import check_law

REFERENCE = Reference(5e8, 1.5e10, 2.4)
RATE = Input("lr", default=1e-3)
SCHEDULE = Label("schedule", levels=("cosine", "wsd", "linear"))
AT = {"schedule=cosine": 0.0, "schedule=wsd": 0.0, "schedule=linear": 1.0, "lr": 3e-3, "t": 2.0}
EFFECTS = {
    "effect(t)": 0.05,
    "effect(lr)": -0.2,
    "effect(schedule=wsd)": 0.7,
    "effect(schedule=linear)": 0.1,
}
FACTORS = (
    Factor("t", "floor", "log-linear", Input("t", default=0.5), 0.5),
    Factor("lr", "parameters", "power", RATE, 1e-3),
    Factor("schedule", "tokens", "categorical", SCHEDULE),
)
E, A, B, ALPHA, BETA, GAMMA = (TABLE_6[n] for n in ("E", "A", "B", "alpha", "beta", "gamma"))


def printed(n, d, floor=0.0, params=0.0, tokens=0.0):
    inner = A * np.exp(params) / n**ALPHA + B * np.exp(tokens) / d**BETA
    return E * np.exp(floor) + inner**GAMMA


def test_each_form_multiplies_its_term():
    law = with_factors(Supervised(), FACTORS)
    at = law.from_published({**TABLE_6, **EFFECTS}, REFERENCE)
    n, d = np.array([1e8, 3e9]), np.array([2e9, 1e11])
    moves = {"floor": 0.05 * 1.5, "params": -0.2 * np.log(3), "tokens": 0.1}
    found = law.supervised_loss(at, n, d, REFERENCE, inputs=AT)
    np.testing.assert_allclose(found, printed(n, d, **moves), rtol=1e-12)
    # not stated: in the middle, where there is no effect
    np.testing.assert_allclose(law.supervised_loss(at, n, d, REFERENCE), printed(n, d), rtol=1e-12)


def test_the_excess_of_a_distilled_student_has_factors_and_so_has_what_it_reaches_alone():
    of_excess = Factor("hot", "excess", "power", Input("hot", default=1.0), 1.0)
    law = with_factors(Distillation(), (*FACTORS, of_excess))
    at = law.from_published({**TABLE_6, **EFFECTS, "effect(hot)": 0.3}, REFERENCE)
    plain = {k: v for k, v in at.items() if not k.startswith("effect")}
    point = (1e9, 2e10, 2.0, REFERENCE)
    alone = Distillation().distilled_loss(plain, *point) - 2.0
    warm = law.distilled_loss(at, *point, inputs={"hot": 2.0}) - 2.0
    assert warm == pytest.approx(float(alone) * 2**0.3, rel=1e-12)
    # the gap opens by what the student reaches alone at the same inputs
    moved = Distillation().distilled_loss(law.moved(at, AT), *point)
    assert law.distilled_loss(at, *point, inputs=AT) == pytest.approx(float(moved), rel=1e-12)
    assert abs(float(moved) - 2.0 - float(alone)) > 1e-4


def test_a_law_with_factors_keeps_the_contract_of_laws():
    check_law(with_factors(DataLimited(), FACTORS))


def test_names_of_effects_are_not_those_of_elements_of_a_vector():
    """Elsewhere ``name[0]`` is an element of ``name``."""
    names = with_factors(Supervised(), FACTORS).coordinate_names
    assert set(EFFECTS) < set(names)
    assert not any("[" in name for name in names)


def test_terms_are_those_that_a_law_declares():
    terms = {name: terms_of(law) for name, law in LAWS.items()}
    assert terms["chinchilla"] == ("floor", "parameters", "tokens")
    assert terms["distillation"] == ("floor", "parameters", "tokens", "excess")


def test_without_factors_a_law_is_itself():
    assert with_factors(LAWS["chinchilla"], ()) is LAWS["chinchilla"]
