"""Identifiability: contraction, combinations that hold what they say, and correlations."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.errors import InputError
from bayes_distill.identification.combinations import combinations, correlations, product
from bayes_distill.identification.identifiability import identifiability
from bayes_distill.identification.variables import Variables, on_real_line


@pytest.fixture(scope="module")
def report(sweep):
    return identifiability(sweep.posterior)


def made_up(posterior, prior, supports):
    names = list(supports)
    back = {
        "positive": np.exp,
        "unit": lambda u: 1 / (1 + np.exp(-u)),
        "real": lambda u: u,
    }
    return Variables(
        supports,
        *({n: back[supports[n]](m[:, i]) for i, n in enumerate(names)} for m in (prior, posterior)),
    )


def test_a_known_product_is_found_and_written_down():
    """The runs fix log a + 2 logit s, and nothing else."""
    generator = np.random.default_rng(0)
    prior = generator.standard_normal((20_000, 3))
    free = generator.standard_normal((20_000, 3))
    told = np.array([1.0, 2.0, 0.0])
    along = told / np.linalg.norm(told)
    posterior = free + np.outer(0.01 * generator.standard_normal(20_000) - free @ along, along)
    variables = made_up(posterior, prior, {"a": "positive", "s": "unit", "b": "real"})
    table = combinations(variables, 1)
    best = table[table["learnt"] == "most"].iloc[0]
    assert best["combination"] == "a^0.5 * odds(s)"
    assert best["sd"] == pytest.approx(0.01 * np.sqrt(5) / 2, rel=0.05)
    assert best["prior_sd"] == pytest.approx(np.sqrt(1.25), rel=0.05)
    assert best["variance_left"] == pytest.approx((best["sd"] / best["prior_sd"]) ** 2)
    least = table[table["learnt"] == "least"].iloc[0]
    assert 0.5 < least["variance_left"] < 1.1  # terms are dropped while half of it stays


def test_figures_are_of_exactly_what_is_written(report):
    """Parse each product and evaluate it on the draws."""
    for row in report.combinations.to_dict("records"):
        variables = report.variables[row["of"]]
        values = []
        for which in (variables.posterior, variables.prior):
            total = 0.0
            for factor in row["combination"].split(" * "):
                base, _, power = factor.partition("^")
                name = base.removeprefix("odds(").removeprefix("exp(").rstrip(")")
                u = on_real_line(which[name], variables.supports[name])
                total = total + float(power or 1) * u
            values.append(total)
        sd, prior_sd = (v.std(ddof=1) for v in values)
        assert row["sd"] == pytest.approx(sd, rel=1e-9)
        assert row["prior_sd"] == pytest.approx(prior_sd, rel=1e-9)


def test_distillation_runs_tell_much_about_some_products_and_nothing_about_others(report):
    sampled = report.combinations[report.combinations["of"] == "sampled"]
    most = sampled[sampled["learnt"] == "most"]
    assert most["variance_left"].max() < 0.01
    assert sampled[sampled["learnt"] == "least"]["variance_left"].max() > 0.5


def test_table_is_what_the_fit_said(report, sweep):
    said = {c["name"]: c for c in sweep.posterior.info["coefficients"]}
    for row in report.table.to_dict("records"):
        assert row["identified"] == said[row["name"]]["identified"]
        assert row["contraction"] == said[row["name"]]["contraction"]
        assert row["posterior_median"] == pytest.approx(said[row["name"]]["median"], rel=1e-6)
    assert list(report.table["name"][:3]) == ["E", "A", "B"]
    assert {"A'", "gamma'", "c1", "d1"} <= set(report.unidentified)
    assert "c0" not in report.unidentified


def test_pairs_that_trade_off_are_named(report):
    pairs = {frozenset((r["first"], r["second"])) for r in report.correlations.to_dict("records")}
    assert frozenset(("c1", "d1")) in pairs
    assert frozenset(("A'", "alpha'")) in pairs
    sizes = report.correlations["correlation"].abs()
    assert (sizes >= 0.9).all()
    assert sizes.is_monotonic_decreasing


def test_rank_correlation_does_not_mind_a_runaway_tail():
    generator = np.random.default_rng(1)
    u = generator.standard_normal((2000, 1)) * 20
    variables = made_up(np.hstack([u, -u]), np.hstack([u, -u]), {"a": "positive", "b": "positive"})
    assert correlations(variables).iloc[0]["correlation"] == pytest.approx(-1)


def test_product_leaves_out_ones_and_noughts():
    variables = made_up(np.zeros((3, 3)), np.zeros((3, 3)), dict.fromkeys("abc", "positive"))
    assert product(np.array([1.0, 0.0, -0.25]), variables) == "a * c^-0.25"


def test_supervised_runs_identify_their_law(chinchilla):
    found = identifiability(chinchilla.posterior)
    assert found.unidentified == ()
    assert (found.table["contraction"] > 0.9).all()
    assert found.to_json()["coefficients"][0]["prior"]["lower"] < 1.8


def test_coordinates_that_are_vectors_count_by_element(chinchilla):
    """A law may have one value a student size; here one is made up."""
    from bayes_distill.identification.variables import _elements

    value = np.arange(12.0).reshape(4, 3)
    assert [name for name, _ in _elements("offset", value)] == [
        "offset[0]",
        "offset[1]",
        "offset[2]",
    ]


def test_bad_input_is_refused(chinchilla, scattered):
    with pytest.raises(InputError, match="90%"):
        identifiability(chinchilla.posterior, interval=90)
    with pytest.raises(InputError, match="no runs"):
        identifiability(scattered)
