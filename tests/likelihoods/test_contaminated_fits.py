"""Fits with a share of badly tuned runs, from the card to the decision."""

from __future__ import annotations

import json

import jax
import numpy as np
import pytest
import scipy.stats
import xarray as xr

from badly_tuned import NOISE, TRUTH, badly_tuned, card_of
from bayes_distill.calibration.quantities import sampled_quantity
from bayes_distill.calibration.replicate import run_replicate
from bayes_distill.calibration.setting import make_setting
from bayes_distill.calibration.simulator import simulate_replicate
from bayes_distill.cards import card_from_dict, load_card
from bayes_distill.checking.checks import predictive
from bayes_distill.checking.power_scaling import sensitivity
from bayes_distill.cli.main import run
from bayes_distill.comparison.stacking import stack_loaded
from bayes_distill.errors import InputError
from bayes_distill.identification.next_run import next_run
from bayes_distill.inference.fit import fit
from bayes_distill.inference.fitted_model import FittedModel, fitted_draws
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.inference.two_stage import supervised_noise
from bayes_distill.laws import TABLE_6, Chinchilla, Reference
from bayes_distill.likelihoods import Contaminated
from bayes_distill.likelihoods.location_scale import LocationScale
from bayes_distill.posterior import Posterior
from bayes_distill.predict.forecast import forecast
from bayes_distill.runs import chinchilla_design, paper_design, simulate
from bayes_distill.validation.leave_out import validate

pytestmark = pytest.mark.slow


def true_loss(params, tokens):
    c = TRUTH
    return c["E"] + c["A"] / params ** c["alpha"] + c["B"] / tokens ** c["beta"]


def curve_error(posterior, frame):
    """Root mean square of the curve's relative error over the runs, in residual scales."""
    sizes = [frame[name].to_numpy(float) for name in ("params", "tokens")]
    exact = true_loss(*sizes)
    mean = posterior.supervised_loss(*sizes).mean(axis=0)
    return float(np.sqrt(np.mean(((mean - exact) / exact) ** 2)) / NOISE)


def test_the_true_curve_is_recovered_closer_than_by_a_student_t():
    """On each of four sweeps, so that it is not luck; the excess is not of the family's form."""
    errors = {"student_t": [], "contaminated": []}
    for seed in range(4):
        runs = badly_tuned(seed)
        for family, found in errors.items():
            posterior = fit(
                runs, card_of(family), warmup=300, draws=300, seed=seed, check_law=False
            )
            assert posterior.verdict != "fail"
            found.append(curve_error(posterior, runs.frame))
    assert all(np.array(errors["contaminated"]) < np.array(errors["student_t"])), errors
    assert np.mean(errors["contaminated"]) < 0.7 * np.mean(errors["student_t"]), errors


def test_runs_that_are_all_well_tuned_lose_little():
    """The price of the extra parameter: intervals at most a tenth wider."""
    design = chinchilla_design().iloc[::3]
    runs = simulate(Chinchilla(), TRUTH, design, noise=NOISE, relative=True, seed=5)
    at = np.array([1e9]), np.array([2e10])
    plain, wary = (
        fit(runs, card_of(family), warmup=300, draws=500, check_law=False).supervised_loss(*at)
        for family in ("student_t", "contaminated")
    )
    assert abs(wary.mean() - plain.mean()) < 0.5 * plain.std()
    assert wary.std() < 1.1 * plain.std()


def test_the_parameter_is_stored_described_and_learnt(contaminated):
    share = contaminated.draws["contamination"]
    assert 0.1 < share.mean() < 0.4  # the truth is a quarter
    stated = {c["name"]: c for c in contaminated.info["coefficients"]}["contamination"]
    assert stated["meaning"].startswith("share of runs")
    assert stated["mean"] == pytest.approx(share.mean())
    assert stated["sampled"]
    for group in ("prior", "log_prior"):
        assert "contamination" in contaminated.tree[group].data_vars


