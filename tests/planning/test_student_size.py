"""The size of the student, where serving it is paid from the same budget."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bayes_distill import plan
from bayes_distill.compute import FLOPS, SCENARIOS
from bayes_distill.errors import InputError
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.student_size import best_student_size
from bayes_distill.posterior import load_posterior

EQ69 = FLOPS["eq69"]
BOTH = "teacher-pretraining-and-inference"
ASKED = {"crossovers": False, "served_tokens": 1e12}


@pytest.fixture(scope="module")
def few(posterior):
    return posterior.thin(16)


@pytest.fixture(scope="module")
def with_discrepancy():
    return load_posterior("busbridge2025").thin(12)


@pytest.mark.parametrize("scenario", ["supervised", "best-case", BOTH])
def test_sizes_half_as_large_again_or_two_thirds_are_worse(few, scenario):
    chosen = plan(few, budget=1e22, scenario=scenario, **ASKED).table.iloc[0]
    size = chosen["params"]
    assert chosen["served_tokens"] == 1e12
    assert chosen["share_serving"] == pytest.approx(EQ69.forward_flops(size) * 1e12 / 1e22)
    assert chosen.filter(regex="^share_").sum() == pytest.approx(1, abs=1e-9)
    own = chosen[["optimum_params_lower", "optimum_params_median", "optimum_params_upper"]]
    assert own.is_monotonic_increasing
    assert size / 3 < own.iloc[0] < own.iloc[2] < size * 3
    others = plan(few, [size / 1.5, size * 1.5], 1e22, scenario=scenario, **ASKED).table
    assert (others["loss_mean"] > chosen["loss_mean"]).all()
    assert (others["optimum_params_lower"] == others["params"]).all()  # given, so no spread


def test_supervised_training_agrees_with_a_search_by_somebody_else(few, plain):
    def expected(log_size, served):
        each = EQ69.forward_flops(np.exp(log_size))
        tokens = (1e22 - served * each) / (3 * each)
        if tokens <= 0:
            return 100.0 + log_size
        return plain.supervised(few.published, np.exp(log_size), tokens).mean()

    sizes = []
    for served in (1.0, 1e12, 1e13):
        setting = Setting(few, np.nan, SCENARIOS["supervised"], served_tokens=served)
        size = best_student_size(setting, 1e22)
        found = minimize_scalar(
            expected, bounds=np.log([1e8, 1e11]), args=(served,), method="bounded"
        )
        assert expected(np.log(size), served) == pytest.approx(found.fun, abs=2e-5)
        sizes.append(size)
    # next to nothing to serve: a large student; much: a small one
    assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]


def test_each_draw_has_the_size_that_somebody_else_finds_for_it(few, plain):
    result = plan(few, budget=1e22, scenario="supervised", **ASKED)
    row, draws = result.table.iloc[0], result.samples.values
    own = []
    for draw in range(few.n_draws):
        coefficients = {name: values[[draw]] for name, values in few.published.items()}

        def loss(log_size, coefficients=coefficients):
            each = EQ69.forward_flops(np.exp(log_size))
            tokens = (1e22 - 1e12 * each) / (3 * each)
            return plain.supervised(coefficients, np.exp(log_size), tokens).item()

        own.append(minimize_scalar(loss, bounds=np.log([1e8, 3e9]), method="bounded"))
    sizes, losses = np.exp([each.x for each in own]), np.array([each.fun for each in own])
    assert draws["optimum_loss"][:, 0] == pytest.approx(losses, abs=1e-6)
    assert draws["optimum_params"][:, 0] == pytest.approx(sizes, rel=0.03)
    each = EQ69.forward_flops(draws["optimum_params"])
    assert draws["optimum_student_tokens"] == pytest.approx((1e22 - 1e12 * each) / (3 * each))
    assert row["optimum_student_tokens_upper"] > 1.1 * row["optimum_student_tokens_lower"]
    regret = draws["recipe_loss"][:, 0] - losses
    assert row["regret_mean"] == pytest.approx(regret.mean(), abs=1e-6)
    assert row["regret_mean"] > 1e-5
    assert regret.min() > -1e-9


@pytest.mark.parametrize("name", ["few", "with_discrepancy"])
def test_no_given_size_is_better_in_any_draw_than_its_own_and_some_is_as_good(name, request):
    posterior = request.getfixturevalue(name)
    chosen = plan(posterior, budget=1e22, scenario=BOTH, teacher_range=False, **ASKED)
    own = chosen.samples.values["optimum_loss"]
    sizes = chosen.table["params"].item() * np.geomspace(1 / 30, 4, 71)
    given = plan(posterior, list(sizes), 1e22, scenario=BOTH, teacher_range=False, **ASKED)
    # the largest cannot be served and trained
    best = np.nanmin(given.samples.values["optimum_loss"], axis=1, keepdims=True)
    # a path of discrepancies over size has valleys at every scale
    assert (own < best + (1e-6 if name == "few" else 1e-4)).all()
    # the sizes given are 7% apart: in single draws a path may have a valley between two of them
    if name == "few":
        assert own == pytest.approx(best, abs=2e-4)
    else:
        assert np.median(best - own) < 1e-3
    assert chosen.table["regret_mean"].item() > np.nanmin(given.table["regret_mean"])


def test_every_budget_has_a_size_of_its_own(few):
    table = plan(few, budget="1e21,1e23", scenario="supervised", **ASKED).table
    assert table["budget"].tolist() == [1e21, 1e23]
    assert table["params"].iloc[1] > 3 * table["params"].iloc[0]


def test_what_cannot_be_served_is_refused(few):
    with pytest.raises(InputError, match="do not pay for training any student") as caught:
        plan(few, budget=1e19, scenario="supervised", **ASKED)
    least = float(str(caught.value).split("it takes ")[1])
    assert least == pytest.approx(EQ69.forward_flops(1e7) * (1e12 + 3e6), rel=0.01)
    with pytest.raises(InputError, match="within the limits: the least"):
        plan(few, 1e9, 1e21, scenario="supervised", **ASKED)


def test_what_is_about_one_student_needs_its_size(few):
    with pytest.raises(InputError) as caught:
        plan(few, budget=1e22, teachers="gone.csv", target_loss=2.2, **ASKED)
    assert {f.column for f in caught.value.faults} >= {"teachers", "target_loss"}
