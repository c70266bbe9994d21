"""`plan`: its table and draws say the same thing, and what the parts say alone."""

import numpy as np
import pytest
from scipy import stats

from bayes_distill import plan
from bayes_distill.cards import load_card
from bayes_distill.compute import FLOPS, SCENARIOS, Scenario, total_flops
from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.laws import Reference
from bayes_distill.planning import Limits, Problem, crossover, least_compute, least_tokens
from bayes_distill.planning.realistic_limits import realistic_limits
from bayes_distill.posterior import Posterior

EQ69 = FLOPS["eq69"]
UNKNOWNS = ("student_tokens", "teacher_params", "teacher_tokens", "teacher_loss")
BOTH = "teacher-pretraining-and-inference"
OPTIMA = tuple(f"optimum_{name}" for name in ("loss", "params", *UNKNOWNS))
DRAWS = ("recipe_loss", "supervised_loss", *OPTIMA)
EXTRAS = ("supervised", "best-case", BOTH)


@pytest.fixture(scope="module")
def planned(posterior):
    return plan(posterior, "300M,1B", "1e21,1e23", interval=0.8, crossovers=False)


@pytest.fixture(scope="module")
def extras(posterior):
    asked = {"scenario": EXTRAS, "target_loss": 2.3, "limits": Limits()}
    return plan(posterior, "1B", "1e22", interval=0.8, draws=32, **asked)


def row(table, **equal):
    for name, value in equal.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_one_row_a_scenario_student_and_budget(planned):
    asked = planned.table[["scenario", "params", "budget"]].to_numpy().tolist()
    assert asked == [[s, n, c] for s in SCENARIOS for n in (3e8, 1e9) for c in (1e21, 1e23)]
    assert {planned.samples[name].shape for name in DRAWS} == {(128, 20)}


def test_draws_are_over_the_axes_of_the_grid(planned):
    draws = planned.draws
    assert dict(draws.sizes) == {"sample": 128, "scenario": 5, "params": 2, "budget": 2}
    assert draws["scenario"].to_numpy().tolist() == list(SCENARIOS)
    assert set(draws) == set(DRAWS)
    for place, r in enumerate(planned.table.to_dict("records")):
        cell = draws.sel(scenario=r["scenario"], params=r["params"], budget=r["budget"])
        for name in DRAWS:
            np.testing.assert_array_equal(cell[name], planned.samples[name][:, place])
    chains = draws.unstack("sample")
    assert dict(chains.sizes) | {"chain": 1, "draw": 128} == dict(chains.sizes)
    np.testing.assert_array_equal(
        chains["recipe_loss"].sel(chain=0, scenario=BOTH, params=1e9, budget=1e23),
        draws["recipe_loss"].sel(scenario=BOTH, params=1e9, budget=1e23),
    )
    assert planned.draws is draws  # made once


def test_the_table_summarises_the_draws(planned):
    table, draws = planned.table, planned.samples
    loss = draws["recipe_loss"]
    np.testing.assert_allclose(table["loss_mean"], loss.mean(axis=0))
    np.testing.assert_allclose(table["loss_lower"], np.quantile(loss, 0.1, axis=0))
    np.testing.assert_allclose(table["loss_upper"], np.quantile(loss, 0.9, axis=0))
    improvement = draws["supervised_loss"] - loss
    np.testing.assert_allclose(table["improvement_sd"], improvement.std(axis=0), atol=1e-12)
    np.testing.assert_allclose(table["improvement_median"], np.median(improvement, axis=0))
    regret = loss - draws["optimum_loss"]
    assert (regret > -1e-9).all()
    np.testing.assert_allclose(table["regret_mean"], regret.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(table["regret_upper"], np.quantile(regret, 0.95, axis=0), atol=1e-9)
    for name in UNKNOWNS:
        values = draws[f"optimum_{name}"]
        for part, level in (("lower", 0.1), ("median", 0.5), ("upper", 0.9)):
            np.testing.assert_allclose(
                table[f"optimum_{name}_{part}"], np.quantile(values, level, axis=0)
            )
    taught = table["scenario"] != "supervised"
    better = (loss < draws["supervised_loss"]).mean(axis=0)
    np.testing.assert_array_equal(table.loc[taught, "p_beats_supervised"], better[taught])
    assert table.loc[~taught, "p_beats_supervised"].isna().all()


def test_shares_are_those_of_the_recipe_and_sum_to_one(planned):
    shares = planned.table.filter(regex="^share_")
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-9)
    assert (shares >= 0).all(axis=None)
    for r in planned.table.to_dict("records"):
        spent = total_flops(
            r["params"],
            r["recipe_student_tokens"],
            SCENARIOS[r["scenario"]],
            EQ69,
            r["recipe_teacher_params"],
            r["recipe_teacher_tokens"],
        )
        for name in ("student", "logits", "teacher"):
            assert getattr(spent, name) / r["budget"] == pytest.approx(r[f"share_{name}"], abs=1e-9)


