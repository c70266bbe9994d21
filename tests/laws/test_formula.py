"""Formulas as laws: what they compute, which scales are recentred, and what is refused where."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_distill._input.expressions import ExpressionError
from bayes_distill.laws import Chinchilla, FormulaLaw, Input, Reference, Supervised
from bayes_distill.laws.formula_text import names_in, parse_formula

P, R, U = "positive", "real", "unit"
REFERENCE = Reference(1e9, 2e10, 2.5)
CENTRE = (("params", 1e9), ("tokens", 2e10), ("loss", 2.5))
BRACKET = "E + (A / params**alpha + B / tokens**beta)**gamma"
TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1000.0, "beta": 0.28, "gamma": 0.9}
PARAMS, TOKENS = np.geomspace(1e8, 1e10, 5), np.geomspace(1e9, 1e12, 5)[::-1]


def bracket(**keys):
    names = (keys.get(name, name) for name in TRUTH)
    return FormulaLaw(BRACKET, tuple((name, P) for name in names), (), CENTRE)


@pytest.mark.parametrize("keys", [{}, {"E": "E_term", "A": "A_term", "B": "B_term"}])
def test_the_formula_of_a_built_in_law_gives_its_losses(keys):
    law, built_in = bracket(**keys), Supervised()
    found = law.supervised_loss(law.from_published(TRUTH, REFERENCE), PARAMS, TOKENS, REFERENCE)
    wanted = built_in.from_published(TRUTH, REFERENCE)
    np.testing.assert_allclose(
        found, built_in.supervised_loss(wanted, PARAMS, TOKENS, REFERENCE), rtol=1e-12
    )


def test_terms_are_the_shares_of_the_built_in_law():
    law = FormulaLaw(
        "E + A / params**alpha + B / tokens**beta",
        tuple((name, P) for name in ("E_term", "A_term", "alpha", "B_term", "beta")),
        (),
        CENTRE,
    )
    truth = {name: value for name, value in TRUTH.items() if name != "gamma"}
    found = law.from_published(truth, REFERENCE)
    wanted = Chinchilla().from_published(truth, REFERENCE)
    assert float(found["E_term"]) == pytest.approx(float(wanted["floor"]))
    assert float(found["A_term"]) == pytest.approx(float(wanted["level"] * wanted["share"]))
    assert float(law.irreducible_loss(found, REFERENCE)) == pytest.approx(1.7)
    assert ("A", "alpha") in law.trade_offs


def test_coordinates_and_coefficients_go_there_and_back():
    law = bracket(A="A_term")
    there = law.from_published(TRUTH, REFERENCE)
    assert set(there) == {"E", "A_term", "alpha", "B", "beta", "gamma"}
    back = law.to_published(there, REFERENCE)
    assert {name: float(value) for name, value in back.items()} == pytest.approx(TRUTH)


def test_a_relative_call_gives_the_same_losses_in_units_of_the_reference():
    law = bracket()
    at = law.from_published(TRUTH, REFERENCE)
    unit = Reference(1.0, 1.0, 1.0)
    relative = law.supervised_loss(at, PARAMS / 1e9, TOKENS / 2e10, unit)
    absolute = law.supervised_loss(at, PARAMS, TOKENS, REFERENCE)
    np.testing.assert_allclose(relative * 2.5, absolute, rtol=1e-12)
    with pytest.raises(ValueError, match="counts from"):
        law.supervised_loss(at, PARAMS, TOKENS, Reference(5e8, 2e10, 2.5))


def test_sampled_scales_are_terms_whatever_the_prior_is_of_and_change_no_volume():
    law, terms = bracket(), bracket(A="A_term", B="B_term", E="E_term")
    sites = {name: jnp.log(value) for name, value in TRUTH.items()}
    sampled = jax.jit(lambda at: law.sheared(at, 1.0))(sites)
    wanted = terms.from_published(TRUTH, REFERENCE)
    for name in ("E", "A", "B"):
        assert float(sampled[name]) == pytest.approx(float(jnp.log(wanted[f"{name}_term"])))
    back = jax.jit(lambda at: law.sheared(at, -1.0))(sampled)
    assert {n: float(v) for n, v in back.items()} == pytest.approx(
        {n: float(v) for n, v in sites.items()}
    )
    order = sorted(sites)

    def vector(x):
        found = law.sheared(dict(zip(order, x, strict=True)), -1.0)
        return jnp.stack([found[name] for name in order])

    matrix = jax.jit(jax.jacobian(vector))(jnp.stack([sampled[name] for name in order]))
    assert abs(float(jnp.linalg.det(matrix))) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("formula", "positive", "scales"),
    [
        ("E + A / params**alpha", "E A alpha", "E A"),
        ("E + K * (params**a * experts**b)**-g", "E K a b g", "E K"),
        ("E + A / (params * (1 + k * log(parallel)))**a", "E A k a", "E A"),
        ("exp(a + b * log(params))", "a b", ""),
        ("E + A * A / params**alpha", "E A alpha", "E"),  # twice: no scale
        ("E + A * log(params)**alpha", "E A alpha", "E"),  # the logarithm may be negative
        ("(E + A / params**a) * (1 + c * log(params)**2)", "E A a c", "E A"),
        ("E + A / (params * (1 - exp(-bits / g)))**a", "E A a g", "E A"),
        ("L0 + c * (A / params**a + B / tokens**b)", "L0 c A B a b", "L0 c A B"),
    ],
)
def test_scales_of_terms_are_found(formula, positive, scales):
    law = FormulaLaw(formula, tuple((name, P) for name in positive.split()))
    assert sorted(term.name for term in law.scale_terms) == sorted(scales.split())


def test_a_factor_without_a_unit_leaves_its_terms_in_units_of_the_loss():
    law = FormulaLaw("(E + A / params**a) * exp(c)", tuple((n, P) for n in "EAac"), (), CENTRE)
    assert all(term.powers == () for term in law.scale_terms)


def test_a_column_has_its_default_or_else_the_middle_of_the_runs():
    formula = "E + A / (params * experts**g)**a + b * (lr - 1)**2"
    law = FormulaLaw(
        formula,
        (("E", P), ("A", P), ("g", P), ("a", P), ("b", R)),
        (Input("experts", default=1.0),),
        (*CENTRE, ("lr", 3.0)),
    )
    at = {"E": 1.0, "A": 100.0, "g": 0.4, "a": 0.3, "b": -0.01}
    left_out = law.supervised_loss(at, PARAMS, TOKENS, REFERENCE)
    stated = {"experts": np.ones(5), "lr": np.full(5, 3.0)}
    np.testing.assert_allclose(
        left_out, law.supervised_loss(at, PARAMS, TOKENS, REFERENCE, inputs=stated)
    )
    np.testing.assert_allclose(left_out, 1 + 100 / PARAMS**0.3 - 0.04, rtol=1e-12)
    more = law.supervised_loss(at, PARAMS, TOKENS, REFERENCE, inputs={"experts": np.full(5, 8.0)})
    assert (more < left_out).all()
    assert [each.name for each in law.extra_inputs] == ["experts", "lr"]
    assert law.needs == ("params",)


def test_whole_powers_of_negative_numbers_have_gradients():
    law = FormulaLaw("E + b * (log(params) - m)**2", (("E", P), ("b", P), ("m", R)))

    def loss(m):
        at = {"E": 2.0, "b": 0.1, "m": m}
        return law.supervised_loss(at, 1e3, 1.0, Reference(1.0, 1.0, 1.0))

    assert np.isfinite(jax.grad(loss)(20.0))


def test_a_formula_that_falls_below_zero_gives_a_tiny_loss_and_no_nan():
    law = FormulaLaw("E - A * params", (("E", P), ("A", P)), (), CENTRE)
    value, slope = jax.value_and_grad(
        lambda a: law.log_supervised_loss({"E": 1.0, "A": a}, 1e9, 2e10, REFERENCE)
    )(1.0)
    assert value < -10
    assert slope == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("E + A // params", "// and % are not allowed (at character 9"),
        ("E + A * foo(params)", "there is no function 'foo' (at character 9, 'foo(params)')"),
        ("E + (A * params", "was never closed (at character 5"),
        ("E +", "invalid syntax"),
        ("E + params.real", "a dot behind a name is not allowed (at character 5"),
        ("E + params[0]", "an index in brackets is not allowed (at character 5"),
        ("E + A if B else C", "if is not allowed (at character 1"),
        ("E + (params > 1)", "a comparison is not allowed (at character 6"),
        ("exp(E, A)", "exp takes 1 argument (at character 1"),
        ("E + 'a'", "'a' is not allowed"),
        ("E + params**9**9", "a power is beyond 100"),
        ("3 + 4", "it holds no name"),
        ("E + 1 / 0", "division by zero (at character 5"),
        ("E + 0**(-1)", "division by zero (at character 5"),
        ("E + A / (2 - 2)", "division by zero"),
        ("E + (-1)**0.5", "this is no finite number (at character "),
        ("E + exp(1000)", "this is no finite number (at character 5"),
        ("E * log(0)", "this is no finite number (at character 5"),
        ("E + 1e300 * 1e300", "this is no finite number (at character 5"),
    ],
)
def test_a_wrong_formula_is_told_where(text, message):
    with pytest.raises(ExpressionError) as error:
        parse_formula(text)
    assert message in str(error.value)


def test_names_come_in_the_order_of_the_formula_without_functions():
    assert names_in(parse_formula("max(E, 1) + A / exp(params)\n * A")) == ("E", "A", "params")
