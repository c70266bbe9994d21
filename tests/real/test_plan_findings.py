"""What Busbridge et al. 2025 find, asked of the posterior of the real runs, draw by draw.

Where the posterior disagrees with the paper, the test says what the posterior says and how surely.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bayes_distill.compute import SCENARIOS, Architecture
from bayes_distill.planning import Problem, crossover, least_tokens, optimise
from bayes_distill.planning.recipe_search import NEAR

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import recipe_against_plug_in as benchmark

pytestmark = pytest.mark.slow
BUDGETS = 10.0 ** np.arange(20, 27)
STUDENTS = (3e8, 1e9, 3e9, 1e10, 3e10)
BEST, INFERENCE, PRETRAINING, BOTH = list(SCENARIOS.values())[1:]
students = pytest.mark.parametrize("n", STUDENTS)


@pytest.fixture(scope="module")
def few(busbridge):
    return busbridge.thin(100)


@pytest.fixture(scope="module")
def plans(few):
    """Optima of every draw, (draws, budgets), by scenario and student."""
    return {
        (name, n): optimise(Problem(few.law, few.draws, few.reference, n, scenario), BUDGETS)
        for name, scenario in SCENARIOS.items()
        for n in STUDENTS
    }


def p_better(plans, scenario, n):
    """Share of the draws in which distillation is better than supervised training, by budget."""
    return (plans[scenario.name, n].loss < plans["supervised", n].loss).mean(axis=0)


@students
def test_best_case_all_compute_goes_to_student_tokens(plans, n):
    found = plans[BEST.name, n]
    np.testing.assert_allclose(found.shares["student"], 1)
    assert np.isfinite(found.teacher_loss).all()
    # only its loss is determined; a large student may want the strongest that the box allows
    open_ = np.isnan(found.teacher_params).mean(axis=0)
    assert (open_ == 1).all() if n < 1e10 else (open_ > 0.5).all()


@students
def test_teacher_inference_overtrains_as_far_as_allowed(plans, n):
    found = plans[INFERENCE.name, n]
    assert found.at_bound["max_teacher_tokens"].all()
    rises = np.diff(found.shares["logits"], axis=1) > 0
    assert rises[:, 2:].mean() > 0.99


@students
def test_teacher_pretraining_makes_the_teacher_supervised_optimal(plans, few, n):
    found, flops = plans[PRETRAINING.name, n], Architecture()
    columns = {name: few.draws[name][:, None] for name in few.law.coordinate_names}
    for k in (0, 3, 6):
        size, tokens = found.teacher_params[:, [k]], found.teacher_tokens[:, [k]]
        sizes = size * np.geomspace(0.2, 5, 201)
        others = tokens * flops.forward_flops(size) / flops.forward_flops(sizes)
        losses = np.asarray(few.law.supervised_loss(columns, sizes, others, few.reference))
        assert (found.teacher_loss[:, k] <= losses.min(axis=1) + 1e-4).mean() > 0.95


@pytest.mark.parametrize(("n", "peak"), [(3e8, 1e20), (1e9, 1e22), (3e9, 1e23), (1e10, 1e24)])
def test_the_teachers_share_falls_from_a_budget_that_grows_with_the_student(plans, n, peak):
    share = plans[PRETRAINING.name, n].shares["teacher"][:, peak <= BUDGETS]
    assert (share[:, -1] < share[:, 0]).mean() > 0.97
    assert (np.diff(share, axis=1) < 0).mean() > 0.95


@pytest.mark.parametrize("n", STUDENTS[:4])
def test_both_costs_overtrain_the_teacher_at_large_budgets_only(plans, n):
    ratio, optimal = (
        plans[s.name, n].teacher_tokens / plans[s.name, n].teacher_params
        for s in (BOTH, PRETRAINING)
    )
    over = ratio / optimal
    assert np.median(over[:, 0]) < 2
    assert (over[:, -1] > 5).mean() > 0.95
    assert (np.diff(over, axis=1) > 0).mean() > 0.99


def test_both_costs_grow_the_teacher_well_beyond_the_student(plans):
    """The paper: slightly more than the student's size, then less. Here: four times and more."""
    for n in STUDENTS[:4]:
        relative = plans[BOTH.name, n].teacher_params / n
        assert (relative.max(axis=1) > 4).mean() > 0.95
        assert (relative[:, 0] < relative.max(axis=1)).all()
    # whether it shrinks again below 1e26 is open for small students, and not so for large ones
    shrinks = {
        n: (plans[BOTH.name, n].teacher_params.argmax(axis=1) < len(BUDGETS) - 1).mean()
        for n in STUDENTS
    }
    assert 0.5 < shrinks[3e8] < 0.95
    assert 0.5 < shrinks[1e9] < 0.95
    assert shrinks[3e9] < 0.6
    assert shrinks[1e10] < 0.05


