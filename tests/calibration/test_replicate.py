"""One replicate: ranks are uniform when they should be, whatever the draws' dependence."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import signal, stats

from bayes_distill.calibration.quantities import components
from bayes_distill.calibration.replicate import LEAST_RANKS, _effective, rank


def test_rank_counts_the_draws_below():
    generator = np.random.default_rng(0)
    draws = np.arange(20.0).reshape(2, 10)
    place, count, pit = rank(4.5, draws, 20.0, generator)
    assert (place, count) == (5, 20)
    assert 5 / 21 <= pit <= 6 / 21
    assert rank(-1.0, draws, 20.0, generator)[0] == 0
    assert rank(99.0, draws, 20.0, generator)[0] == 20


def test_dependent_draws_are_thinned_to_what_they_are_worth():
    draws = np.arange(1000.0).reshape(2, 500)
    generator = np.random.default_rng(0)
    assert [rank(0.5, draws, ess, generator)[1] for ess in (1e4, 1000, 500, 100)] == [
        1000,
        1000,
        500,
        100,
    ]
    assert rank(0.5, draws, 1.0, generator)[1] == LEAST_RANKS


def test_ties_are_broken_evenly():
    generator = np.random.default_rng(0)
    places = [rank(1.0, np.ones((2, 5)), 10.0, generator)[0] for _ in range(2200)]
    counts = np.bincount(places, minlength=11)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("carry", [0.0, 0.9])
def test_ranks_of_exchangeable_truths_are_uniform(carry):
    """Truth and draws from one distribution; the draws are an autoregressive chain."""
    generator = np.random.default_rng(1)
    studies, length = 600, 400
    noise = generator.standard_normal((studies, 2, length + 200)) * np.sqrt(1 - carry**2)
    chains = signal.lfilter([1.0], [1.0, -carry], noise)[:, :, 200:]
    truths = generator.standard_normal(studies)
    worth = _effective(chains)
    pits = [
        rank(truth, draws, ess, generator)[2]
        for truth, draws, ess in zip(truths, chains, worth, strict=True)
    ]
    assert stats.kstest(pits, "uniform").pvalue > 0.01
    assert np.var(pits) * 12 == pytest.approx(1.0, abs=0.15)


def test_what_never_moves_counts_as_independent():
    draws = np.stack([np.ones((2, 50)), np.random.default_rng(0).standard_normal((2, 50))])
    assert _effective(draws)[0] == 100


def test_vectors_are_ranked_component_by_component():
    values = {"plain": np.arange(3.0), "offset": np.arange(12.0).reshape(3, 2, 2)}
    split = components(values, SimpleNamespace())
    assert list(split) == ["plain", "offset[0]", "offset[1]", "offset[2]", "offset[3]"]
    np.testing.assert_array_equal(split["offset[2]"], [2.0, 6.0, 10.0])
