"""Test quantities of residuals: which there are, what they are, and how they are distributed."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_distill.inference.quantities import (
    below_teacher,
    quantities_for,
    tails_of_count,
    tails_of_residuals,
)


def grid():
    params, ratio = np.meshgrid(np.geomspace(5e7, 3e9, 6), np.geomspace(5, 200, 5))
    frame = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    frame["teacher_loss"] = np.where(frame.index % 3 == 0, np.nan, 2 + frame.index / 40)
    return frame


def by_name(frame):
    return {q.name: q for q in quantities_for(frame)}


def test_all_quantities_of_a_grid():
    assert set(by_name(grid())) == {
        "largest_residual",
        "same_size",
        *(
            f"{kind}_{name}"
            for kind in ("trend", "pattern")
            for name in ("params", "tokens", "compute", "tokens_per_param", "teacher_loss")
        ),
        "bend_compute",
        "bend_tokens_per_param",
        "interaction",
    }


def test_quantities_are_those_that_the_runs_allow():
    """Tokens that do not vary; then tokens in proportion to size, so that compute says the same."""
    rows = pd.DataFrame({"params": np.geomspace(1e8, 1e9, 12), "tokens": np.full(12, 1e10)})
    of_size = ["largest_residual", "trend_params", "pattern_params"]
    assert list(by_name(rows)) == of_size
    assert list(by_name(rows.assign(tokens=20 * rows["params"]))) == of_size
    assert below_teacher(rows) is None


def test_statistics_by_hand():
    rows = pd.DataFrame({"params": np.repeat([1e8, 1e9], 3), "tokens": np.geomspace(1e9, 1e10, 6)})
    found = by_name(rows)
    residuals = np.array([[1.0, 1.0, 1.0, -1.0, -1.0, -1.0], [1.0, -1.0, 0, 1.0, -1.0, 0]])
    assert found["same_size"].statistic(residuals).tolist() == [1.0, 0.0]
    assert found["largest_residual"].statistic(residuals).tolist() == [1.0, 1.0]
    x = np.log(rows["tokens"])
    expected = [np.corrcoef(r, x)[0, 1] for r in residuals]
    np.testing.assert_allclose(found["trend_tokens"].statistic(residuals), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["bend_compute", "bend_tokens_per_param", "interaction"])
def test_bends_are_partial_correlations(name):
    frame = grid()
    x, y = (np.log(frame[n].to_numpy()) for n in ("params", "tokens"))
    trends, values = {
        "bend_compute": ([x + y], (x + y) ** 2),
        "bend_tokens_per_param": ([y - x], (y - x) ** 2),
        "interaction": ([x, y], x * y),
    }[name]
    design = np.stack([np.ones(len(x)), *trends], axis=1)

    def rest(v):
        return v - design @ np.linalg.lstsq(design, v, rcond=None)[0]

    residuals = np.random.default_rng(0).standard_normal((4, len(x)))
    expected = [np.corrcoef(rest(r), rest(values))[0, 1] for r in residuals]
    np.testing.assert_allclose(by_name(frame)[name].statistic(residuals), expected, atol=1e-8)


def test_tails_are_those_of_independent_residuals():
    """Probabilities in closed form against twenty thousand replicated tables."""
    frame = grid()
    generator = np.random.default_rng(1)
    replicated = generator.standard_normal((20_000, len(frame)))
    real = generator.standard_normal((5, len(frame)))
    for quantity in quantities_for(frame):
        at, new = quantity.statistic(real), quantity.statistic(replicated)
        below, above = quantity.tails(at)
        np.testing.assert_allclose(below + above, 1, atol=1e-12)
        expected = (new > at[:, None]).mean(axis=1)
        np.testing.assert_allclose(above, expected, atol=0.016, err_msg=quantity.name)  # 4.5 se


def test_far_tails_keep_their_digits():
    """A correlation of one but for a hair: neither tail is rounded to zero or to less."""
    frame = grid()
    x = np.log(frame["params"].to_numpy())
    residuals = (x - x.mean())[None] + 1e-3 * np.random.default_rng(2).standard_normal(len(x))
    trend = by_name(frame)["trend_params"]
    below, above = tails_of_residuals(trend, residuals)
    mirrored = tails_of_residuals(trend, -residuals)
    assert 0 < above < 1e-30
    assert below == pytest.approx(1)
    assert mirrored == pytest.approx((above, below))


def test_tails_are_averaged_over_draws():
    frame = grid()
    residuals = np.random.default_rng(3).standard_normal((7, len(frame)))
    same = by_name(frame)["same_size"]
    share = same.statistic(residuals)
    expected = stats.beta.sf(share, 3, 12)  # six sizes of thirty runs
    assert tails_of_residuals(same, residuals)[1] == pytest.approx(expected.mean())


def test_students_below_their_teacher_are_counted():
    rows = pd.DataFrame({"teacher_loss": [2.0, np.nan, 2.2, 2.4]})
    share = below_teacher(rows).statistic(np.array([[1.9, 1.0, 2.3, 2.3], [2.1, 1.0, 2.3, 2.5]]))
    np.testing.assert_allclose(share, [2 / 3, 0])


def test_counts_of_events_by_all_their_outcomes():
    chances = np.array([[0.1, 0.6, 0.3, 0.9], [0.5, 0.2, 0.8, 0.4]])
    for count in range(5):
        expected = np.zeros(2)
        for outcome in itertools.product([0, 1], repeat=4):
            chance = np.where(outcome, chances, 1 - chances).prod(axis=1).mean()
            total = sum(outcome)
            expected += chance * np.array(
                [
                    (total < count) + (total == count) / 2,
                    (total > count) + (total == count) / 2,
                ]
            )
        assert tails_of_count(chances, count) == pytest.approx(tuple(expected))
