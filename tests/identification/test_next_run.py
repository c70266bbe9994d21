"""The next run: gains from draws, against formulas and against real refits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_distill.cards import load_card
from bayes_distill.errors import InputError
from bayes_distill.identification.candidates import candidate_grid, read_candidates
from bayes_distill.identification.gain import linear_gain, reweighted_gain
from bayes_distill.identification.identifiability import identifiability
from bayes_distill.identification.identify import identify
from bayes_distill.identification.next_run import next_run
from bayes_distill.laws import TABLE_6
from bayes_distill.likelihoods import Contaminated, Normal, StudentT
from bayes_distill.posterior import Posterior
from posteriors import synthetic_posterior

NORMAL = Normal()
STUDENT = StudentT(degrees_of_freedom=4.0)


@pytest.fixture(scope="module")
def only_shifts():
    """One law in all draws, and shifts of sizes that are independent beyond a factor of two."""
    plain = synthetic_posterior(load_card("busbridge2025"), {**TABLE_6, "G": 0.01, "X_G": 0.05})
    group = plain.tree["posterior"].dataset
    draws = 4000
    generator = np.random.default_rng(0)
    dims = ("chain", "draw")
    values = {str(name): (dims, np.full((1, draws), float(v[0, 0]))) for name, v in group.items()}
    values["scale"] = (dims, np.full((1, draws), 1e-5))
    values["shift"] = ((*dims, "size"), 0.01 * generator.standard_normal((1, draws, 1)))
    values["shift_sd"] = (dims, np.full((1, draws), 0.01))
    values["shift_new"] = (dims, generator.standard_normal((1, draws)))
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(values, coords={"size": [5e8]})})
    return Posterior(tree, plain.card, plain.reference, plain.info)


def test_a_run_tells_of_its_own_size_and_not_of_one_that_is_unlike(only_shifts):
    """Shifts of 30M and of 20B are independent, so that a run of one removes nothing."""
    runs = pd.DataFrame({"params": [3e7, 2e10], "tokens": [1e9, 4e11], "teacher_loss": [2.3, 2.0]})
    at = {"target_params": "20B", "target_tokens": "400B", "teacher_loss": 2.0}
    found = next_run(only_shifts, **at, candidates=runs).table.set_index("params")
    gain = found["linear_information_gain"]
    assert gain[3e7] < 16 / 4000  # the squared correlation of independent draws: four errors
    assert gain[2e10] > 0.99
    assert abs(found.loc[3e7, "information_gain"]) < 0.1


@pytest.fixture(scope="module")
def bivariate():
    """Target with correlation 0.8 to the mean; noise as wide as half the mean's spread."""
    generator = np.random.default_rng(0)
    mean = generator.standard_normal(4000)
    target = 0.8 * mean + 0.6 * generator.standard_normal(4000)
    return target[:, None], mean, np.full(4000, 0.5)


def test_normal_gain_is_the_formula(bivariate):
    target, mean, scale = bivariate
    found = linear_gain(target, mean[:, None], scale[:, None], NORMAL)
    r = np.corrcoef(target[:, 0], mean)[0, 1]
    assert found[0, 0] == pytest.approx(r**2 * mean.var() / (mean.var() + 0.25))


def test_a_student_t_run_tells_less_than_a_normal_one(bivariate):
    target, mean, scale = bivariate
    normal, student = (
        linear_gain(target, mean[:, None], scale[:, None], likelihood)[0, 0]
        for likelihood in (NORMAL, STUDENT)
    )
    assert student == pytest.approx(normal * 1.25 / (1 + 0.25 * 7 / 5), rel=0.02)


def test_a_parameter_that_differs_between_draws_counts_draw_by_draw(bivariate):
    """Half of the draws at each of two contaminations: their noise is averaged, not their share."""
    target, mean, scale = bivariate
    shares = np.where(np.arange(4000) % 2, 0.05, 0.4)
    found = linear_gain(target, mean[:, None], scale[:, None], Contaminated(contamination=shares))
    noise = [
        0.25 / Contaminated(contamination=c).fisher_information().location for c in (0.05, 0.4)
    ]
    r = np.corrcoef(target[:, 0], mean)[0, 1]
    expected = r**2 * mean.var() / (mean.var() + np.mean(noise))
    assert found[0, 0] == pytest.approx(expected, rel=1e-9)


def test_reweighting_agrees_with_its_first_order_where_few_runs_are_contaminated(bivariate):
    target, mean, scale = bivariate
    rare = Contaminated(contamination=np.full(4000, 1e-6), degrees_of_freedom=200.0)
    found = reweighted_gain(target, mean, scale, rare, np.random.default_rng(1), 200)
    normal = reweighted_gain(target, mean, scale, NORMAL, np.random.default_rng(1), 200)
    assert found.gain[0] == pytest.approx(normal.gain[0], abs=0.01)