def test_stored_log_likelihood_is_that_of_the_likelihood(contaminated):
    """By NUTS's own model, by the rebuilt one and by the posterior's log density: one number."""
    stored = contaminated.tree["log_likelihood"]["loss"].to_numpy()
    at = FittedModel.of(contaminated).by_run(fitted_draws(contaminated))
    np.testing.assert_allclose(
        at.log_likelihood, stored.reshape(at.log_likelihood.shape), rtol=1e-4, atol=1e-4
    )
    runs = contaminated.tree["runs"].dataset
    params, tokens, loss = (runs[n].to_numpy() for n in ("params", "tokens", "loss"))
    mean = contaminated.supervised_loss(params, tokens)
    density = contaminated.log_density(loss, mean, np.zeros(len(loss), bool))
    np.testing.assert_allclose(
        density + np.log(contaminated.reference.loss), at.log_likelihood, rtol=1e-6, atol=1e-6
    )


def test_a_forecast_is_of_well_tuned_runs_and_a_new_run_may_be_bad(contaminated):
    found = forecast(contaminated, params="1B", tokens="20B").table.iloc[0]
    exact = true_loss(1e9, 2e10)
    assert found["loss_mean"] == pytest.approx(exact, rel=0.5 * NOISE)
    above = found["new_run_upper"] - found["loss_mean"]
    below = found["loss_mean"] - found["new_run_lower"]
    assert above > 3 * below


def test_new_runs_follow_each_draw_s_own_likelihood(contaminated):
    few = contaminated.thin(100)
    mean, none = np.full((few.n_draws, 2000), 2.5), np.zeros(2000, bool)
    z = (few.new_run(mean, none, np.random.default_rng(0)) - mean) / few.noise_scale(mean, none)
    shares = few.draws["contamination"]
    for i in (int(shares.argmin()), int(shares.argmax())):
        one = Contaminated(contamination=shares[i])
        assert scipy.stats.kstest(z[i], one.cdf).pvalue > 1e-3


def test_checks_of_the_fit_against_its_own_runs(contaminated):
    found = predictive(contaminated)
    assert found.posterior.table["p_larger"].between(0.01, 0.99).all()
    assert found.leave_one_out.table["pit"].between(0, 1).all()
    told = sensitivity(contaminated)
    assert "contamination" in told.sites
    assert np.isfinite(told.table["prior"]).all()


def test_validation_scores_runs_that_were_left_out(contaminated):
    found = validate(
        badly_tuned(0),
        card_of("contaminated"),
        leave_out="tail",
        tail="loss < 2.3",
        warmup=200,
        draws=200,
        chains=2,
    )
    whole = found.table.iloc[-1]
    assert whole["runs"] >= 8
    assert whole["coverage_90"] > 0.7
    assert np.isfinite(found.rows["lpd"]).all()


def test_the_next_run_works_with_it(contaminated):
    found = next_run(contaminated, coefficient="alpha").table
    best = found.iloc[0]
    assert 0 < best["information_gain"] <= 1
    assert best["reliable"]
    assert (found["linear_information_gain"].dropna() >= 0).all()
    # noise of which a part is far off carries less information than its core
    surer = contaminated.draws | {"contamination": np.full(contaminated.n_draws, 1e-9)}
    group = xr.Dataset({n: (("chain", "draw"), v[None]) for n, v in surer.items()})
    tree = xr.DataTree.from_dict({"posterior": group})
    clean = Posterior(tree, contaminated.card, contaminated.reference, contaminated.info)
    without = next_run(clean, coefficient="alpha").table["linear_information_gain"]
    assert without.max() > found["linear_information_gain"].max()


