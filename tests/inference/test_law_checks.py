"""The verdict on the law, and the refit to the cheaper half behind its forward check."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import jax
import numpy as np
import pandas as pd
import pytest

from bayes_distill.cards import card_from_dict, load_card
from bayes_distill.inference import law_checks as law_checks_module
from bayes_distill.inference import masked_refit as refits
from bayes_distill.inference.density import constrainer, pointwise
from bayes_distill.inference.fit import fit
from bayes_distill.inference.forward_check import halves
from bayes_distill.inference.law_checks import _allowing, law_json, worst_verdict
from bayes_distill.inference.model import sites_of_mean
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.inference.sampler import run_nuts
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.runs import read_runs

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.34, "beta": 0.37}
LENGTHS = {"warmup": 400, "draws": 500}


def design(ratios=5):
    params, ratio = np.meshgrid(np.geomspace(5e7, 3e9, 8), np.geomspace(5, 200, ratios))
    return pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})


def sweep(gamma=1.0, seed=3, table=None, noise=0.003):
    """Runs of a law whose exponents far out do not depend on gamma."""
    truth = TRUTH | {
        "A": TRUTH["A"] ** (1 / gamma),
        "B": TRUTH["B"] ** (1 / gamma),
        "alpha": TRUTH["alpha"] / gamma,
        "beta": TRUTH["beta"] / gamma,
        "gamma": gamma,
    }
    table = design() if table is None else table
    runs, _ = simulate_from_card("supervised", table, coefficients=truth, seed=seed, noise=noise)
    return runs


def law_of(posterior):
    return posterior.info["diagnostics"]["law"]


def by_name(posterior):
    return {check["name"]: check for check in law_of(posterior)["checks"]}


@pytest.fixture(scope="module")
def true_law():
    return fit(sweep(), "supervised-plain", **LENGTHS)


def test_runs_of_the_law_pass(true_law):
    assert law_of(true_law)["verdict"] == "pass"
    checks = law_of(true_law)["checks"]
    assert {"forward_bias", "forward_distance", "interaction"} <= set(by_name(true_law))
    for check in checks:
        assert set(check) == {"name", "value", "threshold", "verdict", "advice", "scope"}
        assert check["scope"] == "law"
        assert 0.05 <= check["value"] <= 1
        assert check["advice"] == ""
    # the checks of the sampling are where they were, and have their own verdict
    assert true_law.info["diagnostics"]["verdict"] == true_law.verdict == "pass"
    assert all(c["scope"] != "law" for c in true_law.info["diagnostics"]["checks"])


def test_another_outer_exponent_does_not_pass():
    posterior = fit(sweep(2.5), "supervised-plain", **LENGTHS)
    assert posterior.verdict == "pass"  # of the sampling
    assert law_of(posterior)["verdict"] in ("review", "fail")
    bend = by_name(posterior)["bend_tokens_per_param"]
    assert bend["verdict"] == law_of(posterior)["verdict"]
    assert "tokens per parameter" in bend["advice"]
    assert "the card supervised," in bend["advice"]


def test_forecasts_of_the_dearer_half_that_fail_are_named_with_their_side():
    """Above the middle of compute losses stop falling as they did."""
    runs = sweep()
    frame = runs.frame.copy()
    cost = (frame["params"] * frame["tokens"]).to_numpy()
    beyond = np.log(cost / np.median(cost)).clip(0)
    frame["loss"] *= np.exp(0.03 * beyond)
    check = by_name(fit(frame, "supervised-plain", **LENGTHS))
    assert check["forward_bias"]["verdict"] != "pass"
    assert "too low on average" in check["forward_bias"]["advice"]
    assert check["forward_distance"]["verdict"] != "pass"
    assert "too narrow" in check["forward_distance"]["advice"]


def test_a_verdict_that_was_not_asked_for_is_not_there():
    posterior = fit(sweep(), "supervised-plain", warmup=100, draws=50, check_law=False)
    assert "law" not in posterior.info["diagnostics"]


def test_draws_that_failed_are_no_start_of_a_refit(monkeypatch):
    def refit(*_):
        raise AssertionError("refitted")

    monkeypatch.setattr(law_checks_module, "masked_refit", refit)
    posterior = fit(sweep(), "supervised-plain", warmup=100, draws=50, chains=2, extensions=0)
    assert posterior.verdict == "fail"
    check = by_name(posterior)
    assert check["forward_bias"]["verdict"] == "not checked"
    assert "the sampling failed" in check["forward_bias"]["advice"]
    assert check["largest_residual"]["verdict"] != "not checked"


def test_too_few_runs_for_the_forward_check():
    table = design().iloc[:11]
    check = by_name(fit(sweep(table=table), "supervised-plain", **LENGTHS))
    for name in ("forward_bias", "forward_distance"):
        assert check[name]["verdict"] == "not checked"
        assert check[name]["advice"] == "needs 12 runs"
        assert np.isnan(check[name]["value"])
    assert check["largest_residual"]["verdict"] in ("pass", "review", "fail")


def test_the_same_seed_gives_the_same_verdict(true_law):
    again = fit(sweep(), "supervised-plain", **LENGTHS)
    assert law_of(again) == law_of(true_law)


def test_worst_of_verdicts():
    assert worst_verdict(["pass", "not checked"]) == "pass"
    assert worst_verdict(["review", "pass", "fail"]) == "fail"
    assert worst_verdict([]) == worst_verdict(["not checked"]) == "not checked"
    assert law_json([]) == {"verdict": "not checked", "checks": []}


# --- the refit


def parts_of(card, table, settings=None):
    card = load_card(card) if isinstance(card, str) else card
    reference = reference_point(card, table.frame)
    spec, data, hyper, _ = model_inputs(card, table, reference)
    settings = settings or SamplerSettings(4, 400, 500, card.target_accept)
    sample = run_nuts(spec, data, hyper, settings, 0)
    mask = np.zeros(len(data.mask), bool)
    parts = halves(table.frame)
    mask[: len(table)] = parts.fitted
    return SimpleNamespace(
        spec=spec,
        data=data,
        hyper=hyper if sample.hyper is None else sample.hyper,
        settings=settings,
        sample=sample,
        mask=mask,
        parts=parts,
    )


def forecasts(p, sites, data, hyper):
    """Mean curves (draws, runs) of the runs that are forecast."""
    values = jax.device_get(constrainer(p.spec)(sites, data, hyper))
    mean = pointwise(p.spec)(sites_of_mean(p.spec, values), p.data, p.hyper)["mean"]
    return np.asarray(mean)[:, : len(p.parts.forecast)][:, p.parts.forecast]


def refit_of(p, seed=0, data=None):
    data = p.data if data is None else data
    return refits.masked_refit(p.spec, data, p.hyper, p.mask, p.sample, p.settings, seed)


@pytest.fixture(scope="module")
def plain():
    return parts_of("supervised-plain", sweep())


@pytest.fixture(scope="module")
def by_long_nuts(plain):
    masked = plain.data._replace(mask=plain.mask)
    settings = SamplerSettings(4, 800, 1500, plain.settings.target_accept)
    sample = run_nuts(plain.spec, masked, plain.hyper, settings, 1)
    flat = {n: v.reshape(-1, *v.shape[2:]) for n, v in sample.unconstrained.items()}
    return forecasts(plain, flat, masked, sample.hyper)


def test_importance_sampling_agrees_with_nuts(plain, by_long_nuts):
    found = refit_of(plain)
    assert found.how == "importance sampling"
    mean = forecasts(plain, found.sites, found.data, found.hyper)
    assert len(mean) == 2000  # as many as the fit
    sd = by_long_nuts.std(axis=0)
    assert np.abs((mean.mean(axis=0) - by_long_nuts.mean(axis=0)) / sd).max() < 0.3
    np.testing.assert_allclose(mean.std(axis=0), sd, rtol=0.3)


def test_a_short_run_agrees_with_a_long_one(plain, by_long_nuts, monkeypatch):
    monkeypatch.setattr(refits, "is_elliptical", lambda spec: False)
    found = refit_of(plain)
    assert found.how == "NUTS"
    mean = forecasts(plain, found.sites, found.data, found.hyper)
    assert len(mean) == 2000
    sd = by_long_nuts.std(axis=0)
    # 250 draws of a long ridge
    assert np.abs((mean.mean(axis=0) - by_long_nuts.mean(axis=0)) / sd).max() < 0.6


def test_weights_that_are_too_uneven_are_not_used(plain, monkeypatch):
    monkeypatch.setattr(refits, "LEAST_EFFECTIVE", 1e9)
    assert refit_of(plain).how == "NUTS"


def test_the_refit_does_not_see_the_dearer_half(plain):
    """Other losses there change nothing, to the last digit."""
    hidden = ~plain.mask
    other = plain.data._replace(loss=np.where(hidden, 7.0, plain.data.loss))
    one, two = refit_of(plain), refit_of(plain, data=other)
    for name, value in one.sites.items():
        np.testing.assert_array_equal(value, two.sites[name])
    seen = plain.data._replace(loss=np.where(hidden, plain.data.loss, 1.02 * plain.data.loss))
    three = refit_of(plain, data=seen)
    assert any(not np.array_equal(one.sites[n], three.sites[n]) for n in one.sites)


def test_forecasts_of_a_law_that_may_be_wrong_do_not_see_the_dearer_half():
    """Its sampling coordinates follow from the runs, so draws are read with those of the refit."""
    p = parts_of("supervised", sweep(table=design(3)), SamplerSettings(2, 100, 100, 0.9))
    hidden = ~p.mask
    other = p.data._replace(loss=np.where(hidden, 7.0, p.data.loss))
    found = [refit_of(p), refit_of(p, data=other)]
    one, two = (forecasts(p, each.sites, each.data, each.hyper) for each in found)
    np.testing.assert_array_equal(one, two)
    as_of_all_runs = forecasts(p, found[0].sites, p.data, p.hyper)
    assert np.abs(as_of_all_runs / one - 1).max() > 1e-3


@pytest.mark.slow
def test_effects_of_groups_are_refitted_by_nuts(monkeypatch):
    """A distillation card whose teachers share effects: hundreds of sites, and none whitened."""

    def as_if_sampled_long(*arguments):
        return law_checks_module.law_checks(*arguments[:-1], "pass")

    monkeypatch.setattr("bayes_distill.inference.fit.law_checks", as_if_sampled_long)
    content = load_card("distillation").model_dump(mode="json")
    content["likelihood"]["teacher_effect"] = {"family": "lognormal", "median": 0.002, "sd": 0.5}
    card = card_from_dict(content, "with effects")
    table, _ = simulate_from_card(
        "distillation", _taught(), coefficients="table6", seed=1, noise=0.004
    )
    posterior = fit(table, card, chains=2, warmup=100, draws=50, extensions=0)
    assert law_of(posterior)["verdict"] in ("pass", "review", "fail")
    check = by_name(posterior)
    assert check["forward_bias"]["verdict"] != "not checked"
    assert "below_teacher" in check
    assert not refits.is_elliptical(replace(_spec(card, table), effects=("teacher",)))


def _spec(card, table):
    return model_inputs(card, table, reference_point(card, table.frame))[0]


def _taught():
    params, ratio = np.meshgrid(np.geomspace(1.5e8, 3e9, 6), np.geomspace(20, 200, 4))
    frame = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    frame["teacher_loss"] = np.resize([2.6, 2.4, 2.2, 2.1, 2.0], len(frame))
    return frame


@pytest.mark.slow
def test_a_cut_fit_has_no_forward_check():
    from bayes_distill.runs import Runs

    alone, _ = simulate_from_card("supervised", design(4), coefficients="table6", seed=2)
    taught, _ = simulate_from_card("distillation", _taught(), coefficients="table6", seed=2)
    frame = pd.concat([alone.frame, taught.frame], ignore_index=True)
    posterior = fit(
        Runs(frame, "both"), "joint", cut=True, chains=2, warmup=100, draws=100, imputations=10
    )
    check = by_name(posterior)
    assert check["forward_bias"]["verdict"] == "not checked"
    assert "cut fit" in check["forward_bias"]["advice"]
    assert check["largest_residual"]["verdict"] != "not checked"


def test_read_runs_is_what_the_checks_see(true_law):
    """The verdict is of the runs that were fitted, not of those that `where` left out."""
    frame = sweep().frame
    odd = frame.iloc[:1].assign(loss=9.0)
    table = read_runs(pd.concat([frame, odd], ignore_index=True))
    posterior = fit(table, "supervised-plain", where="loss < 8", **LENGTHS)
    assert law_of(posterior)["verdict"] == "pass"


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("joint", "mixed", "joint-discrepancy"),
        ("joint-plain", "mixed", "joint-discrepancy"),
        ("distillation-gain", "distillation", "distillation-discrepancy"),
        ("supervised-plain", "supervised", "supervised"),
        ("data-limited-plain", "data-limited", "data-limited"),
        ("busbridge2025-plain", "distillation", "busbridge2025"),
        ("hoffmann2022", "supervised", "supervised"),
    ],
)
def test_the_card_advised_lets_its_law_be_wrong(name, kind, wanted):
    assert _allowing(name, kind) == wanted
    assert load_card(wanted).discrepancy is not None


def test_students_above_their_teachers_lead_to_the_card_that_has_them():
    def advice(card, law, tails):
        fitted = SimpleNamespace(
            card=load_card(card), spec=SimpleNamespace(law_name=law, kind="mixed")
        )
        return law_checks_module._remedy_for_students(fitted, tails)

    assert "card distillation-gain" in advice("joint", "distillation-own-gap", (0.99, 0.01))
    assert "joint-discrepancy" in advice("joint", "distillation-own-gap", (0.01, 0.99))
    assert "joint-discrepancy" in advice("distillation-gain", "distillation-gain", (0.99, 0.01))