def test_reweighting_agrees_where_all_is_normal(bivariate):
    target, mean, scale = bivariate
    linear = linear_gain(target, mean[:, None], scale[:, None], NORMAL)[0, 0]
    found = reweighted_gain(target, mean, scale, NORMAL, np.random.default_rng(1), 200)
    assert found.gain[0] == pytest.approx(linear, abs=0.02)
    assert found.unreliable < 0.1


def test_reweighting_sees_what_a_line_cannot():
    """The run measures the square of the target: no correlation, and yet much is learnt."""
    generator = np.random.default_rng(2)
    root = generator.choice([-1.0, 1.0], 4000) * (1 + 0.3 * generator.standard_normal(4000))
    target = np.abs(root)[:, None] - np.abs(root).mean()
    mean, scale = root**2 * np.sign(root), np.full(4000, 0.1)
    linear = linear_gain(target, mean[:, None], scale[:, None], NORMAL)[0, 0]
    found = reweighted_gain(target, mean, scale, NORMAL, generator)
    assert linear < 0.1
    assert found.gain[0] > 0.7


def test_a_target_that_all_draws_agree_on_has_nothing_to_gain(bivariate):
    _, mean, scale = bivariate
    fixed = np.ones((4000, 1))
    assert linear_gain(fixed, mean[:, None], scale[:, None], NORMAL)[0, 0] == 0
    assert reweighted_gain(fixed, mean, scale, NORMAL, np.random.default_rng(0)).gain[0] == 0


def test_grid_stays_near_the_runs(scattered):
    hull = scattered.hull
    found = candidate_grid(scattered, scattered.hulls, 2.0).points
    factors = np.array([hull.factors(*p) for p in zip(found.params, found.tokens, strict=True)])
    assert factors.max() <= 2.0
    assert (factors > 1).any()
    taught = found.teacher_loss[found.distilled]
    assert (taught.min(), taught.max()) == hull.teacher_loss
    assert (~found.distilled).any()
    ratio = found.tokens / found.params
    assert ratio.min() >= 0.9
    assert ratio.max() <= 1100


def test_teacher_runs_for_a_teacher_coefficient_and_supervised_ones_for_another(sweep):
    kappa = next_run(sweep.posterior, coefficient="kappa").table.iloc[0]
    assert np.isfinite(kappa["teacher_loss"])
    level = next_run(sweep.posterior, coefficient="level").table.iloc[0]
    assert np.isnan(level["teacher_loss"])


def test_a_run_at_the_point_itself_tells_most_about_a_forecast(chinchilla):
    asked = {"params": [1e9, 5e9, 1e8], "tokens": [2e10, 1e12, 2e9], "run": ["a", "b", "c"]}
    found = next_run(
        chinchilla.posterior,
        target_params="5B",
        target_tokens="1T",
        candidates=pd.DataFrame(asked),
    )
    assert found.table.iloc[0]["name"] == "b"
    assert found.targets["name"].item() == "loss of 5B on 1T"
    assert found.targets["sd_after"].item() < found.targets["sd"].item()


def test_targets_may_be_a_table(chinchilla):
    candidates = pd.DataFrame({"params": [1e9, 5e9], "tokens": [2e10, 1e12]})
    ask = {"posterior": chinchilla.posterior, "candidates": candidates}
    at = pd.DataFrame({"params": ["5B"], "tokens": ["1T"]})
    from_table = next_run(at=at, **ask)
    from_values = next_run(target_params="5B", target_tokens="1T", **ask)
    pd.testing.assert_frame_equal(from_table.table, from_values.table)
    with pytest.raises(InputError, match=r"at: give either.*coefficient: name coefficients or"):
        next_run(at=at, target_params="5B", target_tokens="1T", coefficient="beta", **ask)
    with pytest.raises(InputError, match="row 0, params"):
        next_run(at=at.assign(params="five"), **ask)


def test_fewer_draws_rank_alike_and_their_cost_is_said(chinchilla):
    whole = next_run(chinchilla.posterior, coefficient="beta")
    few = next_run(chinchilla.posterior, coefficient="beta", draws=500)
    (note,) = [note for note in few.notes if "draws were used" in note]
    assert f"of {chinchilla.posterior.n_draws:,} draws" in note
    assert not [note for note in whole.notes if "draws were used" in note]
    best, same = (r.table.iloc[0] for r in (whole, few))
    assert same["information_gain"] == pytest.approx(best["information_gain"], abs=0.1)
    assert any(
        "too narrow" in n
        for n in next_run(chinchilla.posterior, coefficient="beta", draws=25).notes
    )
    with pytest.raises(InputError, match="draws: 0 is less than 25"):
        next_run(chinchilla.posterior, coefficient="beta", draws=0)


