"""Power-scaling: the log prior is the card's, and sensitivities tell prior from runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayes_distill.checking.power_scaling import THRESHOLD, sensitivity
from bayes_distill.errors import InputError
from bayes_distill.inference.fitted_model import FittedModel, stored_log_prior
from bayes_distill.predict.forecast import forecast


@pytest.fixture(scope="module")
def of_sweep(sweep):
    return sensitivity(sweep.posterior, "1B,10B", "100B", teacher_loss=2.0)


def test_log_prior_is_the_density_that_the_card_states(sweep):
    posterior = sweep.posterior
    stored = posterior.tree["log_prior"].dataset
    draws = posterior.tree["posterior"].dataset
    for name, prior in posterior.card.priors.items():
        location, sd = prior.hyperparameters()
        if prior.family == "lognormal":
            expected = stats.lognorm.logpdf(draws[name], sd, scale=np.exp(location))
        else:  # logit-normal
            share = draws[name].to_numpy()
            odds = np.log(share / (1 - share))
            expected = stats.norm.logpdf(odds, location, sd) - np.log(share * (1 - share))
        np.testing.assert_allclose(stored[name], expected, rtol=1e-6)
    assert {*posterior.card.priors, "supervised_z", "scale"} <= set(stored.data_vars)


def test_log_prior_of_vectors_is_summed(sweep):
    fitted = FittedModel.of(sweep.posterior)
    draws = fitted.prior_draws(5, 1)
    found = fitted.log_prior(draws)
    expected = stats.norm.logpdf(draws["supervised_z"]).sum(axis=-1)
    np.testing.assert_allclose(found["supervised_z"], expected, rtol=1e-6)
    assert set(found) == set(fitted.sampled_sites)
    assert all(value.shape == (5,) for value in found.values())


def test_log_prior_can_be_had_from_files_without_it(chinchilla):
    posterior = chinchilla.posterior
    fitted = FittedModel.of(posterior)
    stored = stored_log_prior(posterior, fitted)
    tree = posterior.tree.copy()
    del tree["log_prior"]
    found = stored_log_prior(replace(posterior, tree=tree), fitted)
    assert set(found) == set(stored) == set(fitted.stated_sites)
    for name, value in stored.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9)


def test_supervised_coefficients_rest_on_the_prior_and_the_bracket_on_the_runs(of_sweep):
    """Distillation runs say next to nothing about table 6; they say much about kappa."""
    found = of_sweep.table.set_index("name")
    # what the runs say is near the threshold, on either side of it from one seed to the next
    assert found.loc["alpha", "prior"] > max(THRESHOLD, found.loc["alpha", "likelihood"])
    assert found.loc["alpha", "moved_most_by"] == "supervised"
    assert found.loc["kappa", "likelihood"] > THRESHOLD
    assert found.loc["kappa", "likelihood"] > found.loc["kappa", "prior"]


def test_forecasts_asked_for_are_among_the_answers(of_sweep, sweep):
    found = of_sweep.table[of_sweep.table["kind"] == "forecast"]
    assert list(found["name"]) == [
        "loss of 1B on 100B, teacher 2",
        "loss of 10B on 100B, teacher 2",
    ]
    expected = forecast(sweep.posterior, "10B", "100B", teacher_loss=2.0).draws["loss"][:, 0]
    draws = of_sweep.tree["posterior"]["loss of 10B on 100B, teacher 2"].to_numpy()
    np.testing.assert_allclose(draws.reshape(-1), expected)


def test_every_answer_has_a_sensitivity_to_every_prior_alone(of_sweep, sweep):
    assert list(of_sweep.by_prior.index) == list(of_sweep.table["name"])
    assert {*sweep.posterior.card.priors, "supervised", "scale"} <= set(of_sweep.by_prior)
    assert np.isfinite(of_sweep.by_prior.to_numpy()).all()
    rows = of_sweep.to_json()["rows"]
    assert rows[0]["by_prior"]["supervised"] == of_sweep.by_prior.iloc[0]["supervised"]


def test_supervised_runs_outweigh_their_wide_priors(chinchilla):
    found = sensitivity(chinchilla.posterior).table
    assert (found["diagnosis"] == "rests on the runs").all()
    assert (found["kind"] == "forecast").sum() == 2


def test_all_faults_at_once(chinchilla):
    with pytest.raises(InputError) as caught:
        sensitivity(chinchilla.posterior, "1", None, at="nowhere.csv")
    told = str(caught.value)
    assert "nowhere.csv" in told
    assert "not both" in told
    with pytest.raises(InputError, match="supervised law"):
        sensitivity(chinchilla.posterior, "1B", "20B", teacher_loss=2.0)
