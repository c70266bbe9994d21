"""The step size of all chains, from acceptances at fixed steps."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.inference.step_size import POWER, tuned

GENERATOR = np.random.default_rng(0)


def batches(step_sizes: list[float], size: int = 400) -> dict[str, np.ndarray]:
    """Transitions of two chains that reject 0.3 of the step size to some power, give or take."""
    used = np.repeat(step_sizes, size)[:, None] * np.ones(2)
    rejected = 0.3 * used**POWER * GENERATOR.exponential(1.0, used.shape)
    return {"step_size": used, "acceptance_rate": 1 - np.minimum(rejected, 1)}


@pytest.mark.parametrize("target", [0.8, 0.95])
def test_the_step_size_is_the_one_that_is_accepted_as_asked(target):
    right = ((1 - target) / 0.3) ** (1 / POWER)
    assert tuned(batches([0.7 * right]), target) == pytest.approx(right, rel=0.06)
    assert tuned(batches([1.5 * right, 0.9 * right]), target) == pytest.approx(right, rel=0.06)


def test_the_first_guess_does_not_count_once_there_is_a_better_one():
    stats = batches([0.2, 0.5])
    stats["acceptance_rate"][:400] = 0.0  # far too much is rejected: the power no longer holds
    assert tuned(stats, 0.95) == pytest.approx((0.05 / 0.3) ** (1 / POWER), rel=0.06)


def test_a_step_size_changes_by_no_more_than_a_factor_of_two_at_once():
    stats = batches([0.5])
    for accepted, expected in ((1.0, 1.0), (0.0, 0.25)):
        stats["acceptance_rate"][:] = accepted
        assert tuned(stats, 0.9) == expected
