import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill.predict.results.columns import STATISTICS, columns_of, summary


@given(
    count=st.integers(1, 400),
    interval=st.sampled_from([0.1, 0.5, 0.8, 0.9, 0.95, 0.999]),
    seed=st.integers(0, 10_000),
)
def test_quantiles_and_medians_are_numpy_s_to_the_last_digit(count, interval, seed):
    draws = 2.3 + np.random.default_rng(seed).standard_normal((count, 3))
    found = summary("loss", draws, interval)
    ends = np.quantile(draws, [(1 - interval) / 2, (1 + interval) / 2], axis=0)
    np.testing.assert_array_equal([found["loss_lower"], found["loss_upper"]], ends)
    np.testing.assert_array_equal(found["loss_median"], np.median(draws, axis=0))
    np.testing.assert_array_equal(found["loss_mean"], draws.mean(axis=0))
    np.testing.assert_array_equal(found["loss_sd"], draws.std(axis=0))


def test_columns_are_in_the_order_of_the_schema():
    draws = np.random.default_rng(0).standard_normal((50, 2))
    assert tuple(summary("regret", draws, 0.9)) == columns_of("regret")
    assert columns_of("regret") == tuple(f"regret_{name}" for name in STATISTICS)
    assert tuple(summary("x", draws, 0.9, ("lower", "median"))) == ("x_lower", "x_median")


def test_a_quantity_that_is_certain_is_exact_and_one_without_a_value_is_unknown():
    draws = np.full((1001, 3), 2.1)
    draws[:, 1] = np.nan
    certain = summary("t", draws, 0.9)
    draws[:, 2] = np.random.default_rng(1).standard_normal(1001)
    beside = summary("t", draws, 0.9)
    assert draws[:, 0].mean() != 2.1  # what rounding makes of it
    for found in (certain, beside):
        for name in ("mean", "median", "lower", "upper"):
            assert found[f"t_{name}"][0] == 2.1
        assert found["t_sd"][0] == 0
        assert all(np.isnan(value[1]) for value in found.values())
    assert beside["t_sd"][2] == pytest.approx(1, abs=0.1)


def test_draws_of_one_quantity_have_numbers():
    draws = np.random.default_rng(2).standard_normal(101)
    found = summary("x", draws, 0.5)
    assert {np.ndim(value) for value in found.values()} == {0}
    assert found["x_lower"] < found["x_median"] < found["x_upper"]


def test_infinite_draws_have_quantiles_and_no_mean_is_asked_of_them():
    draws = np.array([1.0, 2.0, 3.0, 4.0, np.inf])
    found = summary("x", draws, 0.5, ("median", "lower", "upper"))
    assert found == {"x_median": 3.0, "x_lower": 2.0, "x_upper": 4.0}
    beyond = summary("x", np.array([1.0, 2.0, np.inf, np.inf]), 0.9, ("median", "upper"))
    assert beyond == {"x_median": np.inf, "x_upper": np.inf}
