"""Offsets of sizes: as seen where there were runs, one function of size in each draw elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.posterior.keyed_normal import keyed_normal
from bayes_distill.posterior.size_offsets import SizeOffsets

DRAWS = 4000


def offsets(seed: int = 0) -> SizeOffsets:
    generator = np.random.default_rng(seed)
    seen = 0.001 * generator.standard_normal((DRAWS, 2)) + [0.01, -0.01]
    return SizeOffsets(np.log([1e8, 1e9]), seen, np.full(DRAWS, 0.02), generator.random(DRAWS))


def test_seen_sizes_have_what_their_runs_said():
    each = offsets()
    found = each.at(np.array([1.004e8, 1e9, 5e9]))
    np.testing.assert_array_equal(found[:, :2], each.seen)
    assert found[:, 2].std() == pytest.approx(0.02, rel=0.05)
    assert found[:, 2].mean() == pytest.approx(0, abs=0.001)


def test_a_new_size_has_one_offset_whatever_is_asked_with_it():
    each = offsets()
    alone = each.at(np.array([5e9]))
    among = each.at(np.array([3e7, 5e9, 2e10, 5e9]))
    np.testing.assert_array_equal(among[:, 1], alone[:, 0])
    np.testing.assert_array_equal(among[:, 3], alone[:, 0])
    thinned = SizeOffsets(each.log_sizes, each.seen[::7], each.scale[::7], each.key[::7])
    np.testing.assert_array_equal(thinned.at(np.array([5e9])), alone[::7])


def test_new_sizes_are_independent():
    found = offsets().at(np.geomspace(2e7, 5e10, 40))
    correlation = np.corrcoef(found.T)[np.triu_indices(40, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(DRAWS)


def test_keyed_numbers_are_standard_normal_and_differ_between_draws():
    z = keyed_normal(np.random.default_rng(1).random(20_000), np.arange(5.0))
    assert np.abs(z.mean(axis=0)).max() < 0.03
    np.testing.assert_allclose(z.std(axis=0), 1, atol=0.02)
    assert len(np.unique(z)) == z.size
