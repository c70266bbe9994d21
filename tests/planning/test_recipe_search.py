"""The recipe: on the budget, within the limits, and best over the whole posterior."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from bayes_distill.compute import FLOPS, SCENARIOS, total_flops
from bayes_distill.planning import Limits, Problem, optimise
from bayes_distill.planning.criteria import criterion_named, mean, per_recipe
from bayes_distill.planning.recipe_search import (
    NEAR,
    best_recipe,
    complete,
    into_spread,
    plug_in_losses,
)
from bayes_distill.planning.setting import Setting

EQ69 = FLOPS["eq69"]
STUDENT = 1e9
ASKEW = np.array([0.7, -0.7])
BUDGETS = np.array([1e20, 1e22, 1e25])
SUPERVISED, BEST, INFERENCE, PRETRAINING, BOTH = SCENARIOS.values()
TAUGHT = [BEST, INFERENCE, PRETRAINING, BOTH]
taught = pytest.mark.parametrize("scenario", TAUGHT, ids=lambda s: s.name)


def solve(posterior, scenario, criterion=mean, limits=None, budgets=BUDGETS):
    limits = limits or Limits()
    setting = Setting(posterior, STUDENT, scenario, limits, EQ69, criterion)
    optimum = optimise(
        Problem(posterior.law, posterior.draws, posterior.reference, STUDENT, scenario, limits),
        budgets,
    )
    return setting, optimum, best_recipe(setting, budgets, optimum)


@pytest.fixture(scope="module")
def solved(posterior):
    return {scenario.name: solve(posterior, scenario) for scenario in SCENARIOS.values()}


def spare(setting):
    """By how much a recipe may be worse than the best: in a flat valley it moves to the middle."""
    in_a_valley = setting.scenario is PRETRAINING
    return NEAR * setting.posterior.reference.loss if in_a_valley else 1e-9


def own_recipes(setting, optimum, budgets=BUDGETS):
    """Losses (draws judged, draws whose best recipe it is, budgets) of every draw's own recipe."""
    if np.isnan(optimum.teacher_params).any():
        unknowns = np.log(optimum.teacher_loss)[..., None]
    else:
        unknowns = np.log(np.stack([optimum.teacher_params, optimum.teacher_tokens], axis=-1))
    draws = len(unknowns)
    flat = unknowns.reshape(draws * budgets.size, -1)
    losses = complete(setting, np.tile(budgets, draws), flat).losses
    return losses.reshape(-1, draws, budgets.size)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda s: s.name)
def test_it_costs_the_budget_and_has_the_losses_it_says(solved, posterior, plain, scenario):
    recipe = solved[scenario.name][2]
    spent = total_flops(
        STUDENT, recipe.student_tokens, scenario, EQ69, recipe.teacher_params, recipe.teacher_tokens
    ).total
    np.testing.assert_allclose(spent / BUDGETS, 1, rtol=1e-9)
    for k, tokens in enumerate(recipe.student_tokens):
        if scenario is SUPERVISED:
            expected = plain.supervised(posterior.published, STUDENT, tokens)
        else:
            size, seen = recipe.teacher_params[k], recipe.teacher_tokens[k]
            teacher = (
                recipe.teacher_loss[k]
                if scenario is BEST
                else plain.supervised(posterior.published, size, seen)
            )
            assert np.mean(teacher) == pytest.approx(recipe.teacher_loss[k], rel=1e-9)
            expected = plain.distilled(posterior.published, STUDENT, tokens, teacher)
        np.testing.assert_allclose(recipe.losses[:, k], expected, rtol=1e-9)


@taught
def test_no_draws_own_recipe_has_a_lower_expected_loss(solved, scenario):
    setting, optimum, recipe = solved[scenario.name]
    own = own_recipes(setting, optimum).mean(axis=0)
    assert (recipe.losses.mean(axis=0) <= own + spare(setting)).all()
    assert (recipe.losses >= optimum.loss - 1e-9).all()  # knowing the truth is never worse


@taught
def test_that_holds_for_more_draws_than_it_is_first_searched_with(many, scenario):
    budgets = BUDGETS[1:]
    setting, optimum, recipe = solve(many, scenario, budgets=budgets)
    own = own_recipes(setting, optimum, budgets).mean(axis=0)
    assert (recipe.losses.mean(axis=0) <= own + spare(setting)).all()