def test_new_runs_scatter_around_the_recipes_loss(planned, posterior):
    table, loss = planned.table, planned.samples["recipe_loss"]
    assert (table["new_run_lower"] < table["new_run_upper"]).all()
    # noise of 0.0023 nats on top of a spread of some 0.03 hardly shows
    quantiles = np.quantile(loss, [0.1, 0.9], axis=0)
    band = np.array([table["new_run_lower"], table["new_run_upper"]])
    np.testing.assert_allclose(band, quantiles, atol=0.015)
    scale = posterior.draws["scale"][0] * posterior.reference.loss
    sure = Posterior(posterior.thin(1).tree, posterior.card, posterior.reference, {})
    one = plan(sure, 1e9, [1e22] * 200, scenario="supervised", crossovers=False, interval=0.5)
    scatter = (one.table["new_run_lower"] - one.table["loss_mean"]) / scale
    assert stats.kstest(scatter, stats.t(4).cdf).pvalue > 0.001  # one draw: its own quantile


@pytest.mark.parametrize("name", EXTRAS[1:])
def test_crossovers_are_those_of_the_draws(extras, posterior, name):
    thin = posterior.thin(32)
    found = crossover(Problem(thin.law, thin.draws, thin.reference, 1e9, SCENARIOS[name]))
    got = row(extras.crossovers, scenario=name, params=1e9, direction="better_below")
    finite = found.budget[np.isfinite(found.budget)]
    assert got["p_none"] == found.p_none == 1 - finite.size / 32
    assert got["p_none"] == pytest.approx(got["p_never_better"] + got["p_always_better"])
    ordered = np.sort(np.where(np.isnan(found.budget), -np.inf, found.budget))
    expected = ordered[[3, 16, 28]]  # of 32 draws: nearest to 10%, 50% (half to even) and 90%
    np.testing.assert_allclose(
        got[["budget_lower", "budget_median", "budget_upper"]].tolist(), expected
    )


@pytest.mark.parametrize("name", EXTRAS)
def test_targets_are_those_of_the_draws(extras, posterior, name):
    thin = posterior.thin(32)
    problem = Problem(thin.law, thin.draws, thin.reference, 1e9, SCENARIOS[name])
    got = row(extras.targets, scenario=name, params=1e9)
    assert got["target_loss"] == 2.3
    for column, values in (
        ("budget", least_compute(problem, 2.3)),
        ("student_tokens", least_tokens(problem, 2.3)),
    ):
        assert got[f"{column}_p_unreachable"] == np.isinf(values).mean()
        assert got[f"{column}_median"] == np.quantile(values, 0.5, method="nearest")
        assert got[f"{column}_lower"] <= got[f"{column}_median"] <= got[f"{column}_upper"]


def test_a_target_out_of_reach_is_infinite(posterior):
    found = plan(posterior, 1e9, 1e21, scenario="supervised", target_loss=0.5, crossovers=False)
    assert found.targets["budget_p_unreachable"].tolist() == [1.0]
    assert np.isinf(found.targets["student_tokens_median"]).all()
    assert found.to_json()["targets"][0]["budget"]["median"] is None


def test_more_budget_is_better_and_a_free_teacher_is_best(planned):
    loss = planned.table.set_index(["scenario", "params", "budget"])["loss_mean"]
    for name in SCENARIOS:
        for n in (3e8, 1e9):
            assert loss[name, n, 1e23] < loss[name, n, 1e21]
            if name != "supervised":
                assert loss["best-case", n, 1e21] <= loss[name, n, 1e21] + 1e-9


def test_bounds_say_how_often_they_bind(planned, posterior):
    bounds = planned.table.filter(regex="^p_at_")
    assert set(bounds) == {
        f"p_at_{end}_{what}"
        for end in ("min", "max")
        for what in ("tokens", "teacher_tokens", "teacher_params")
    }
    inference = planned.table["scenario"] == "teacher-inference"
    assert (bounds.loc[inference, "p_at_max_teacher_tokens"] == 1).all()
    assert bounds.loc[~inference].eq(0).all(axis=None)
    scarce = Limits(max_tokens=1e9, max_teacher_tokens=1e9)
    found = plan(
        posterior, 1e9, 1e23, scenario=f"{BOTH},supervised", limits=scarce, crossovers=False
    ).table
    assert (found["p_at_max_tokens"] == 1).all()
    assert (found["recipe_student_tokens"] == 1e9).all()
    assert found["recipe_teacher_tokens"].iloc[0] <= 1e9
    assert found["share_unspent"].iloc[1] > 0.99
    np.testing.assert_allclose(found.filter(regex="^share_").sum(axis=1), 1, atol=1e-9)