def test_a_stack_with_a_student_t_follows_each_of_them(contaminated):
    other = fit(badly_tuned(0), card_of("student_t"), warmup=200, draws=200, check_law=False)
    stacked = stack_loaded({"a": contaminated, "b": other}, [0.5, 0.5], 400)
    (first, mine), (second, theirs) = stacked.likelihoods(np.array([False]))
    assert isinstance(first, Contaminated)
    assert type(second).name == "student_t"
    assert (mine.stop - mine.start, theirs.stop - theirs.start) == (200, 200)
    assert first.contamination.shape == (200, 1)
    mean = np.full((stacked.n_draws, 5000), 2.5)
    none = np.zeros(5000, bool)
    z = (stacked.new_run(mean, none, np.random.default_rng(0)) - mean) / stacked.noise_scale(
        mean, none
    )
    tails = [float(np.mean(z[rows] > 6)) for rows in (mine, theirs)]
    assert tails[0] > 5 * tails[1]


def test_a_simulated_sweep_says_which_parameter_it_came_from():
    card = card_of("contaminated", mean_excess=20.0)
    design = chinchilla_design()
    runs, truth = simulate_from_card(card, design, coefficients=TRUTH | {"gamma": 1.0}, seed=3)
    (note,) = [note for note in runs.notes if "contamination" in note]
    share = float(note.split()[2].rstrip(","))
    exact = true_loss(design["params"].to_numpy(), design["tokens"].to_numpy())
    z = (runs.frame["loss"].to_numpy() - exact) / 0.005
    z = z / (exact if card.likelihood.scale == "relative" else 1.0)
    error = 3 * np.sqrt(share * (1 - share) / len(z))
    far = Contaminated(contamination=share, mean_excess=20.0).sf(np.array(6.0))
    assert np.mean(z > 6) == pytest.approx(float(far), abs=error)
    assert (z > -12).all()
    assert set(truth) >= set(TRUTH)


def test_simulation_needs_numbers():
    design = chinchilla_design()
    with pytest.raises(InputError, match="contaminated needs numbers for contamination"):
        simulate(Chinchilla(), TRUTH, design, likelihood="contaminated")
    one = Contaminated(contamination=0.5, mean_excess=30.0)
    bad = simulate(Chinchilla(), TRUTH, design, noise=0.01, likelihood=one).frame["loss"]
    exact = true_loss(design["params"].to_numpy(), design["tokens"].to_numpy())
    assert 0.3 < np.mean(bad - exact > 0.05) < 0.6


def test_calibration_draws_its_runs_from_the_likelihood():
    setting = make_setting(card_of("contaminated"), None, chinchilla_design())
    residuals, shares = [], []
    for i in range(30):
        truth, data = simulate_replicate(setting, jax.random.key(i))
        loss = np.asarray(data.loss)[np.asarray(data.mask)]
        sizes = (np.asarray(column)[np.asarray(data.mask)] for column in (data.params, data.tokens))
        law, unit = setting.fitted.spec.law, Reference(1.0, 1.0, 1.0)
        mean = np.asarray(law.supervised_loss(truth, *sizes, unit))
        scale = truth["supervised_scale"] * (mean if setting.fitted.spec.relative else 1.0)
        shares.append(np.full(len(loss), truth["contamination"]))
        residuals.append((loss - mean) / scale)
    one = Contaminated(contamination=np.concatenate(shares))
    assert scipy.stats.kstest(one.cdf(np.concatenate(residuals)), "uniform").pvalue > 1e-3
    described = sampled_quantity(setting.fitted, "contamination")
    assert (described.kind, described.meaning[:13]) == ("noise", "share of runs")


def test_one_sweep_of_a_calibration_ranks_the_parameter():
    card, design = card_of("contaminated"), chinchilla_design().iloc[::3]
    columns = {name: design[name].tolist() for name in ("params", "tokens")}
    content = {"card": card.model_dump(mode="json"), "simulator": None, "design": columns}
    task = {"study": content, "replicate": 0, "seed": 0, "chains": 2, "warmup": 150, "draws": 100}
    found = run_replicate(task)
    assert 0 <= found["quantities"]["contamination"]["pit"] <= 1


# --- two kinds of run ------------------------------------------------------------------------