@taught
def test_planning_with_average_coefficients_is_not_better(solved, posterior, scenario):
    setting, _, recipe = solved[scenario.name]
    law, reference = posterior.law, posterior.reference
    published = {name: values.mean() for name, values in posterior.published.items()}
    coordinates = {name: posterior.draws[name].mean() for name in law.coordinate_names}
    gains = []
    for average in (coordinates, law.from_published(published, reference)):
        single = optimise(Problem(law, average, reference, STUDENT, scenario), BUDGETS)
        gains.append(plug_in_losses(setting, BUDGETS, single).mean(axis=0))
    gains -= recipe.losses.mean(axis=0)
    assert (gains >= -1e-9).all()
    assert gains.max() > 1e-6


@taught
def test_scipy_finds_nothing_better(solved, posterior, plain, scenario):
    """The expected loss from the printed equations, minimised by somebody else's program."""
    setting, optimum, recipe = solved[scenario.name]
    c, low, high = posterior.published, np.log(1e6), np.log(1e17)

    def expected(x, budget):
        if scenario is BEST:
            tokens, teacher = budget / (3 * EQ69.forward_flops(STUDENT)), np.exp(x[0])
        else:
            size, seen = np.exp(np.clip(x, low, high))
            model = EQ69.forward_flops(size)
            rest = budget - 3 * scenario.teacher_share * model * seen
            tokens = rest / (3 * EQ69.forward_flops(STUDENT) + scenario.logits_share * model)
            if tokens < 1e6:
                return 100.0
            teacher = plain.supervised(c, size, seen)
        return float(np.mean(plain.distilled(c, STUDENT, tokens, teacher)))

    for k, budget in enumerate(BUDGETS):
        names = ("teacher_loss",) if scenario is BEST else ("teacher_params", "teacher_tokens")
        middle, ours = (
            np.log([np.median(getattr(found, name)[..., k]) for name in names])
            for found in (optimum, recipe)
        )
        assert expected(ours, budget) == pytest.approx(recipe.losses[:, k].mean(), rel=1e-9)
        starts = (
            [middle, middle + 0.3, middle - 0.3]
            if scenario is BEST
            else [middle, middle + ASKEW, middle - ASKEW, ours]
        )
        best = min(
            minimize(expected, start, (budget,), "Nelder-Mead", options={"fatol": 1e-10}).fun
            for start in starts
        )
        assert recipe.losses[:, k].mean() <= best + max(1e-5, spare(setting))


@taught
def test_with_one_draw_it_is_that_draws_optimum(point, scenario):
    _, optimum, recipe = solve(point, scenario)
    np.testing.assert_allclose(recipe.losses, optimum.loss, atol=1e-9)
    for name in ("student_tokens", "teacher_params", "teacher_tokens", "teacher_loss"):
        np.testing.assert_allclose(getattr(recipe, name), getattr(optimum, name)[0], rtol=0.01)


@pytest.mark.parametrize("name", ["quantile:0.9", "cvar:0.9", "target:2.2"])
@taught
def test_another_criterion_has_a_recipe_that_is_better_by_it(solved, posterior, scenario, name):
    criterion = criterion_named(name)
    setting, _, recipe = solve(posterior, scenario, criterion)
    usual = solved[scenario.name][2]
    assert (setting.score(recipe.losses) <= setting.score(usual.losses) + 1e-12).all()
    assert (recipe.losses.mean(axis=0) >= usual.losses.mean(axis=0) - 1e-9).all()
    if name != "target:2.2":  # which all draws reach, or none does, at most budgets
        assert (setting.score(recipe.losses) < setting.score(usual.losses)).any()


def test_a_users_own_function_is_a_criterion(solved, posterior):
    own = per_recipe(lambda losses: float(losses.mean()))
    same, usual = solve(posterior, BOTH, own, budgets=BUDGETS[1:2])[2], solved[BOTH.name][2]
    np.testing.assert_allclose(same.losses[:, 0], usual.losses[:, 1], rtol=1e-5)
    assert same.losses.mean() == pytest.approx(usual.losses[:, 1].mean(), abs=1e-9)


