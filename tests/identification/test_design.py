"""Designs: normal updates, shared effects, budgets, decisions, and the prior of a card."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import bayes_distill as bd
from bayes_distill.errors import InputError
from bayes_distill.identification.designs.criteria import TargetCriterion
from bayes_distill.identification.designs.decision import Decision, read_decision
from bayes_distill.identification.designs.greedy import greedy
from bayes_distill.identification.designs.linear_update import LinearUpdate
from bayes_distill.identification.designs.outcomes import outcomes_of
from bayes_distill.identification.designs.pool import read_pool
from bayes_distill.identification.designs.problem import DesignProblem
from bayes_distill.identification.designs.source import source_and_law
from bayes_distill.identification.designs.value import value_of
from bayes_distill.inference.prior_posterior import prior_posterior, prior_reference
from bayes_distill.predict.points import Points
from posteriors import posterior_of_law

TARGET = pd.DataFrame({"params": [7e9], "tokens": [3e11]})


@pytest.fixture(scope="module")
def law():
    return posterior_of_law("chinchilla", draws=200)


@pytest.fixture(scope="module")
def prior():
    card = bd.load_card("supervised")
    return prior_posterior(card, prior_reference(card, 3e8, 6e9), 1000, 0)


@pytest.fixture(scope="module")
def pool():
    params, ratio = np.meshgrid(np.geomspace(5e7, 2e9, 8), [5.0, 20.0, 80.0])
    return pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})


def points(params, tokens):
    params, tokens = np.broadcast_arrays(np.asarray(params, float), np.asarray(tokens, float))
    empty = np.full(len(params), np.nan)
    return Points(params, tokens, empty, empty, empty)


def joint_normal(seed=0, draws=400, runs=5, targets=2):
    generator = np.random.default_rng(seed)
    every = generator.standard_normal((draws, 3)) @ generator.standard_normal((3, runs + targets))
    every += 0.3 * generator.standard_normal(every.shape)
    return every[:, :runs], generator.uniform(0.1, 0.5, runs), every[:, runs:]


def test_updates_are_those_of_a_joint_normal_distribution():
    runs, noise, targets = joint_normal()
    covariance = np.cov(np.hstack([runs, targets]).T)
    update = LinearUpdate(runs, noise, targets)
    order = [3, 0, 4]
    for place in order:
        update.take(place)
    inside = covariance[np.ix_(order, order)] + np.diag(noise[order])
    rest = covariance - covariance[:, order] @ np.linalg.solve(inside, covariance[order])
    assert update.left == pytest.approx(rest[5:, 5:])
    assert update.between == pytest.approx(rest[:5, 5:])
    assert update.variance == pytest.approx(np.diag(rest)[:5])


@pytest.mark.parametrize("name", ["variance", "width", "information"])
def test_gains_are_what_the_criterion_falls_by(name):
    runs, noise, targets = joint_normal()
    before = targets.var(axis=0, ddof=1)
    rule = TargetCriterion(name, before, np.array([0.2, 0.4]))
    update = LinearUpdate(runs, noise, targets)
    update.take(1)
    gains, was = rule.gains(update), update.left
    update.take(2)
    if name == "information":
        expected = 0.5 * (np.linalg.slogdet(was)[1] - np.linalg.slogdet(update.left)[1])
    else:
        expected = rule.total(update.left) - rule.total(was)
    assert gains[2] == pytest.approx(expected, rel=1e-5)


def test_a_greedy_design_is_nearly_the_best_of_all():
    runs, noise, targets = joint_normal(1, runs=8)
    cost, budget = np.array([1.0, 2, 3, 4, 5, 6, 7, 8]), 12.0
    rule = TargetCriterion("variance", targets.var(axis=0, ddof=1), np.zeros(2))
    problem = DesignProblem(runs, noise, cost, budget, 8, 0)
    picked, value, _ = problem.for_targets(targets, rule, lambda: None)
    places = [each.candidate for each in picked]
    assert cost[places].sum() <= budget
    assert value.mean == pytest.approx(sum(each.gain for each in picked))
    best = 0.0
    for count in range(1, 9):
        for some in combinations(range(8), count):
            if cost[list(some)].sum() <= budget:
                update = LinearUpdate(runs, noise, targets)
                for place in some:
                    update.take(place)
                best = max(best, rule.total(update.left))
    assert 0.9 * best <= value.mean <= best + 1e-9


def test_what_is_left_over_and_what_adds_nothing_is_not_spent():
    gains = np.array([0.0, 1.0, 1.0])
    taken = []
    picked = greedy(
        lambda: np.where(np.isin(range(3), taken), 0, gains),
        taken.append,
        np.array([1.0, 2.0, 9.0]),
        5.0,
        9,
        0.0,
    )
    assert [each.candidate for each in picked] == [1]


def test_twenty_runs_of_one_size_are_not_twenty_facts(prior):
    same, noise = outcomes_of(prior, points([3e8] * 20, np.geomspace(5e9, 7e9, 20)), 0)
    apart, other = outcomes_of(prior, points(np.geomspace(2.7e8, 3.3e8, 20), 6e9), 0)
    target = points([3.1e8], [6e9]).loss_draws(prior)

    def removed(runs, spread, count):
        update = LinearUpdate(runs[:, :count], spread[:count], target)
        for place in range(count):
            update.take(place)
        return 1 - update.left[0, 0] / target.var(ddof=1)

    assert removed(apart, other, 20) > removed(same, noise, 20)
    # what runs of a size share is never averaged away
    assert 1 - removed(same, noise, 20) > 3 * (1 - removed(apart, other, 20)) / 2


def test_a_design_has_what_a_launch_needs(law, pool, tmp_path):
    found = bd.design(law, 5e20, pool=pool.assign(run="=1+1"), target=TARGET, batch=4)
    table = found.table
    assert 0 < len(table) <= 4
    assert table["row"].is_unique
    assert found.spent == pytest.approx(table["cost"].sum())
    assert found.spent <= 5e20
    assert found.left == pytest.approx(5e20 - found.spent)
    assert found.value.mean == pytest.approx(table["gain"].sum(), rel=1e-6)
    assert 0 < found.value.error < 0.2
    (target,) = found.targets.to_dict("records")
    removed = 1 - (target["sd_after"] / target["sd"]) ** 2
    assert removed == pytest.approx(found.value.mean, rel=1e-6)
    launch = pd.read_csv(found.save(tmp_path / "runs.csv"))
    assert launch["params"].to_numpy() == pytest.approx(table["params"].to_numpy(), rel=0.1)
    assert {"run", "tokens", "teacher_loss", "layers", "width", "heads", "cost"} <= set(launch)
    assert launch["run"].str.startswith("'=").all()
    content = found.to_json()
    assert set(content) >= {"chosen", "spent", "left", "value"}
    keys = {"row", "params", "tokens", "teacher_loss", "cost", "gain"}
    assert all(set(each) >= keys for each in content["chosen"])
    json.dumps(content, allow_nan=False)
    assert bd.design(law, 5e20, pool=pool, target=TARGET, batch=4).table["row"].equals(table["row"])


def test_costs_are_flops_or_a_column(law, pool):
    hours = pool.assign(hours=np.linspace(1, 24, len(pool)))
    found = bd.design(law, 30, pool=hours, target=TARGET, cost="hours")
    assert found.table["cost"].to_numpy() == pytest.approx(
        hours["hours"].to_numpy()[found.table["row"]]
    )
    assert found.spent <= 30
    root = bd.design(law, 30, pool=hours, target=TARGET, cost="hours**0.5")
    assert root.table["cost"].to_numpy() == pytest.approx(
        np.sqrt(hours["hours"].to_numpy()[root.table["row"]])
    )
    plain = bd.design(law, 1e20, pool=pool, target=TARGET, cost="6nd").table
    assert plain["cost"].to_numpy() == pytest.approx(
        (6 * plain["params"] * plain["tokens"]).to_numpy()
    )


def test_losses_of_the_pool_are_not_looked_at(law, pool):
    plain = bd.design(law, 5e20, pool=pool, target=TARGET)
    with_losses = pool.assign(loss=np.linspace(9, 1, len(pool)))
    assert bd.design(law, 5e20, pool=with_losses, target=TARGET).table.equals(plain.table)


def test_the_gap_of_a_pair_is_a_target(scattered):
    pairs = pd.DataFrame({"params": 2e8, "tokens": 1e10, "teacher_loss": np.linspace(2, 2.7, 8)})
    at = pairs.iloc[[3]]
    found = bd.design(scattered, 1e21, pool=pairs, target=at, about="gap", batch=3)
    assert found.targets["name"].iloc[0].startswith("gap slope, loss of 200M")
    assert 0.05 < found.value.mean < 1
    with pytest.raises(InputError, match="have a teacher"):
        bd.design(scattered, 1e21, pool=pairs, target=TARGET, about="gap")


def two_actions(shift=0.3, draws=2000):
    """Two recipes that differ by a normal number, which a run measures."""
    generator = np.random.default_rng(2)
    apart = generator.normal(shift, 1.0, draws)
    losses = np.column_stack([np.zeros(draws), apart]) + generator.standard_normal((draws, 1))
    return Decision(("x",), (losses,), 1e-3), apart[:, None]


def test_the_value_of_information_is_that_of_two_normal_recipes():
    decision, runs = two_actions()
    noise = np.array([0.25])
    value = value_of(decision, runs, noise, 0)
    # E max(0, -m) with m normal about 0.3 with the variance that the run explains
    spread = np.sqrt(1 / 1.25)
    z = 0.3 / spread
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    from scipy.special import ndtr

    expected = spread * density - 0.3 * ndtr(-z)
    assert value.mean == pytest.approx(expected, abs=4 * value.error)
    assert 0.005 < value.error < 0.02
    problem = DesignProblem(runs, noise, np.array([1.0]), 5.0, 3, 0)
    picked, _, worth, notes = problem.for_decision(decision, False, True, lambda: None)
    assert picked[0].gain == pytest.approx(expected, rel=0.1)
    assert worth[0] == pytest.approx(picked[0].gain / 1e-3)
    assert notes == []


def test_it_says_where_no_run_is_worth_its_cost():
    decision, runs = two_actions()
    dear = DesignProblem(runs, np.array([0.25]), np.array([1e4]), 2e4, 3, 0)
    picked, value, _, notes = dear.for_decision(decision, False, True, lambda: None)
    assert (picked, value.mean) == ([], 0.0)
    assert notes[0].startswith("no run is worth its cost")
    assert len(dear.for_decision(decision, True, True, lambda: None)[0]) == 1


def test_a_decision_is_a_plan(law, pool):
    typed = "plan --budget 1e23 --scenario=supervised"
    found = bd.design(law, 5e20, pool=pool, decide=typed, spend_all=True, batch=3)
    assert found.criterion == "value"
    assert 0 < len(found.table) <= 3
    assert 0 <= found.regret["after"] <= found.regret["now"]
    same = bd.design(
        law,
        5e20,
        pool=pool,
        decide={"budget": 1e23, "scenario": "supervised"},
        spend_all=True,
        batch=3,
    )
    assert same.table.equals(found.table)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("plan --params 7B", "needs a budget"),
        ("plan --budget 1e22 --register x", "takes no 'register'"),
        ("plan 'x", "cannot be read"),
        ("rm -rf /", "is not a call of plan"),
        ("plan --budget", "is not a call of plan"),
        ("--budget 1e22 \x1b[31m x", "is not a call of plan"),
    ],
)
def test_what_is_no_decision_is_refused(typed, says):
    with pytest.raises(InputError, match=says):
        read_decision(typed)


def test_a_card_is_designed_for_before_any_run(prior):
    found = bd.design(prior, 1e20, batch=3)
    assert found.value.mean > 0.5  # the first runs tell most of what the prior leaves open
    assert any("no target was stated" in note for note in found.notes)
    assert found.table["cost"].max() <= 0.25 * 1e20 * 8  # 160 tokens a parameter at the largest
    later = bd.forecast(prior, "300M", "6B", draws=500).table
    assert 0.02 < later["loss_sd"].iloc[0] < 1
    card = bd.load_card("hoffmann2022").model_copy(update={"coefficients": {"E": 1.0}})
    with pytest.raises(InputError, match="has no prior"):
        prior_posterior(card, prior_reference(card), 10, 0)


def test_columns_of_a_formula_are_read_of_candidates():
    card, law = source_and_law("experts")
    assert card.formula
    pool = pd.DataFrame({"num_experts": [1, 8], "dense_parameter_count": 1e8, "price": [1.0, 2]})
    read = read_pool(pool, law)
    assert list(read.candidates.points.inputs["experts"]) == [1, 8]
    assert list(read.columns) == ["price"]
    with pytest.raises(InputError, match="pool: is needed"):
        bd.design("experts", 1e20)


def test_every_fault_is_told(law, pool):
    with pytest.raises(InputError) as error:
        bd.design(law, -1, target="none.csv", decide="rm", criterion="x", batch=0, reach=0)
    said = str(error.value)
    for part in ("budget: ", "none.csv", "decide: ", "criterion: ", "batch: ", "reach: "):
        assert part in said
    for arguments, says in (
        ({"budget": 1.0}, "the cheapest candidate costs"),
        ({"budget": 1.0, "cost": "hours"}, "no cost 'hours'"),
        ({"budget": 1.0, "cost": "eq69**9"}, "the power of"),
        (
            {"budget": 1e20, "pool": pool.assign(hours=0.0), "cost": "hours"},
            "not a positive number",
        ),
        ({"budget": 1e20, "pool": pool.assign(teacher_loss=2.0)}, "supervised law"),
    ):
        with pytest.raises(InputError, match=says):
            bd.design(law, **{"pool": pool, **arguments})


def test_a_thousand_candidates_take_little_time(law):
    import time

    generator = np.random.default_rng(0)
    params = np.exp(generator.uniform(np.log(1e8), np.log(1e10), 1000))
    many = pd.DataFrame({"params": params, "tokens": params * generator.uniform(5, 200, 1000)})
    begun = time.perf_counter()
    found = bd.design(law, 1e25, pool=many, target=TARGET, batch=20)
    assert len(found.table) == 20
    assert time.perf_counter() - begun < 30
