"""Single runs of recipes: their distribution, and that recipes are compared under the same ones."""

import numpy as np
import pytest
import xarray as xr
from scipy import integrate, stats

from bayes_distill import plan
from bayes_distill.cards import load_card
from bayes_distill.compute import SCENARIOS
from bayes_distill.laws import Reference
from bayes_distill.planning.criteria import criterion_named, mean
from bayes_distill.planning.run_scatter import RUNS, RunScatter
from bayes_distill.planning.setting import Setting
from bayes_distill.posterior import Posterior

BEST, SUPERVISED = SCENARIOS["best-case"], SCENARIOS["supervised"]
DRAWS = 1000
SCALE, TEACHER, CONDITION, LOSS = 0.001, 0.002, 0.0015, 2.4  # of the reference loss; the latter


@pytest.fixture
def same_law(table_6):
    """One law in all draws: everything that is uncertain about a run is its scatter."""

    def posterior(**spread):
        values = {name: float(v) for name, v in table_6.items()} | {"scale": SCALE} | spread
        dims = ("chain", "draw")
        group = xr.Dataset({name: (dims, np.full((1, DRAWS), v)) for name, v in values.items()})
        tree = xr.DataTree.from_dict({"posterior": group})
        reference = Reference(5.46e8, 1.94e10, LOSS)
        return Posterior(tree, load_card("busbridge2025-plain"), reference, {})

    return posterior


def setting_of(posterior, criterion, scenario=BEST, seed=0):
    return Setting(posterior, 1e9, scenario, criterion=criterion_named(criterion), seed=seed)


def p_above(distance):
    """P(t + effects > distance), with a Student t of 4 degrees, all in the unit of the loss."""
    sd = LOSS * np.hypot(TEACHER, CONDITION)
    t = stats.t(4, scale=SCALE * LOSS)

    def joint(effect):
        return t.sf(distance - effect) * stats.norm.pdf(effect, scale=sd)

    return integrate.quad(joint, -12 * sd, 12 * sd, epsabs=1e-10)[0]


@pytest.mark.parametrize("distance", [-0.01, -0.002, 0.0, 0.004, 0.012])
def test_the_probability_of_a_miss_is_that_of_a_run(same_law, distance):
    losses = np.full((DRAWS, 1), 2.2)
    noise_only = setting_of(same_law(), f"target:{2.2 + distance!r}")
    # a systematic sample: its error is far below that of 8000 independent runs
    exact = stats.t.sf(distance / (SCALE * LOSS), 4)
    assert noise_only.score(losses)[0] == pytest.approx(exact, abs=0.003)
    with_effects = setting_of(
        same_law(teacher_sd=TEACHER, condition_sd=CONDITION), f"target:{2.2 + distance!r}"
    )
    exact = p_above(distance)
    error = np.sqrt(exact * (1 - exact) / (DRAWS * RUNS))
    assert with_effects.score(losses)[0] == pytest.approx(exact, abs=4 * error + 0.001)


def test_quantiles_and_the_worst_part_are_those_of_runs(same_law):
    losses = np.full((DRAWS, 1), 2.2)
    t = stats.t(4, loc=2.2, scale=SCALE * LOSS)
    found = setting_of(same_law(), "quantile:0.9").score(losses)[0]
    assert found == pytest.approx(t.ppf(0.9), abs=0.05 * SCALE * LOSS)
    worst = t.expect(lb=t.ppf(0.9)) / 0.1
    found = setting_of(same_law(), "cvar:0.9").score(losses)[0]
    assert found == pytest.approx(worst, abs=0.1 * SCALE * LOSS)


def test_supervised_runs_have_no_teacher_and_no_condition(same_law):
    posterior = same_law(teacher_sd=TEACHER, condition_sd=CONDITION)
    assert (RunScatter.of(posterior, 1e9, distils=False).shared == 0).all()
    assert (RunScatter.of(posterior, 1e9, distils=True).shared != 0).all()


def test_the_expected_loss_is_that_of_the_mean_curve(posterior):
    losses = np.random.default_rng(0).normal(2.2, 0.01, (posterior.n_draws, 3))
    setting = Setting(posterior, 1e9, BEST)
    assert setting.criterion is mean
    np.testing.assert_array_equal(setting.score(losses), losses.mean(axis=0))


def test_all_recipes_have_the_same_noise_whatever_is_asked_with_them(posterior, monkeypatch):
    setting = setting_of(posterior, "quantile:0.8")
    losses = np.random.default_rng(0).normal(2.2, 0.01, (posterior.n_draws, 7))
    apart = [setting.score(losses[:, [i]])[0] for i in range(7)]
    np.testing.assert_array_equal(setting.score(losses), apart)
    monkeypatch.setattr("bayes_distill.planning.setting.BLOCK", 3 * RUNS * posterior.n_draws)
    np.testing.assert_array_equal(setting.score(losses), apart)
    # what differs between two recipes by the same in all draws differs by that in a quantile
    np.testing.assert_allclose(setting.score(losses + 0.01), np.add(apart, 0.01), rtol=1e-12)
    other = setting_of(posterior, "quantile:0.8", seed=1)
    assert (other.score(losses) != apart).all()


def test_a_draw_has_the_same_runs_after_thinning(many):
    whole = RunScatter.of(many, 1e9, distils=True)
    thin = RunScatter.of(many.thin(100), 1e9, distils=True)
    np.testing.assert_array_equal(thin.noise, whole.noise[::6])


def test_it_agrees_with_new_runs_drawn_otherwise(many):
    """The shares of misses of 6000 independent new runs, by `Posterior.new_run`."""
    generator = np.random.default_rng(3)
    losses = generator.normal(2.2, 0.003, (many.n_draws, 1))
    repeated = np.concatenate(
        [many.new_run(losses, np.ones(1, bool), generator) for _ in range(10)]
    )
    for target in (2.195, 2.2, 2.206):
        missed = (repeated > target).mean()
        found = setting_of(many, f"target:{target}").score(losses)[0]
        # both have the same 600 curves, and differ by the noise of 4800 and 6000 runs
        assert found == pytest.approx(missed, abs=4 * np.sqrt(2 * 0.25 / 4800))


def test_a_plan_judges_by_runs(same_law):
    """Under one law the losses that a criterion sees differ by noise, and the table says so."""
    seen = []

    def own(losses):
        seen.append(losses)
        return float(np.quantile(losses, 0.9))

    asked = {"scenario": "best-case", "crossovers": False, "teacher_range": False}
    found = plan(same_law(), 1e9, 1e22, criterion=own, **asked)
    (row,) = found.table.to_dict("records")
    assert row["loss_upper"] - row["loss_lower"] < 1e-9
    losses = seen[-1]
    above = stats.t.ppf(0.9, 4) * SCALE * LOSS
    assert np.quantile(losses, 0.9) - np.median(losses) == pytest.approx(above, rel=0.1)
