"""How many draws each part of a plan uses, and that a caller can set it."""

import numpy as np
import pytest

from bayes_distill import by_chain, plan
from bayes_distill.errors import InputError
from bayes_distill.planning.draw_counts import DrawCounts, thinned
from bayes_distill.posterior import load_posterior


@pytest.mark.parametrize("n_draws", [1, 7, 128, 2000, 4000])
@pytest.mark.parametrize("most", [1, 64, 100, 500, 5000])
def test_thinned_is_what_thinning_leaves(posterior, n_draws, most):
    stride = max(1, -(-n_draws // most))
    assert thinned(n_draws, most) == len(range(0, n_draws, stride)) <= most
    if n_draws == 128:
        assert thinned(n_draws, most) == posterior.thin(most).n_draws


def test_defaults_and_what_they_come_to():
    assert DrawCounts().of(4000) == {
        "plan": 500,
        "recipe_search": 250,
        "student_size": 125,
        "crossover": 250,
        "near_optimal": 63,
    }
    assert set(DrawCounts().of(1).values()) == {1}


def test_every_count_that_is_none_is_named():
    with pytest.raises(InputError) as caught:
        DrawCounts(plan=0, near_optimal=-1)
    assert [f.column for f in caught.value.faults] == ["draws", "near_optimal"]


def test_a_caller_sets_them_and_the_plan_says_them(posterior):
    counts = DrawCounts(plan=64, crossover=16)
    asked = {"scenario": "best-case", "teacher_range": False}
    found = plan(posterior, "1B", "1e22", draws=counts, **asked)
    assert found.draw_counts == counts.of(128)
    assert found.to_json()["draw_counts"] == {
        "plan": 64,
        "recipe_search": 64,
        "student_size": 64,
        "crossover": 16,
        "near_optimal": 64,
    }
    shares = found.crossovers["p_none"] * 16
    np.testing.assert_array_equal(shares, shares.round())


def test_draws_are_labelled_by_chain_and_draw():
    posterior = load_posterior("busbridge2025")
    found = plan(posterior, "1B", "1e22", scenario="supervised", crossovers=False, draws=100)
    thin = posterior.thin(100)
    draws = found.draws
    np.testing.assert_array_equal(draws["chain"], thin.chains)
    assert draws.indexes["sample"].is_unique
    apart = by_chain(draws)
    assert apart.sizes["chain"] == len(set(thin.chains))
    loss = apart["recipe_loss"].sel(scenario="supervised", params=1e9, budget=1e22)
    first = found.samples["recipe_loss"][thin.chains == 0, 0]
    np.testing.assert_array_equal(loss.sel(chain=0), first[: loss.sizes["draw"]])