def taught(**draws):
    """Made-up draws of a distillation law about table 6 whose likelihood is contaminated."""
    content = load_card("busbridge2025-plain").model_dump(mode="json")
    content["likelihood"] |= {"family": "contaminated"}
    card, reference = card_from_dict(content, "taught"), Reference(5.46e8, 1.94e10, 2.4)
    values = card.scaling_law.from_published(TABLE_6, reference)
    values |= {"scale": 0.002, "contamination": 0.1, **draws}
    group = {n: (("chain", "draw"), np.full((1, 50), float(v))) for n, v in values.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(group)})
    return Posterior(tree, card, reference, {})


def test_supervised_runs_keep_the_parameters_of_their_own_stage():
    both = taught(supervised_scale=0.01, supervised_contamination=0.6)
    distilled = np.array([True, False])
    ((likelihood, rows),) = both.likelihoods(distilled)
    assert rows == slice(None)
    np.testing.assert_array_equal(likelihood.contamination, np.tile([0.1, 0.6], (50, 1)))
    ((likelihood, _),) = taught().likelihoods(distilled)
    np.testing.assert_array_equal(likelihood.contamination, np.full((50, 1), 0.1))
    many = np.repeat(distilled, 4000)
    mean = np.full((50, 8000), 2.4)
    z = (both.new_run(mean, many, np.random.default_rng(0)) - mean) / both.noise_scale(mean, many)
    far = [float(np.mean(z[:, many == kind] > 8)) for kind in (True, False)]
    expected = [float(Contaminated(contamination=c).sf(np.array(8.0))) for c in (0.1, 0.6)]
    np.testing.assert_allclose(far, expected, rtol=0.05)


def test_a_first_stage_hands_its_parameters_on(contaminated):
    second = load_card("joint").model_dump(mode="json")
    second["likelihood"] |= {"family": "contaminated", "scale": "relative"}
    card = card_from_dict(second, "second")
    found = supervised_noise(contaminated, card, contaminated.reference)
    assert list(found) == ["supervised_scale", "supervised_contamination"]
    np.testing.assert_array_equal(
        found["supervised_contamination"], contaminated.draws["contamination"]
    )
    second["likelihood"]["contamination"] = 0.3
    other = card_from_dict(second, "second")
    assert supervised_noise(contaminated, other, contaminated.reference) == {}


def test_distilled_runs_too(tmp_path, capsys):
    """Card, simulation, fit, forecast, risk and report by the command line."""
    card = taught().card
    content = card.model_dump(mode="json")
    content["likelihood"] |= {"contamination": 0.3}
    design, known = paper_design().iloc[::4], card_from_dict(content, "known")
    runs, _ = simulate_from_card(known, design, coefficients="table6", noise=0.003, seed=1)
    found = fit(runs, card, chains=2, warmup=300, draws=200, check_law=False)
    assert found.draws["contamination"].mean() == pytest.approx(0.3, abs=0.12)
    file = found.save(tmp_path / "fit.nc")
    point = ["--params", "1B", "--tokens", "20B", "--teacher-loss", "2.1", "--allow-failed"]
    assert run(["forecast", str(file), *point, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["rows"][0]
    above, below = (
        row["predictive"]["upper"] - row["mean"],
        row["mean"] - row["predictive"]["lower"],
    )
    assert above > 3 * below
    assert run(["risk", str(file), *point, "--json"]) == 0
    capsys.readouterr()
    page = tmp_path / "report.html"
    assert run(["report", str(file), "--out", str(page), "--allow-failed", "--json"]) == 0
    assert page.stat().st_size > 1e5


def test_the_log_density_of_traced_and_stored_draws_is_one():
    """The distribution that NUTS sees under `jit` and `vmap`, against NumPy's."""
    shares, z = np.array([0.05, 0.4]), np.array([-3.0, 0.5, 12.0])

    @jax.jit
    @jax.vmap
    def of_draw(share):
        noise = Contaminated(contamination=share).distribution(2.0, 0.1)
        assert isinstance(noise, LocationScale)
        return noise.log_prob(2.0 + 0.1 * z)

    expected = Contaminated(contamination=shares[:, None]).log_prob(z) - np.log(0.1)
    np.testing.assert_allclose(of_draw(shares), expected, rtol=1e-12)
