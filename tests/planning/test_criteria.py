"""Criteria: what they make of the draws of a loss, and how they are named."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill import plan
from bayes_distill.errors import InputError
from bayes_distill.planning.criteria import (
    criterion_named,
    cvar,
    mean,
    miss,
    per_recipe,
    quantile,
    read_criterion,
)

LOSSES = np.random.default_rng(0).gamma(2.0, 0.1, (200, 3)) + np.array([2.0, 2.1, 2.2])


def test_each_is_the_statistic_that_it_is_named_after():
    np.testing.assert_allclose(mean(LOSSES), LOSSES.mean(axis=0))
    np.testing.assert_allclose(quantile(0.9)(LOSSES), np.quantile(LOSSES, 0.9, axis=0))
    np.testing.assert_allclose(cvar(0.9)(LOSSES), np.sort(LOSSES, axis=0)[-20:].mean(axis=0))
    np.testing.assert_allclose(
        per_recipe(lambda x: float(np.median(x)))(LOSSES), np.median(LOSSES, axis=0)
    )


def test_cvar_of_one_draw_is_that_draw_and_of_many_lies_above_the_quantile():
    np.testing.assert_array_equal(cvar(0.9)(LOSSES[:1]), LOSSES[0])
    assert (cvar(0.9)(LOSSES) >= quantile(0.9)(LOSSES)).all()
    assert (quantile(0.9)(LOSSES) >= mean(LOSSES)).all()


def test_a_target_counts_misses_and_breaks_ties_by_the_expected_loss():
    got = miss(2.3)(LOSSES)
    np.testing.assert_allclose(got, (LOSSES > 2.3).mean(axis=0), atol=1e-3)
    # nobody reaches it, everybody does: then less is better
    for target in (1.0, 9.0):
        tied = miss(target)(LOSSES)
        assert (np.diff(tied) > 0).all()
        assert np.ptp(tied) < 1 / 1000  # less than one draw of a thousand


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("mean", mean),
        ("quantile:0.9", quantile(0.9)),
        ("cvar:0.5", cvar(0.5)),
        ("target:2.2", miss(2.2)),
    ],
)
def test_names(name, same):
    np.testing.assert_array_equal(criterion_named(name)(LOSSES), same(LOSSES))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("median", "write mean, quantile:0.9, cvar:0.9 or target:2.2"),
        ("mean:0.9", "not known"),
        ("", "not known"),
        ("quantile", "needs a number, as in quantile:0.9"),
        ("cvar:x", "needs a number"),
        ("quantile:90", "between 0 and 1"),
        ("cvar:1", "between 0 and 1"),
        ("quantile:nan", "between 0 and 1"),
        ("target:-2", "a positive loss"),
        ("target:inf", "a positive loss"),
    ],
)
def test_a_name_that_is_none_says_what_would_be(name, problem):
    with pytest.raises(InputError, match=problem) as caught:
        criterion_named(name)
    assert [f.column for f in caught.value.faults] == ["criterion"]


@pytest.mark.parametrize("own", [7, None, lambda x: x, lambda x: np.nan, lambda x: np.inf])
def test_a_function_that_gives_no_number_is_refused(own):
    with pytest.raises(InputError, match="must be a function") as caught:
        per_recipe(own)
    assert [f.column for f in caught.value.faults] == ["criterion"]


@pytest.mark.parametrize("name", ["mean", "quantile:0.9", "cvar:0.25", "target:2.2"])
def test_a_criterion_is_read_again_from_its_name(name):
    criterion = read_criterion(name)
    assert criterion.name == name
    assert read_criterion(criterion) is criterion
    np.testing.assert_array_equal(criterion_named(criterion.name)(LOSSES), criterion(LOSSES))


def test_a_function_has_no_name():
    assert read_criterion(np.max).name == ""
    np.testing.assert_array_equal(read_criterion(np.max)(LOSSES), LOSSES.max(axis=0))


def test_utility_is_what_criterion_was_called(posterior):
    asked = {"scenario": "best-case", "crossovers": False, "draws": 16}
    with pytest.warns(DeprecationWarning, match="`utility` is now called `criterion`"):
        before = plan(posterior, "1B", "1e22", utility="cvar:0.9", **asked)
    pd.testing.assert_frame_equal(
        before.table, plan(posterior, "1B", "1e22", criterion="cvar:0.9", **asked).table
    )
    with (
        pytest.warns(DeprecationWarning, match="criterion"),
        pytest.raises(InputError, match="criterion: give either"),
    ):
        plan(posterior, "1B", "1e22", utility="cvar:0.9", criterion="quantile:0.9", **asked)
