"""Factors from a card to a forecast and a plan, through a file: one small fit for all."""

import numpy as np
import pandas as pd
import pytest
from tests.card_texts import PRIORS_OF_CHINCHILLA
from tests.posteriors import REFERENCE, synthetic_posterior

from bayes_distill import InputError, fit, forecast, load_posterior, plan, risk
from bayes_distill.cards import card_from_dict, card_from_toml, load_card
from bayes_distill.inference.fitted_model import FittedModel, fitted_draws
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.laws import TABLE_6
from bayes_distill.posterior.at_inputs import at_inputs
from bayes_distill.validation.budgets import Group
from bayes_distill.validation.refit import refit, refit_task

CARD = f"""
name = "factored"
law = "chinchilla"
likelihood = {{ scale = "relative" }}
{PRIORS_OF_CHINCHILLA}
[factors.lr]
term = "tokens"
form = "power"
sd = 0.3
[factors.schedule]
term = "floor"
form = "categorical"
sd = 0.1
[factors.unrelated]
term = "parameters"
form = "log-linear"
sd = 0.2
"""
TRUTH = {"E": 1.8, "A": 480.0, "B": 2080.0, "alpha": 0.35, "beta": 0.37}
EFFECTS = {"effect(lr)": 0.15, "effect(schedule=wsd)": -0.03, "effect(unrelated)": 0.0}
SETTINGS = {"chains": 2, "warmup": 200, "draws": 100, "extensions": 0}


@pytest.fixture(scope="module")
def runs():
    generator = np.random.default_rng(1)
    sizes, ratios = np.meshgrid(np.geomspace(5e7, 2e9, 6), [10, 20, 60, 120])
    design = pd.DataFrame(
        {
            "params": sizes.ravel(),
            "tokens": (sizes * ratios).ravel(),
            "lr": 10 ** generator.uniform(-4, -2, sizes.size),
            "schedule": np.resize(["cosine", "wsd", "cosine"], sizes.size),
            "unrelated": generator.uniform(0, 2, sizes.size),
        }
    )
    card = card_from_toml(CARD, "the card")
    runs, _ = simulate_from_card(card, design, coefficients=TRUTH | EFFECTS, noise=0.002, seed=3)
    return design.assign(loss=runs.frame["loss"].to_numpy())


@pytest.fixture(scope="module")
def posterior(runs, tmp_path_factory):
    path = tmp_path_factory.mktemp("factors") / "fit.nc"
    fit(runs, card_from_toml(CARD, "the card"), **SETTINGS, check_law=False).save(path)
    return load_posterior(path, allow_failed=True)


def test_effects_are_found_and_one_that_is_none_stays_near_zero(posterior):
    found = {c["name"]: c for c in posterior.info["coefficients"]}
    for name, truth in EFFECTS.items():
        low, high = np.quantile(posterior.published[name], [0.001, 0.999])
        assert low < truth < high, name
        assert found[name]["identified"], name
    # by the noise of 24 runs; of the prior it would be 0.2
    assert posterior.published["effect(unrelated)"].std() < 0.05


def test_means_at_the_runs_are_those_of_the_model(posterior, runs):
    mean = FittedModel.of(posterior).by_run(fitted_draws(posterior)).mean
    points = forecast(posterior, at=runs.drop(columns="loss"), allow_failed=True)
    np.testing.assert_allclose(points.table["loss_mean"], mean.mean(axis=0), rtol=1e-9)


def test_a_forecast_takes_values_and_is_else_in_the_middle(posterior, runs):
    rows = forecast(
        posterior, "1B", "20B", inputs={"schedule": "wsd,cosine", "lr": 1e-3}, allow_failed=True
    ).to_json()["rows"]
    middle = float(runs["unrelated"].median())
    assert rows[0]["inputs"] == {"lr": 1e-3, "unrelated": middle, "schedule": "wsd"}
    assert rows[0]["mean"] < rows[1]["mean"]
    assert not {"factor_schedule=wsd", "factor_schedule"} & set(rows[0]["extrapolation"])


def test_plans_are_made_at_stated_inputs(posterior):
    stated = {"lr": 5e-3, "schedule": "wsd"}
    (row,) = plan(posterior, "1B", 1e20, inputs=stated, allow_failed=True).to_json()["rows"]
    tokens = row["recipe"]["student_tokens"]
    (same,) = forecast(posterior, "1B", tokens, inputs=stated, allow_failed=True).to_json()["rows"]
    assert row["loss"]["mean"] == pytest.approx(same["mean"], rel=1e-9)
    with pytest.raises(InputError, match=r"no such input .it reads lr, unrelated, schedule"):
        plan(posterior, "1B", 1e20, inputs={"warmup": 3}, allow_failed=True)


def test_a_refit_travels_as_plain_data_and_scores_by_the_inputs(posterior, runs, monkeypatch):
    from bayes_distill.inference import fit as fitting
    from bayes_distill.runs import read_runs

    table = read_runs(runs, law=posterior.law)
    held = np.arange(len(runs)) >= len(runs) - 4
    scoring = {"levels": [0.9]}
    task = refit_task(table, posterior.card, Group("dear", held), {"seed": 0}, scoring)
    assert card_from_dict(task["card"], "the card").scaling_law == posterior.law
    info = {**posterior.info, "diagnostics": {"rhat_max": 1.0, "divergences": 0}}
    stub = type(posterior)(posterior.tree, posterior.card, posterior.reference, info)
    monkeypatch.setattr(fitting, "fit", lambda *_, **__: stub)
    rows = refit(task)["rows"]
    points = forecast(posterior, at=runs[held].drop(columns="loss"), allow_failed=True)
    np.testing.assert_allclose(rows["mean"], points.table["loss_mean"], rtol=1e-9)


def test_factors_of_distilled_students():
    content = load_card("distillation").model_dump(mode="json")
    content["factors"] = {
        "temperature": {"term": "excess", "form": "power", "sd": 0.3, "reference": 1.0}
    }
    card = card_from_dict(content, "the card")
    made = {**TABLE_6, "rN": 1.0, "rD": 1.0, "effect(temperature)": 0.5}
    posterior = synthetic_posterior(load_card("distillation"), made, spread=1e-6)
    tree = posterior.tree.copy()
    effect = (("chain", "draw"), np.full(posterior.tree["posterior"]["c0"].shape, 0.5))
    tree["posterior"] = tree["posterior"].dataset.assign({"effect(temperature)": effect})
    posterior = type(posterior)(tree, card, REFERENCE, posterior.info)
    point = {"params": "1B", "tokens": "20B", "teacher_loss": "2.1"}
    cold, hot = forecast(posterior, **point, inputs={"temperature": "1,4"}).table["loss_mean"]
    assert hot - 2.1 == pytest.approx((cold - 2.1) * 2, rel=1e-9)
    pinned = at_inputs(posterior, {"temperature": 4})
    assert forecast(pinned, **point).table["loss_mean"][0] == pytest.approx(hot, rel=1e-9)
    (row,) = risk(posterior, **point, inputs={"temperature": 4}).to_json()["rows"]
    assert row["p_stronger_teacher_hurts"] >= 0


def test_two_stages_and_factors_do_not_go_together(runs):
    content = load_card("joint").model_dump(mode="json")
    content["factors"] = {"lr": {"term": "tokens", "form": "power", "sd": 0.3}}
    table = runs.assign(teacher_loss=[2.0] * 20 + [None] * 4)
    with pytest.raises(InputError, match=r"laws without factors"):
        fit(table, card_from_dict(content, "the card"), cut=True)
