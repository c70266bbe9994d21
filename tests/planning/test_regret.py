"""Recipes and optima are judged by one function, so that no recipe is better than an optimum."""

import numpy as np
import pytest

from bayes_distill import load_posterior, plan
from bayes_distill.compute import SCENARIOS
from bayes_distill.planning.recipe_search import complete
from bayes_distill.planning.regret import TOLERANCE, regret_of
from bayes_distill.planning.setting import Setting

UNIT = 2.4


def test_it_is_the_difference_and_nothing_is_cut_off():
    optimum = np.array([[2.0, 2.1], [2.2, np.nan]])
    recipe = optimum + np.array([[0.01, 0.0], [-1e-15, 0.02]])
    np.testing.assert_array_equal(regret_of(recipe, optimum, UNIT), recipe - optimum)


def test_a_recipe_that_is_better_than_the_optimum_is_a_mistake():
    optimum = np.full((200, 2), 2.0)
    recipe = optimum.copy()
    recipe[3:7, 1] -= 2 * TOLERANCE * UNIT
    with pytest.raises(AssertionError, match=r"optimum of 2.0% of the draws, by up to"):
        regret_of(recipe, optimum, UNIT)
    recipe[4:7, 1] = 2.0  # one draw, whose best valley was missed, is no mistake
    assert (regret_of(recipe, optimum, UNIT) <= 0).all()


@pytest.fixture(scope="module")
def fitted():
    """A fit whose sizes and conditions have discrepancies."""
    return load_posterior("busbridge2025").thin(100)


@pytest.mark.parametrize(("params", "budget"), [("975M", 3.7e20), ("975M", 4.3e20), ("1B", 1e22)])
@pytest.mark.parametrize("name", ["best-case", "teacher-inference", "teacher-pretraining"])
def test_with_discrepancies_the_regret_is_never_negative(fitted, params, budget, name):
    """Also near the conditions of runs, such as 975M on 21.3B tokens."""
    asked = {"crossovers": False, "teacher_range": False}
    found = plan(fitted, params, budget, scenario=name, **asked)
    regret = found.samples["recipe_loss"] - found.samples["optimum_loss"]
    assert regret.min() >= -TOLERANCE * fitted.reference.loss
    (row,) = found.table.to_dict("records")
    assert row["regret_mean"] == pytest.approx(regret.mean(), abs=1e-12)


def test_a_regret_does_not_jump_where_a_condition_was_run(fitted):
    """Budgets around 975M on 21.3B tokens: of the mean curve no condition has anything special."""
    tokens = 2.13e10 * np.array([0.85, 1.0, 1.15])
    setting = Setting(fitted, 9.75e8, SCENARIOS["best-case"])
    budgets = 3 * setting.student_flops * tokens
    found = plan(fitted, 9.75e8, list(budgets), scenario="best-case", crossovers=False)
    regret = found.table["regret_mean"].to_numpy()
    assert regret[1] == pytest.approx(np.sqrt(regret[0] * regret[2]), rel=0.1)
    smooth = found.table["loss_mean"].to_numpy()
    assert smooth[0] > smooth[1] > smooth[2]
    assert smooth[1] == pytest.approx(np.sqrt(smooth[0] * smooth[2]), rel=1e-3)


def test_what_a_condition_has_is_in_new_runs(fitted):
    """The runs of a recipe scatter by its condition, too; its mean curve does not."""
    asked = {"crossovers": False, "teacher_range": False}
    found = plan(fitted, 1e9, 1e22, scenario="teacher-inference", **asked)
    (row,) = found.table.to_dict("records")
    setting = Setting(fitted, 1e9, SCENARIOS["teacher-inference"])
    unknowns = np.log([[row["recipe_teacher_params"], row["recipe_teacher_tokens"]]])
    of_size, own = (
        complete(setting, np.array([1e22]), unknowns, conditions=which).losses[:, 0]
        for which in ("none", "own")
    )
    np.testing.assert_allclose(found.samples["recipe_loss"][:, 0], of_size, rtol=1e-9)
    apart = (own - of_size).std()
    assert apart > 0.0005
    effects = np.hypot(*(fitted.draws[f"{n}_sd"].mean() for n in ("teacher", "condition")))
    # and Student t noise, which is a third of that; 100 draws: four standard errors
    sd = np.hypot(own.std(), effects * fitted.reference.loss)
    assert row["new_run_sd"] == pytest.approx(sd, rel=4 / np.sqrt(200) + 0.1)
