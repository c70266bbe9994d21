"""Checks of a law with discrepancies of sizes, and effects that runs share."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from bayes_distill.cards import load_card
from bayes_distill.checking.checks import predictive
from bayes_distill.checking.power_scaling import sensitivity
from bayes_distill.errors import InputError
from bayes_distill.identification.identifiability import identifiability
from bayes_distill.identification.next_run import next_run
from bayes_distill.identification.targets import Wanted, targets_of
from bayes_distill.inference.density import prior_sampler
from bayes_distill.inference.draws_to_posterior import draws_to_posterior
from bayes_distill.inference.fitted_model import FittedModel, fitted_draws
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.inference.sampler import Sample
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.posterior import Posterior
from bayes_distill.predict.points import grid
from bayes_distill.runs import paper_design, read_runs
from bayes_distill.runs.grouping import condition_groups, teacher_groups

CHAINS, DRAWS = 2, 300


@pytest.fixture(scope="module")
def departing(fits_folder):
    """Draws from the prior of the default card, stored as those of a fit are, and read back.

    They cost no sampling, and every test holds them against themselves. Half of the teachers'
    losses have standard errors.
    """
    runs, _ = simulate_from_card(
        "busbridge2025-plain", paper_design().iloc[::3], coefficients="table6", seed=2
    )
    frame = runs.frame.drop(columns="group", errors="ignore")
    frame["teacher_loss_se"] = np.where(frame["params"] > 3e8, 0.004, np.nan)
    table, card = read_runs(frame), load_card("busbridge2025")
    reference = reference_point(card, table.frame)
    spec, data, hyper, _ = model_inputs(card, table, reference)
    keys = jax.random.split(jax.random.key(0), CHAINS * DRAWS)
    raw = jax.device_get(prior_sampler(spec)(keys, data, hyper))
    noise = np.random.default_rng(0).standard_normal((CHAINS, DRAWS))
    stats = {"diverging": noise > 9, "n_steps": np.full(noise.shape, 7), "energy": noise}
    stats |= {"step_size": np.ones_like(noise), "lp": noise}
    sample = Sample(
        {k: v.reshape(CHAINS, DRAWS, *v.shape[1:]) for k, v in raw.items()}, stats, {}, 0
    )
    tree, info = draws_to_posterior(card, spec, data, hyper, table, sample, reference, 0, 0.9)
    told = {"verdict": "pass", "diagnostics": info["diagnostics"] | {"verdict": "pass"}}
    made_up = Posterior(tree, card, reference, info | {"kind": "distillation"} | told)
    return Posterior.load(made_up.save(fits_folder / "departing.nc"))


def test_rebuilt_model_gives_the_stored_log_likelihood(departing):
    """With effects, discrepancies and errors of teachers: all that the likelihood saw."""
    found = FittedModel.of(departing).by_run(fitted_draws(departing)).log_likelihood
    stored = departing.tree["log_likelihood"]["loss"].to_numpy()
    # stored in single precision
    np.testing.assert_allclose(found, stored.reshape(found.shape), rtol=1e-4, atol=1e-3)
    plain = departing.tree.copy()
    del plain["effects"]
    with pytest.raises(KeyError):
        FittedModel.of(departing).by_run(fitted_draws(replace(departing, tree=plain)))


def test_rebuilt_model_is_the_curve_and_what_the_runs_share(departing):
    fitted = FittedModel.of(departing)
    mean = fitted.by_run(fitted_draws(departing)).mean
    exact = fitted.frame["teacher_loss_se"].isna().to_numpy()
    frame = fitted.frame
    columns = (frame[n].to_numpy() for n in ("params", "tokens", "teacher_loss"))
    curve = departing.distilled_loss(*columns)
    levels = {
        "teacher_effect": teacher_groups(frame),
        "condition_effect": condition_groups(frame["params"], frame["tokens"]),
    }
    effects = departing.tree["effects"].dataset
    shared = sum(
        effects[name].to_numpy().reshape(len(mean), -1)[:, level] for name, level in levels.items()
    )
    expected = curve + shared * departing.reference.loss
    # a posterior interpolates discrepancies, with a jitter, and effects are in single precision
    np.testing.assert_allclose(mean[:, exact], expected[:, exact], rtol=1e-5)
    assert np.abs(mean[:, ~exact] - expected[:, ~exact]).max() > 1e-3  # their errors are in it


def test_a_thinned_fit_is_checked_against_its_own_runs_like_the_whole(departing):
    """With what its runs share, draw by draw."""
    thin = departing.thin(100)
    stride = thin.info["thinned_by"]
    every, few = (FittedModel.of(fit).by_run(fitted_draws(fit)).mean for fit in (departing, thin))
    np.testing.assert_allclose(few, every[::stride], rtol=1e-6)


def test_all_checks_run(departing):
    found = predictive(departing)
    assert found.posterior.table["p_larger"].between(0, 1).all()
    assert found.leave_one_out.table["pit"].between(0, 1).all()
    assert np.isfinite(found.prior.table["new_run_median"]).all()


def test_priors_of_effects_are_not_scaled_and_those_of_their_scales_are(departing):
    """They are part of the model: a card states how far sizes may lie off, not where they lie."""
    found = sensitivity(departing)
    spreads = {"shift_sd", "tilt_sd", "teacher_sd", "condition_sd"}
    assert spreads <= set(found.sites)
    assert not {name for name in found.sites if name.endswith("_z")} - {"supervised_z"}
    assert np.isfinite(found.table["prior"]).all()


def test_a_file_that_lacks_what_it_takes_says_so(departing):
    tree = departing.tree.copy()
    del tree["log_prior"]
    with pytest.raises(InputError, match="fit again"):
        sensitivity(replace(departing, tree=tree))


def test_report_names_the_gain_too(departing):
    found = identifiability(departing)
    assert {"G", "X_G", "gain_reach"} <= set(found.table["name"])
    assert len(found.combinations)


def test_what_a_single_run_shares_hides_the_curve_from_it(departing):
    """A run's mean scatters by the effects besides; a forecast's does not."""
    targets = targets_of(departing, Wanted(points=grid("1B", "20B", 2.0)))
    at = grid("1B", "20B", 2.0)
    means, _ = targets.candidate_means(at, 0)
    added = (means - targets.values)[:, 0] / departing.reference.loss
    scaled = added / np.hypot(departing.draws["teacher_sd"], departing.draws["condition_sd"])
    # four standard errors of the standard deviation of these draws
    assert scaled.std() == pytest.approx(1, abs=4 / np.sqrt(2 * CHAINS * DRAWS))


def test_next_run_knows_that_a_size_departs_alike_in_run_and_forecast(departing):
    """The forecast of a size is narrowed more by a run of that size than by the law alone."""
    found = next_run(departing, target_params="1B", target_tokens="20B", teacher_loss=2.0)
    best = found.table.iloc[0]
    assert 0 < best["information_gain"] <= 1
