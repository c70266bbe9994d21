"""How flat an optimum is: both ends cost less than 0.005 nats, and nothing beyond them does."""

import numpy as np
import pytest

from bayes_distill import plan
from bayes_distill.planning import Limits

NEARLY = 0.005
PAID = ("teacher-inference", "teacher-pretraining", "teacher-pretraining-and-inference")


def expected_loss(posterior, scenario, budget, size, **limits):
    """Expected loss of the best recipe with one size of teacher."""
    fixed = Limits(teacher_sizes=(float(size),), **limits)
    found = plan(posterior, 1e9, budget, scenario=scenario, limits=fixed, crossovers=False)
    return found.table["loss_mean"].item()


@pytest.mark.parametrize("name", PAID)
def test_the_ends_are_nearly_as_good_and_what_lies_beyond_is_not(posterior, name):
    few = posterior.thin(64)
    found = plan(few, 1e9, 1e22, scenario=name, crossovers=False).table.iloc[0]
    low, high = (
        found["near_optimal_teacher_params_lower"],
        found["near_optimal_teacher_params_upper"],
    )
    assert low < found["recipe_teacher_params"] < high
    grid = 10 ** (4 / 48)  # between neighbouring sizes that are looked at
    for size, beyond in ((low, low / grid), (high, high * grid)):
        excess, further = (
            expected_loss(few, name, 1e22, s) - found["loss_mean"] for s in (size, beyond)
        )
        assert 0 < excess <= NEARLY + 1e-4
        assert further > NEARLY - 1e-4


def test_of_a_menu_it_is_a_size_of_the_menu(posterior):
    sizes = (5e8, 1.2e9, 2e9, 4e9)
    found = plan(
        posterior,
        1e9,
        1e22,
        scenario=PAID[-1],
        limits=Limits(teacher_sizes=sizes),
        crossovers=False,
    ).table.iloc[0]
    ends = [found["near_optimal_teacher_params_lower"], found["near_optimal_teacher_params_upper"]]
    assert np.isin(np.round(ends), sizes).all()


def test_where_no_teacher_is_described_there_is_no_range(posterior):
    found = plan(posterior, 1e9, 1e22, scenario="supervised,best-case", crossovers=False).table
    assert found.filter(like="near_optimal_").isna().all(axis=None)
