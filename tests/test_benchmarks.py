"""The benchmarks: the bootstrap fits what it should, and tables say what was found."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import bootstrap
import samplers

X = np.array([np.log(482.0), np.log(2085.0), np.log(1.817), 0.348, 0.366])


@pytest.fixture(scope="module")
def exact() -> pd.DataFrame:
    params, ratio = np.meshgrid([1e8, 4e8, 1.6e9, 6.4e9], [5.0, 20.0, 80.0])
    frame = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    log_n, log_d = (np.log(frame[name].to_numpy()) for name in ("params", "tokens"))
    return frame.assign(loss=np.exp(np.asarray(bootstrap.log_loss(X, log_n, log_d))))


def test_the_huber_fit_finds_the_truth_where_there_is_no_noise(exact):
    log_n, log_d = (np.log(exact[name].to_numpy()) for name in ("params", "tokens"))
    by_hand = 1.817 + 482.0 / np.exp(log_n) ** 0.348 + 2085.0 / np.exp(log_d) ** 0.366
    np.testing.assert_allclose(exact["loss"], by_hand, rtol=1e-12)
    fitted, least = bootstrap.best_of([X + 0.02, X - 0.02], exact, np.ones(len(exact)))
    assert least < 1e-3
    assert bootstrap.answers(fitted[None])["middle: 1B on 20B"][0] == pytest.approx(
        1.817 + 482.0 / 1e9**0.348 + 2085.0 / 2e10**0.366, rel=1e-4
    )


def test_resamples_differ_and_a_seed_repeats_them(exact):
    noisy = exact.assign(loss=exact["loss"] * np.exp(np.random.default_rng(1).normal(0, 0.01, 12)))
    one, again = (bootstrap.bootstrap(noisy, X, 4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert np.ptp(one[:, 2]) > 1e-4


def test_the_table_of_samplers_has_ratios_and_errors():
    fast = {
        "ess_bulk_min": 900.0,
        "ess_tail_min": 800.0,
        "total_seconds": 10.0,
        "sampling_seconds": 1.0,
        "ess_per_sampling_second": 800.0,
        "ess_per_total_second": 80.0,
        "peak_memory_gb": 0.5,
    }
    slow = fast | {"ess_per_sampling_second": 100.0, "ess_per_total_second": 20.0}
    sides = {
        "bayes-distill": {"cold": fast, "warm": fast, "rhat_max_of_rounds": 1.001},
        "pymc": {"cold": slow, "warm": slow, "rhat_max_of_rounds": 1.01},
        "blackjax": {"error": "it broke"},
    }
    text = samplers.table("card", sides)
    assert "(1/8.0)" in text
    assert "(1/4.0)" in text
    assert "| blackjax | it broke |" in text