@pytest.mark.parametrize("scenario", [PRETRAINING, BOTH], ids=lambda s: s.name)
@pytest.mark.parametrize(
    ("n", "until", "since"), [(1e9, 1e21, 1e24), (3e9, 1e22, 1e24), (1e10, 1e23, 1e25)]
)
def test_a_teacher_that_is_paid_for_pays_at_large_budgets(plans, scenario, n, until, since):
    """The paper: at large budgets the two meet. Here distillation is better there, surely."""
    better = p_better(plans, scenario, n)
    tokens = plans["supervised", n].student_tokens[0] / n
    assert (better[(until >= BUDGETS) & (tokens > 0.5)] < 0.15).all()
    assert (better[since <= BUDGETS] > 0.95).all()


@students
def test_a_free_teacher_pays_at_all_budgets(plans, n):
    """The paper: up to a budget that grows with the student. Here there is no such budget."""
    assert (p_better(plans, BEST, n) > 0.99).all()


@pytest.mark.parametrize("n", STUDENTS[:4])
def test_there_is_no_crossover_in_the_best_case(few, n):
    some = few.thin(50)
    found = crossover(Problem(some.law, some.draws, some.reference, n, BEST))
    assert found.p_none > 0.95
    assert found.p_never_better == 0


@pytest.mark.parametrize(
    ("n", "target", "low", "high"), [(5e8, 2.4, 0.42, 0.53), (1e10, 2.2, 0.35, 0.75)]
)
def test_data_to_reach_a_loss(few, n, target, low, high):
    """Table 6 says 0.67 and 0.37, the paper's text 2/3 and about 1/2."""
    distilled, supervised = (
        least_tokens(Problem(few.law, few.draws, few.reference, n, SCENARIOS[name]), target)
        for name in ("best-case", "supervised")
    )
    lower, upper = np.quantile(distilled / supervised, [0.05, 0.95])
    assert low < lower < upper < high


def test_table_3(plans):
    def shares(n, budget):
        found, k = plans[BOTH.name, n], int(np.argmin(np.abs(np.log(BUDGETS / budget))))
        return np.stack([found.shares[name][:, k] for name in ("student", "logits", "teacher")])

    for n, budget in ((3e8, 1e20), (3e8, 1e21), (1e9, 1e20), (1e9, 1e21), (3e9, 1e21)):
        assert (shares(n, budget).argmax(axis=0) == 2).mean() > 0.95
    # a 3B student on 1e20 is the exception, as by table 6
    assert (shares(3e9, 1e20).argmax(axis=0) == 0).mean() > 0.9
    for n in (3e8, 1e9):
        student, logits, teacher = np.median(shares(n, 1e25), axis=1)
        assert teacher < 0.15
        assert 0.3 < student < logits < 0.65
    for n in (1e10, 3e10):
        for budget in (1e20, 1e21):
            assert (shares(n, budget).argmax(axis=0) == 0).mean() > 0.9
        assert (np.median(shares(n, 1e25), axis=1) > 0.1).all()
        assert (np.median(shares(n, 1e25), axis=1) < 0.6).all()


def test_recipes_are_better_than_planning_with_average_coefficients(busbridge):
    found = benchmark.gains(busbridge.thin(200), (1e9,), BUDGETS[::2])
    for label in benchmark.AVERAGES:
        gains = np.concatenate(list(found[label].values()))
        # of recipes within that of the best, the one in the middle of the optima is taken
        assert (gains > -NEAR * busbridge.reference.loss).all()
        assert gains.max() > 1e-5
    # averages of coefficients that trade off are coefficients of nothing
    assert min(found["printed coefficients"][BOTH.name]) > 0.01
