"""Limits: what they refuse, and what the planner does at them."""

import math

import numpy as np
import pytest

from bayes_distill.compute import SCENARIOS, Architecture, Scenario, total_flops
from bayes_distill.errors import InputError
from bayes_distill.planning import Limits, Problem, optimise
from bayes_distill.planning.solver.problem import least_budget

BOTH = SCENARIOS["teacher-pretraining-and-inference"]
EQ69 = Architecture()


def test_every_fault_is_named_at_once():
    with pytest.raises(InputError) as caught:
        Limits(
            max_tokens=-1,
            min_teacher_tokens=math.nan,
            min_teacher_params=2e9,
            max_teacher_params=1e9,
            teacher_sizes=(0,),
        )
    assert [f.column for f in caught.value.faults] == [
        "max_tokens",
        "min_teacher_tokens",
        "min_teacher_params",
        "teacher_sizes",
    ]


def test_a_menu_outside_of_the_bounds_is_refused_and_one_partly_inside_is_cut():
    with pytest.raises(InputError, match="none lies between"):
        Limits(max_teacher_params=1e9, teacher_sizes=(2e9, 3e9))
    assert Limits(max_teacher_params=1e9, teacher_sizes=(3e9, 1e9, 5e8)).menu == (5e8, 1e9)
    assert Limits(min_teacher_params=1e9, max_teacher_params=1e9).menu == (1e9,)
    assert Limits().menu == ()


def brute_force(law, coordinates, reference, params, budget, scenario, limits, n=400):
    """Least loss on a dense grid of teachers; students get what is left, up to their most."""
    smallest, largest = limits.teacher_params_range
    sizes = np.geomspace(smallest, largest, n)[:, None]
    taught = np.geomspace(limits.min_teacher_tokens, limits.max_teacher_tokens, n)[None, :]
    model = EQ69.forward_flops(sizes)
    rest = budget - 3 * scenario.teacher_share * model * taught
    tokens = rest / (3 * EQ69.forward_flops(params) + scenario.logits_share * model)
    feasible = tokens >= limits.min_tokens
    tokens = np.clip(tokens, limits.min_tokens, limits.max_tokens)
    teacher = law.supervised_loss(coordinates, sizes, taught, reference)
    loss = law.distilled_loss(coordinates, params, tokens, teacher, reference)
    return float(np.min(np.where(feasible, loss, np.inf)))


CASES = [
    Limits(max_tokens=2e11),
    Limits(max_tokens=2e11, max_teacher_tokens=2e11),
    Limits(max_tokens=1e12, max_teacher_tokens=1e11, max_teacher_params=2e9),
    Limits(min_tokens=1e10, max_tokens=3e10, min_teacher_params=1e9),
    Limits(max_teacher_params=5e8),
    Limits(min_teacher_tokens=1e12, max_teacher_params=1e10),
    Limits(min_teacher_params=4e9, max_teacher_params=4e9, max_tokens=5e11),
]


@pytest.mark.parametrize("limits", CASES, ids=range(len(CASES)))
@pytest.mark.parametrize("scenario", ["teacher-inference", "teacher-pretraining", BOTH.name])
def test_no_recipe_on_a_dense_grid_is_better(law, reference, table_6, limits, scenario):
    scenario = SCENARIOS[scenario]
    least = least_budget(1e9, scenario, limits, EQ69)
    budgets = [b for b in (1e20, 1e21, 3e21, 1e22, 1e23, 1e25) if b > least]
    found = optimise(Problem(law, table_6, reference, 1e9, scenario, limits), budgets)
    assert found.converged.all()
    for k, budget in enumerate(budgets):
        best = brute_force(law, table_6, reference, 1e9, budget, scenario, limits)
        assert found.loss[0, k] <= best + 1e-9
        # a recipe is what it says: its loss, its cost, its limits
        n_t, d_t, d_s = (
            x[0, k] for x in (found.teacher_params, found.teacher_tokens, found.student_tokens)
        )
        teacher = law.supervised_loss(table_6, n_t, d_t, reference)
        loss = law.distilled_loss(table_6, 1e9, d_s, teacher, reference)
        assert float(loss) == pytest.approx(found.loss[0, k], abs=1e-8)
        assert limits.min_tokens <= d_s <= limits.max_tokens
        assert limits.min_teacher_tokens <= d_t <= limits.max_teacher_tokens
        assert limits.teacher_params_range[0] <= n_t <= limits.teacher_params_range[1]
        spent = total_flops(1e9, d_s, scenario, EQ69, n_t, d_t).total / budget
        unspent = found.shares["unspent"][0, k]
        assert spent + unspent == pytest.approx(1, abs=1e-9)
        if unspent > 0:
            assert found.at_bound["max_tokens"][0, k]