def test_a_scenario_of_ones_own(posterior):
    shared = Scenario("shared by four", logits_share=1.0, teacher_share=0.25)
    found = plan(
        posterior, 1e9, 1e22, scenario=[BOTH, shared, "teacher-inference"], crossovers=False
    )
    both, quarter, none = found.table["loss_mean"]
    assert none < quarter < both
    assert found.table["share_teacher"].between(0, 1).all()
    assert found.table["scenario"].tolist() == [BOTH, "shared by four", "teacher-inference"]


def test_serving_is_charged_everywhere(posterior):
    served, each = 1e12, EQ69.forward_flops(1e9)
    asked = {"scenario": EXTRAS, "target_loss": 2.3, "draws": 16}
    found = plan(posterior, 1e9, 1e22, served_tokens="1T", **asked)
    np.testing.assert_allclose(found.table["share_serving"], each * served / 1e22)
    np.testing.assert_allclose(found.table.filter(regex="^share_").sum(axis=1), 1, atol=1e-9)
    without = plan(posterior, 1e9, 1e22 - each * served, **asked)
    for name in ("loss_mean", "recipe_student_tokens", "regret_mean"):
        np.testing.assert_allclose(found.table[name], without.table[name], rtol=1e-9)
    for name in ("median", "lower", "upper"):
        for got, plain in (
            (found.crossovers, without.crossovers),
            (found.targets, without.targets),
        ):
            np.testing.assert_allclose(
                got[f"budget_{name}"], plain[f"budget_{name}"] + each * served
            )


def test_other_ways_to_count(posterior):
    found = plan(posterior, 1e9, 1e22, scenario="supervised", flops="6nd", crossovers=False)
    assert found.table["recipe_student_tokens"].item() == pytest.approx(1e22 / 6e9)


def test_the_seed_moves_new_runs_only(posterior):
    a, b, c = (
        plan(posterior, 1e9, 1e22, scenario="best-case", crossovers=False, seed=seed).table
        for seed in (0, 0, 1)
    )
    assert a.equals(b)
    differs = [name for name in a if not a[name].equals(c[name])]
    assert differs == [f"new_run_{name}" for name in ("mean", "median", "sd", "lower", "upper")]


def test_thinning_and_extrapolation_are_noted(scattered):
    asked = {"scenario": "supervised", "crossovers": False}
    found = plan(scattered, "1B,30B", "1e21", draws=100, **asked)
    assert found.draws.sizes["sample"] == 100
    assert "planned with 100 of 2000 draws" in found.notes
    assert any(
        n.startswith("2 of 2 recipes lie outside the runs, by a factor of up to 15 in")
        for n in found.notes
    )
    inside = plan(scattered, "1B", "6e19", draws=2000, **asked)
    assert inside.draws.sizes["sample"] == 2000
    assert inside.notes == ()
    np.testing.assert_allclose(
        found.table["loss_mean"].iloc[0],
        plan(scattered, "1B", "1e21", draws=2000, **asked).table["loss_mean"],
        atol=0.005,
    )


def test_each_side_lies_among_the_runs_of_its_kind(scattered):
    sides = {"supervised": (1e8, 3e9), "distilled": (1e8, 1.1e9)}
    corners = {kind: [(a, 2e9), (b, 2e9), (b, 1e11), (a, 1e11)] for kind, (a, b) in sides.items()}
    hulls = {
        kind: {"points": np.log(c).tolist(), "teacher_loss": None, "runs": 4}
        for kind, c in corners.items()
    }
    mixed = Posterior(
        scattered.tree, scattered.card, scattered.reference, {**scattered.info, "hulls": hulls}
    )
    asked = {"scenario": "supervised,best-case", "crossovers": False, "teacher_range": False}
    found = plan(mixed, "1B,3B", "5e20", draws=16, **asked)
    assert found.table["outside"].tolist() == [False, False, False, True]
    assert not found.table["supervised_outside"].any()
    told = found.to_json()["rows"][3]["rests_on"]
    alone = {"runs": 4, "teachers": 0, "prior": False, "extrapolation": 1.0}
    assert told == {
        "runs": 4,
        "teachers": 0,
        "prior": False,
        "extrapolation": pytest.approx(3 / 1.1),
        "supervised": alone,
    }
    assert found.to_json()["rows"][0]["rests_on"] == alone
    only = {"supervised": None, "distilled": hulls["distilled"]}
    distilled = Posterior(mixed.tree, mixed.card, mixed.reference, {**mixed.info, "hulls": only})
    untold = plan(distilled, "1B", "5e20", draws=16, **asked)
    assert untold.table["supervised_outside"].all()
    assert untold.to_json()["rows"][1]["rests_on"]["supervised"]["prior"]
    assert any("no run (supervised or distilled)" in note for note in untold.notes)