def test_identify_is_both_questions(chinchilla):
    found = identify(chinchilla.posterior, coefficient="beta", interval=0.5, seed=3)
    expected = next_run(chinchilla.posterior, coefficient="beta", seed=3)
    pd.testing.assert_frame_equal(found.next_run.table, expected.table)
    report = identifiability(chinchilla.posterior, interval=0.5, seed=3)
    pd.testing.assert_frame_equal(found.coefficients.table, report.table)
    assert found.to_json() == {**report.to_json(), "next_run": expected.to_json()}
    with pytest.raises(InputError, match=r"interval: .*coefficient: .*has no delta"):
        identify(chinchilla.posterior, coefficient="delta", interval=5)


def test_the_next_run_needs_no_stored_runs_and_the_coefficients_do():
    found = identify("hoffmann2022", coefficient="beta")
    assert found.next_run.table.iloc[0]["recommended"] == "best"
    with pytest.raises(InputError, match="holds draws and no runs"):
        _ = found.coefficients
    assert "Candidates" in found._repr_html_()


def test_by_default_the_unidentified_coefficients(sweep):
    found = next_run(sweep.posterior)
    said = sweep.posterior.info["coefficients"]
    published = set(sweep.posterior.law.coefficient_names)
    expected = [c["name"] for c in said if c["name"] in published and not c["identified"]]
    assert list(found.targets["name"]) == expected
    assert list(found.by_target) == expected
    best = found.table.iloc[0]
    assert best["recommended"] == "best"
    assert best["information_gain"] == pytest.approx(found.by_target.iloc[0].mean())
    refined = found.table[found.table["refined_information_gain"].notna()]
    assert refined["information_gain"].is_monotonic_decreasing
    cheap = found.table[found.table["recommended"] == "cheap"]
    assert (cheap["flops"] < best["flops"]).all()
    assert (cheap["information_gain"] >= 0.8 * best["information_gain"]).all()


def test_reproducible_from_the_seed(chinchilla):
    one, two = (next_run(chinchilla.posterior, coefficient="beta", seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, two.table)


def test_budget_limits_the_run(chinchilla):
    free = next_run(chinchilla.posterior, coefficient="beta")
    limit = free.table["flops"].median()
    found = next_run(chinchilla.posterior, coefficient="beta", budget=limit).table
    assert found["flops"].max() <= limit
    plain = next_run(chinchilla.posterior, coefficient="beta", flops="6nd").table
    np.testing.assert_allclose(plain["flops"], 6 * plain["params"] * plain["tokens"])


def test_all_faults_at_once(chinchilla):
    with pytest.raises(InputError) as caught:
        next_run(
            chinchilla.posterior,
            coefficient="beta",
            target_params="1",
            candidates="no.csv",
            budget="lots",
            flops="guess",
            reach=0.5,
        )
    told = str(caught.value)
    for part in ("target_params", "target_tokens", "no.csv", "lots", "guess", "reach", "not both"):
        assert part in told, part
    with pytest.raises(InputError, match="has no delta"):
        next_run(chinchilla.posterior, coefficient="delta")
    with pytest.raises(InputError, match="cheapest candidate"):
        next_run(chinchilla.posterior, budget=1e10)
    with pytest.raises(InputError, match="tokens"):
        read_candidates(pd.DataFrame({"params": ["1B"]}))


@pytest.mark.slow
def test_the_promised_gain_comes_true():
    """Add the best run and a poor one for real; the promised variance goes, and does not.

    Outcomes come from the fit itself, at evenly spaced quantiles of the run's mean. Each refit's
    variance of log alpha scatters by some 10% around its expectation.
    """
    from bayes_distill.cards import load_card
    from bayes_distill.inference.fit import fit
    from bayes_distill.inference.simulation import simulate_from_card
    from bayes_distill.predict.points import grid

    sizes, ratio = np.meshgrid(np.geomspace(5e7, 1e9, 8), [10.0, 20.0, 40.0])
    design = pd.DataFrame({"params": sizes.ravel(), "tokens": (sizes * ratio).ravel()})
    truth = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
    runs, _ = simulate_from_card(
        "supervised-plain", design, coefficients=truth, noise=0.003, seed=4
    )
    card = load_card("supervised-plain").model_copy(update={"target_accept": 0.95})
    before = fit(runs, card, warmup=300, draws=1000)
    promised = next_run(before, coefficient="alpha")
    asked = {"best": promised.table.iloc[0], "poor": promised.table.iloc[-1]}
    assert asked["best"]["information_gain"] > 0.3
    assert asked["poor"]["information_gain"] < 0.05
    now = np.log(before.published["alpha"]).var()
    for name, count in (("best", 3), ("poor", 3)):
        run = asked[name]
        mean = grid(run["params"], run["tokens"]).loss_draws(before)[:, 0]
        left = []
        for y in np.quantile(mean, (np.arange(count) + 0.5) / count):
            row = pd.DataFrame([{"params": run["params"], "tokens": run["tokens"], "loss": y}])
            table = pd.concat([runs.frame, row], ignore_index=True)[["params", "tokens", "loss"]]
            left.append(np.log(fit(table, card, warmup=300, draws=1000).published["alpha"]).var())
        assert 1 - np.mean(left) / now == pytest.approx(run["information_gain"], abs=0.15), name