def test_a_criterion_that_fails_for_some_recipes_does_not_choose_them(posterior):
    fussy = per_recipe(lambda losses: np.nan if 2.2 < losses.mean() < 2.3 else float(losses.mean()))
    recipe = solve(posterior, BOTH, fussy, budgets=np.array([1e22]))[2]
    assert not 2.2 < recipe.losses.mean() < 2.3


def test_twice_is_the_same(solved, posterior):
    again = solve(posterior, BOTH)[2]
    np.testing.assert_array_equal(again.losses, solved[BOTH.name][2].losses)


@pytest.mark.parametrize(("shift", "reaches"), [(0.05, True), (0.5, False)])
def test_outside_the_spread_of_optima_it_goes_towards_their_middle_while_it_is_as_good(
    solved, posterior, shift, reaches
):
    setting, _, recipe = solved[BOTH.name]
    found = np.log(np.stack([recipe.teacher_params, recipe.teacher_tokens], axis=-1))
    around = np.linspace(-0.02, 0.02, 41)[:, None, None]
    moved = into_spread(setting, BUDGETS, found, found + shift + around)
    cost = complete(setting, BUDGETS, moved).losses.mean(axis=0) - recipe.losses.mean(axis=0)
    assert (cost < 1.01e-4 * posterior.reference.loss).all()
    parts = (moved - found) / shift
    assert (parts >= 0).all()
    assert (parts[-1] == pytest.approx(1)) == reaches  # the flattest of the three
    # a recipe that lies among them stays
    assert into_spread(setting, BUDGETS, found, found + around) == pytest.approx(found, abs=0)


LIMITS = Limits(max_tokens=1e11, max_teacher_tokens=2e11, max_teacher_params=2e9)


@taught
def test_it_keeps_to_limits_and_is_best_within_them(posterior, scenario):
    budgets = BUDGETS[1:]
    setting, optimum, recipe = solve(posterior, scenario, limits=LIMITS, budgets=budgets)
    assert (recipe.student_tokens <= 1e11).all()
    if scenario is not BEST:
        assert (recipe.teacher_tokens <= 2e11).all()
        assert (recipe.teacher_params <= 2e9).all()
    assert (recipe.losses >= optimum.loss - 1e-9).all()
    own = own_recipes(setting, optimum, budgets).mean(axis=0)
    assert (recipe.losses.mean(axis=0) <= own + 1e-9).all()


def test_a_free_teacher_is_no_better_than_the_best_that_the_limits_allow(posterior):
    strongest = np.mean(posterior.supervised_loss(np.array([2e9]), np.array([2e11])))
    limits = Limits(max_teacher_tokens=2e11, max_teacher_params=2e9)
    _, optimum, recipe = solve(posterior, BEST, limits=limits)
    assert (recipe.losses >= optimum.loss - 1e-9).all()
    assert (recipe.teacher_loss >= strongest - 1e-9).all()
    # at the largest budget every draw wants a stronger one: take the strongest, which is known
    assert recipe.teacher_loss[-1] == pytest.approx(strongest, abs=1e-12)
    assert (recipe.teacher_params[-1], recipe.teacher_tokens[-1]) == (2e9, 2e11)
    assert np.isnan(recipe.teacher_params[0])


@pytest.mark.parametrize("name", ["mean", "quantile:0.9"])
@taught
def test_of_a_menu_it_takes_the_size_that_is_best_alone(posterior, scenario, name):
    sizes, criterion, budgets = (5e8, 2e9, 8e9, 3e10), criterion_named(name), np.array([1e21, 1e23])
    limits = Limits(teacher_sizes=sizes, max_teacher_tokens=5e12)
    setting, _, recipe = solve(posterior, scenario, criterion, limits, budgets)
    alone = [
        solve(posterior, scenario, criterion, replace(limits, teacher_sizes=(size,)), budgets)[2]
        for size in sizes
    ]
    scores = np.array([setting.score(one.losses) for one in alone])
    assert np.isin(np.round(recipe.teacher_params), sizes).all()
    assert (setting.score(recipe.losses) <= scores.min(axis=0) + 1e-6).all()