def test_point_coefficients_are_a_posterior_with_one_draw(point):
    assert point.n_draws == 1
    found = plan("busbridge2025-table6-repaired", "1B", "1e22", scenario=f"best-case,{BOTH}")
    np.testing.assert_array_equal(found.table["loss_lower"], found.table["loss_upper"])
    assert (found.table["regret_upper"] < 1e-9).all()
    assert found.table["p_beats_supervised"].isin([0.0, 1.0]).all()
    assert found.crossovers["p_none"].tolist() == [0.0, 1.0]
    assert any("not a certainty" in note for note in found.notes)
    printed = plan("busbridge2025-table6", "1B", "1e22", scenario=BOTH).table
    assert abs(printed["loss_mean"] - found.table["loss_mean"].iloc[1]).item() > 0.002


@pytest.fixture(scope="module")
def alone():
    """A posterior of a supervised law."""
    published = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
    return Posterior.from_coefficients(
        load_card("supervised-plain"), published, Reference(1e9, 2e10, 2.3)
    )


def test_a_supervised_posterior_knows_no_teachers(alone):
    for scenario in ("best-case", f"supervised,{BOTH}"):
        with pytest.raises(InputError, match="ask for the scenario supervised alone") as caught:
            plan(alone, "1B", "1e22", scenario=scenario)
        assert [f.column for f in caught.value.faults] == ["scenario"]
    found = plan(alone, "1B", "1e22", scenario="supervised", target_loss=2.5)
    assert found.table["loss_mean"].between(1.8, 2.5).all()
    assert found.crossovers.empty
    assert len(found.targets) == 1
    unasked = plan(alone, budget="1e22")  # what the law can plan, with the size chosen
    assert unasked.table["scenario"].tolist() == ["supervised"]
    assert unasked.table["size_chosen"].all()
    assert unasked.table["loss_mean"].item() <= found.table["loss_mean"].item()


def test_limits_that_nobody_states_are_what_exists_and_a_recipe_on_one_says_so(scattered):
    asked = {"scenario": "teacher-inference", "crossovers": False, "draws": 16}
    found = plan(scattered, "1B", "1e22", **asked)
    row = found.table.iloc[0]
    assert row["recipe_teacher_tokens"] == 3e14
    assert row["recipe_teacher_params"] <= 2e11  # a hundred times the largest of the runs
    assert row["at_limit"] == "max_teacher_tokens"
    assert found.to_json()["rows"][0]["at_limit"] == ["max_teacher_tokens"]
    assert any("at the limit `max_teacher_tokens` = 300T" in note for note in found.notes)
    lifted = plan(scattered, "1B", "1e22", limits={"max_teacher_tokens": 1e16}, **asked)
    assert lifted.table["recipe_teacher_tokens"].item() == 1e16
    largest = realistic_limits(scattered).max_teacher_params
    assert largest == pytest.approx(2e11)
    assert realistic_limits(scattered, {"teacher_sizes": (1e12,)}).max_teacher_params == 1e12
    nothing = Posterior(scattered.tree, scattered.card, scattered.reference, {})
    assert realistic_limits(nothing).max_teacher_params == 1e13


def test_a_failed_fit_is_refused_unless_allowed(posterior):
    failed = Posterior(posterior.tree, posterior.card, posterior.reference, {"verdict": "fail"})
    asked = {"scenario": "supervised", "crossovers": False}
    with pytest.raises(FailedFitError, match="failed its checks"):
        plan(failed, "1B", "1e22", **asked)
    assert len(plan(failed, "1B", "1e22", allow_failed=True, **asked).table) == 1


def test_a_plan_is_shown_short_and_in_full(planned, extras):
    assert repr(planned).startswith("<Plan: 20 rows, 80% intervals>\n")
    shown = extras._repr_html_()
    for heading in ("Crossovers", "Targets"):
        assert f"<p>{heading}</p>" in shown
    assert "<p>Teachers</p>" not in shown  # there are none
