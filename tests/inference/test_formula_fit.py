"""A law of a formula from the table to a forecast, through its file: one small fit for all."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill import InputError, fit, forecast, load_posterior, plan, read_runs, report
from bayes_distill.cards import card_from_dict, card_from_toml
from bayes_distill.inference.fitted_model import FittedModel, fitted_draws
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.predict.isoflop import isoflop
from bayes_distill.validation.budgets import Group
from bayes_distill.validation.refit import refit_task

CARD = """
name = "experts"
formula = "L + A / (params * experts**g)**a"
likelihood = { scale = "relative", family = "student_t" }
[inputs.experts]
default = 1
[priors]
L_term = { family = "lognormal", median = 0.6, sd = 0.4 }
A_term = { family = "lognormal", median = 0.3, sd = 0.8 }
g = { family = "lognormal", median = 0.3, sd = 0.6 }
a = { family = "lognormal", median = 0.25, sd = 0.6 }
"""
TRUTH = {"L": 1.6, "A": 60.0, "g": 0.4, "a": 0.22}
SETTINGS = {"chains": 2, "warmup": 200, "draws": 100, "extensions": 0}


@pytest.fixture(scope="module")
def card():
    return card_from_toml(CARD, "the card")


@pytest.fixture(scope="module")
def runs(card):
    sizes, experts = np.meshgrid(np.geomspace(2e7, 2e9, 6), [1, 4, 16, 64])
    design = pd.DataFrame({"params": sizes.ravel(), "experts": experts.ravel()})
    return simulate_from_card(card, design, coefficients=TRUTH, noise=0.002, seed=3)[0]


@pytest.fixture(scope="module")
def posterior(card, runs, tmp_path_factory):
    path = tmp_path_factory.mktemp("formula") / "fit.nc"
    fit(runs, card, **SETTINGS, check_law=False).save(path)
    return load_posterior(path, allow_failed=True)


def test_coefficients_are_found_under_the_names_of_the_formula(posterior):
    for name, truth in TRUTH.items():
        low, high = np.quantile(posterior.published[name], [0.001, 0.999])
        assert low < truth < high, name


def test_the_file_holds_formula_and_columns(posterior, runs):
    assert posterior.law.title == "L + A / (params * experts**g)**a"
    assert posterior.info["input_ranges"] == {"experts": [1.0, 64.0]}
    assert posterior.tree["runs"].dataset["experts"].to_numpy().tolist() == list(runs.frame.experts)
    assert posterior.info["fingerprint"] == runs.fingerprint


def test_means_at_the_runs_are_those_of_the_model(posterior, runs):
    fitted = FittedModel.of(posterior)
    mean = fitted.by_run(fitted_draws(posterior)).mean
    points = forecast(posterior, at=runs.frame.drop(columns="loss"), allow_failed=True)
    np.testing.assert_allclose(points.table["loss_mean"], mean.mean(axis=0), rtol=1e-9)


def test_a_forecast_takes_inputs_and_says_where_they_are_outside(posterior):
    rows = forecast(posterior, "1B", inputs={"experts": "1,1000"}, allow_failed=True).to_json()[
        "rows"
    ]
    assert [row["inputs"] for row in rows] == [{"experts": 1.0}, {"experts": 1000.0}]
    assert rows[0]["tokens"] is None
    assert rows[1]["mean"] < rows[0]["mean"]
    assert rows[1]["extrapolation"]["factor_experts"] == pytest.approx(1000 / 64)
    assert [row["extrapolation"]["outside"] for row in rows] == [False, True]


def test_a_refit_travels_as_plain_data(posterior, runs):
    held = np.array([False] * (len(runs) - 4) + [True] * 4)
    task = refit_task(runs, posterior.card, Group("dear", held), {}, {})
    assert task["columns"]["experts"] == runs.frame["experts"].tolist()
    there = card_from_dict(task["card"], "the card")
    assert there.scaling_law == posterior.law
    assert there.scaling_law.centre  # refits count from where the fit does: one compilation


def test_runs_that_were_read_without_the_law_are_refused(card):
    table = pd.DataFrame({"params": [1e8] * 9, "tokens": 1e9, "loss": 3.0, "experts": 2})
    with pytest.raises(ValueError, match="lack experts, which the law of the card experts reads"):
        fit(read_runs(table), card)


def test_a_law_without_tokens_has_no_plan_report_or_profile(posterior, tmp_path):
    for question in (
        lambda: plan(posterior, "1B", 1e21, allow_failed=True),
        lambda: report(posterior, tmp_path / "page.html", allow_failed=True),
        lambda: isoflop(posterior, 1e21, allow_failed=True),
    ):
        with pytest.raises(InputError, match="law without tokens"):
            question()
    assert list(tmp_path.iterdir()) == []