def test_money_that_cannot_help_stays_unspent_and_the_teacher_is_the_cheapest(
    law, reference, table_6
):
    limits = Limits(max_tokens=2e11)
    found = optimise(Problem(law, table_6, reference, 1e9, BOTH, limits), [1e24, 1e25])
    assert (found.shares["unspent"] > 0.5).all()
    assert found.at_bound["max_tokens"].all()
    np.testing.assert_allclose(found.teacher_params[0, 0], found.teacher_params[0, 1], rtol=1e-6)
    # any other teacher of the same loss costs more
    best_case = optimise(
        Problem(law, table_6, reference, 1e9, SCENARIOS["best-case"], limits), [1e25]
    )
    np.testing.assert_allclose(found.loss, best_case.loss[0, 0], rtol=1e-10)
    size, tokens, target = (
        float(x[0, 0]) for x in (found.teacher_params, found.teacher_tokens, found.teacher_loss)
    )
    cost = total_flops(1e9, 2e11, BOTH, EQ69, size, tokens).total
    sizes, taught = size * np.geomspace(0.8, 1.25, 41)[:, None], np.geomspace(1e9, 1e15, 4001)
    reaches = np.asarray(law.supervised_loss(table_6, sizes, taught, reference)) <= target
    others = total_flops(1e9, 2e11, BOTH, EQ69, sizes, taught).total
    assert cost <= others[reaches].min() * (1 + 1e-6)


def test_bounds_say_when_a_solution_lies_on_them(law, reference, table_6):
    limits = Limits(max_tokens=1e11, max_teacher_tokens=1e11, max_teacher_params=3e8)
    found = optimise(Problem(law, table_6, reference, 1e9, BOTH, limits), [1e25])
    for name in ("max_tokens", "max_teacher_tokens", "max_teacher_params"):
        assert found.at_bound[name].all()
    assert not found.at_bound["min_tokens"].any()
    assert (found.shares["unspent"] > 0.9).all()
    free = optimise(Problem(law, table_6, reference, 1e9, BOTH), [1e21])
    assert not any(flags.any() for flags in free.at_bound.values())


def test_menu_takes_the_best_of_its_sizes(law, reference, draws):
    sizes = (5e8, 2e9, 8e9)
    budgets = [1e20, 1e22, 1e24]
    menu = optimise(Problem(law, draws, reference, 1e9, BOTH, Limits(teacher_sizes=sizes)), budgets)
    each = [
        optimise(
            Problem(
                law, draws, reference, 1e9, BOTH, Limits(min_teacher_params=s, max_teacher_params=s)
            ),
            budgets,
        ).loss
        for s in sizes
    ]
    np.testing.assert_allclose(menu.loss, np.min(each, axis=0), rtol=1e-12)
    np.testing.assert_allclose(menu.teacher_params, np.asarray(sizes)[np.argmin(each, axis=0)])
    assert len(np.unique(menu.teacher_params)) > 1


def test_a_menu_makes_a_free_teacher_determined(law, reference, table_6):
    best_case = SCENARIOS["best-case"]
    free = optimise(Problem(law, table_6, reference, 1e9, best_case), [1e22])
    menu = optimise(
        Problem(law, table_6, reference, 1e9, best_case, Limits(teacher_sizes=(7e9,))), [1e22]
    )
    assert np.isnan(free.teacher_params).all()
    assert menu.teacher_params == 7e9
    np.testing.assert_allclose(menu.loss, free.loss, rtol=1e-9)
    np.testing.assert_allclose(menu.teacher_loss, free.teacher_loss, rtol=1e-5)
    weak = Limits(max_teacher_params=1e8, max_teacher_tokens=1e10)
    bound = optimise(Problem(law, table_6, reference, 1e9, best_case, weak), [1e22])
    assert (bound.teacher_params[0, 0], bound.teacher_tokens[0, 0]) == (1e8, 1e10)
    assert bound.at_bound["max_teacher_params"].all()


def test_budgets_that_pay_for_nothing_are_refused_with_what_would_do(law, reference, table_6):
    limits = Limits(min_tokens=1e12)
    with pytest.raises(InputError, match="the least that can is") as caught:
        optimise(Problem(law, table_6, reference, 1e9, BOTH, limits), [1e18, 1e20, 1e24])
    assert "1e+18, 1e+20" in str(caught.value)
    assert "1e+24" not in str(caught.value)
    least = least_budget(1e9, BOTH, limits, EQ69)
    found = optimise(Problem(law, table_6, reference, 1e9, BOTH, limits), [least * (1 + 1e-6)])
    assert np.isfinite(found.loss).all()
    assert found.at_bound["min_tokens"].all()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.25])
def test_a_shared_teacher_is_never_worse(law, reference, draws, share):
    own = optimise(Problem(law, draws, reference, 1e9, BOTH), [1e21, 1e23])
    shared = optimise(
        Problem(law, draws, reference, 1e9, Scenario("shared", 1, share)), [1e21, 1e23]
    )
    assert (shared.loss <= own.loss + 1e-9).all()
