"""Predictive checks: what they compute, and that a wrong model shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayes_distill.checking.pit import leave_one_out_pit
from bayes_distill.checking.predictive import posterior_predictive, prior_predictive
from bayes_distill.errors import InputError
from bayes_distill.inference.fitted_model import FittedModel, fitted_draws


def with_losses(posterior, losses):
    """The same draws beside other measured losses."""
    tree = posterior.tree.copy()
    tree["runs"] = tree["runs"].dataset.assign(loss=("run", losses))
    # the unit of the supervised prior is read off the losses; the reference stays as it was
    return replace(posterior, tree=tree)


def by_name(check):
    return check.table.set_index("name")


def test_rebuilt_model_gives_the_stored_log_likelihood(sweep):
    posterior = sweep.posterior
    draws = fitted_draws(posterior)
    found = FittedModel.of(posterior).by_run(draws)
    stored = posterior.tree["log_likelihood"]["loss"].to_numpy()
    np.testing.assert_allclose(found.log_likelihood, stored.reshape(len(found.mean), -1), atol=1e-5)


def test_rebuilt_model_gives_the_law_at_every_run(sweep, plain):
    posterior = sweep.posterior
    mean = FittedModel.of(posterior).by_run(fitted_draws(posterior)).mean
    for place in (0, 100, 300):
        run = sweep.runs.frame.iloc[place]
        expected = plain.distilled(posterior.published, run.params, run.tokens, run.teacher_loss)
        np.testing.assert_allclose(mean[:, place], expected, rtol=1e-8)


def test_mixed_tables_are_rebuilt_too(mixed):
    """Teachers known by size only, and two kinds of noise."""
    posterior = mixed.posterior
    draws = fitted_draws(posterior)
    found = FittedModel.of(posterior).by_run(draws).log_likelihood
    stored = posterior.tree["log_likelihood"]["loss"].to_numpy()
    np.testing.assert_allclose(found, stored.reshape(found.shape), atol=1e-5)


def test_a_posterior_without_runs_says_so(scattered):
    with pytest.raises(InputError, match="holds no runs"):
        posterior_predictive(scattered)


def test_replications_scatter_as_the_likelihood_says(chinchilla):
    fitted = FittedModel.of(chinchilla.posterior)
    at = fitted.by_run(fitted_draws(chinchilla.posterior, 200))
    new = fitted.replicate(at, 3)
    scaled = ((new - at.mean) / at.scale)[:, :20].reshape(-1)
    assert stats.kstest(scaled, stats.t(4).cdf).pvalue > 0.001
    residuals = at.likelihood.normal_scores((new - at.mean) / at.scale)
    assert stats.kstest(residuals[:, :20].reshape(-1), stats.norm.cdf).pvalue > 0.001


def test_runs_from_the_model_pass(sweep):
    found = by_name(posterior_predictive(sweep.posterior))
    assert set(found.index) >= {"largest_residual", "same_size", "trend_tokens", "below_teacher"}
    # at 1% in either tail one alarm may be chance, three are not
    assert (found["verdict"] == "review").sum() <= 1, found[["p", "verdict"]]
    assert (found["advice"] != "").sum() == (found["verdict"] == "review").sum()


def test_what_a_student_size_has_in_common_is_found(sweep):
    """Every size shifted by two residual scales, up and down in turn."""
    frame = sweep.runs.frame
    sizes = np.unique(frame["params"], return_inverse=True)[1]
    shift = 0.01 * (-1.0) ** sizes
    shifted = with_losses(sweep.posterior, frame["loss"].to_numpy() + shift)
    row = by_name(posterior_predictive(shifted)).loc["same_size"]
    assert row["p_larger"] < 0.01
    assert row["verdict"] == "review"
    assert "too narrow" in row["advice"]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_trend_is_found_and_its_direction_said(chinchilla, sign):
    frame = chinchilla.runs.frame
    x = np.log(frame["tokens"].to_numpy())
    tilted = frame["loss"].to_numpy() * np.exp(sign * 0.004 * (x - x.mean()) / x.std())
    row = by_name(posterior_predictive(with_losses(chinchilla.posterior, tilted))).loc[
        "trend_tokens"
    ]
    assert row["p_larger"] < 0.01 if sign > 0 else row["p_larger"] > 0.99
    assert ("rise" if sign > 0 else "fall") in row["advice"]


def test_prior_predictive_is_of_the_prior_and_of_these_runs(sweep):
    found = prior_predictive(sweep.posterior)
    assert found.table["new_run_lower"].lt(found.table["new_run_median"]).all()
    assert found.surprising == []  # the truth is table 6, where the prior is centred
    assert found.tree["prior_predictive"]["loss"].shape == (1, 1000, len(sweep.runs))
    assert found.ranges["share_of_runs"].max() < 0.05
    below = found.tree["prior_predictive"]["loss"][0] < sweep.runs.frame["loss"].to_numpy()
    np.testing.assert_allclose(found.table["pit"], below.mean("draw"))


def test_prior_predictive_counts_what_lies_out_of_range(sweep):
    """A vocabulary of eight: whatever exceeds log 8 = 2.08 nats is above knowing nothing."""
    found = prior_predictive(sweep.posterior, vocabulary=8)
    row = found.ranges.iloc[1]
    assert row["limit"] == pytest.approx(np.log(8))
    losses = found.tree["prior_predictive"]["loss"].to_numpy()
    assert row["share_of_runs"] == (losses > np.log(8)).mean() > 0.5


def test_runs_that_the_prior_ruled_out_are_named(sweep):
    losses = sweep.runs.frame["loss"].to_numpy().copy()
    losses[[3, 8]] = [0.4, 60.0]
    assert prior_predictive(with_losses(sweep.posterior, losses)).surprising == [3, 8]


def test_loo_pit_is_uniform_for_runs_of_the_model(sweep):
    found = leave_one_out_pit(sweep.posterior)
    assert found.verdict == "pass"
    assert found.reading == ""
    assert stats.kstest(found.table["pit"], "uniform").pvalue > 0.01
    held = found.coverage.set_index("level")["held"]
    # four standard errors of a share over these runs
    for level, share in held.items():
        assert abs(share - level) < 4 * np.sqrt(level * (1 - level) / len(found.table))


def test_loo_pit_is_the_place_among_the_replications(sweep):
    """Far from outliers the weights are even, and the place is the plain share below."""
    check = posterior_predictive(sweep.posterior)
    found = leave_one_out_pit(sweep.posterior, predictive=check)
    new = check.tree["posterior_predictive"]["loss"].to_numpy().reshape(-1, len(sweep.runs))
    plain = (new < sweep.runs.frame["loss"].to_numpy()).mean(axis=0)
    assert np.abs(found.table["pit"] - plain).max() < 0.1


@pytest.mark.parametrize(
    ("change", "reading"),
    [
        (lambda noise: 2.5 * noise, "too narrow"),
        (lambda noise: 0.2 * noise, "too wide"),
        (lambda noise: noise + 0.006, "worse than forecast"),
        (lambda noise: noise - 0.006, "better than forecast"),
    ],
    ids=["wilder", "tamer", "worse", "better"],
)
def test_loo_pit_finds_what_is_wrong(sweep, change, reading):
    mean = (
        FittedModel.of(sweep.posterior).by_run(fitted_draws(sweep.posterior, 100)).mean.mean(axis=0)
    )
    noise = sweep.runs.frame["loss"].to_numpy() - mean
    found = leave_one_out_pit(with_losses(sweep.posterior, mean + change(noise)))
    assert found.verdict == "review"
    assert reading in found.reading
