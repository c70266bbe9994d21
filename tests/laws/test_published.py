"""What laws declare for people: values in print, coefficients that trade off, symbols."""

from __future__ import annotations

import pytest

from bayes_distill.laws import LAWS, Coefficient, stack_laws

SYMBOLS = {"alpha": "α", "beta'": "β′", "gamma": "γ", "c0": "c₀", "A'": "A′", "E": "E", "f1": "f₁"}


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_published_values_are_of_the_law_s_coefficients(law):
    values = law.published_values
    assert values.source
    named = set(values.points) & set(law.coefficient_names)
    # a law with more than what was published has only its additions left out
    assert set(law.coefficient_names) - named <= set(law.neutral) <= set(law.coefficient_names)
    assert bool(values.intervals) == bool(values.kind_of_interval)
    for name, (lower, upper) in values.intervals.items():
        assert lower <= values.points[name] <= upper


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_what_trades_off_are_coefficients_of_the_law(law):
    names = [name for group in law.trade_offs for name in group]
    assert names
    assert len(set(names)) == len(names)
    assert set(names) <= set(law.coefficient_names)


def test_a_stack_declares_what_its_members_share():
    same = stack_laws([LAWS["distillation"], LAWS["distillation-gain"]])
    assert same.published_values is LAWS["distillation"].published_values
    assert same.trade_offs == LAWS["distillation"].trade_offs
    other = stack_laws([LAWS["data-limited"], LAWS["chinchilla"]])
    assert other.published_values is None
    assert other.trade_offs == LAWS["chinchilla"].trade_offs


@pytest.mark.parametrize(("name", "symbol"), SYMBOLS.items())
def test_a_symbol_is_made_of_the_name(name, symbol):
    assert Coefficient(name, "").symbol == symbol


def test_a_law_may_declare_another_symbol():
    assert Coefficient("G", "", symbol="Γ").symbol == "Γ"
