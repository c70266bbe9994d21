"""The search by patterns and parabolas, on functions whose least points are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_distill.planning.solver.pattern_search import SMALL_STEP, minimise

ENDS = np.array([-1.0, 0.0, 1.0])
SQUARE = np.stack(np.meshgrid(ENDS, ENDS), axis=-1).reshape(-1, 2)
FINE = np.stack(np.meshgrid(*2 * [np.linspace(-1, 1, 5)]), axis=-1).reshape(-1, 2)
LINE = np.linspace(-1, 1, 5)[:, None]


class Asked:
    """A function of (trials, problems, unknowns) that counts its trials."""

    def __init__(self, function):
        self.function, self.trials, self.calls = function, 0, 0

    def __call__(self, which, points):
        assert points.shape[1] == len(which)
        self.trials += points.shape[0] * points.shape[1]
        self.calls += 1
        return self.function(which, points)


def starts_around(centre, spread=0.5, count=16, seed=0):
    """Starts (count, problems, unknowns) about centres (problems, unknowns)."""
    centre = np.asarray(centre, float)
    noise = np.random.default_rng(seed).normal(0, spread, (count, *centre.shape))
    return centre + noise


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=5),
    st.floats(0.0, 0.99),
    st.floats(0.5, 50.0),
)
@settings(max_examples=60, deadline=None)
def test_it_finds_the_least_point_of_every_bowl(least, lean, stretch):
    """However the bowls lean; all problems at once are as one after the other."""
    least = np.array(least)

    def bowl(which, points):
        x, y = np.moveaxis(points - least[which], -1, 0)
        return x**2 + stretch * y**2 + 2 * lean * np.sqrt(stretch) * x * y + 2.0

    starts = starts_around(least + 0.3)
    asked = Asked(bowl)
    found, first = minimise(asked, starts, SQUARE, 1e-4, 1.0)
    np.testing.assert_allclose(found, least, atol=1e-4)
    np.testing.assert_array_equal(first, bowl(np.arange(len(least)), starts))
    assert asked.calls <= 20  # halving 0.25 down to 1e-4 would take 12 rounds without a move
    alone = minimise(
        lambda which, points: bowl(which + len(least) - 1, points),
        starts[:, -1:],
        SQUARE,
        1e-4,
        1.0,
    )[0]
    np.testing.assert_allclose(alone[0], found[-1], atol=1e-9)


def test_a_bent_valley_far_from_all_starts():
    """Rosenbrock's: no parabola is right for long."""

    def valley(_, points):
        x, y = np.moveaxis(points, -1, 0)
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    found, _ = minimise(valley, starts_around([[-1.2, 1.0]], 0.1), FINE, 1e-5, 1.0)
    assert valley(0, found[None])[0, 0] < 1e-3


@pytest.mark.parametrize("pattern", [SQUARE, FINE], ids=["square", "fine"])
def test_corners_and_steps_are_no_hindrance(pattern):
    def corner(_, points):
        return np.abs(points - [0.3, -0.2]).max(axis=-1)

    def steps(_, points):
        return np.floor(40 * np.abs(points - [0.3, -0.2]).sum(axis=-1))

    starts = starts_around([[0.0, 0.0]])
    assert corner(0, minimise(corner, starts, pattern, 1e-4, 1.0)[0][None]).item() < 0.01
    assert steps(0, minimise(steps, starts, pattern, 1e-4, 1.0)[0][None]).item() <= 2


def test_what_is_not_feasible_is_never_chosen():
    def walled(_, points):
        bowl = ((points - [1.0, 1.0]) ** 2).sum(axis=-1)
        return np.where(points[..., 0] > 0.5, np.inf, bowl)

    found, _ = minimise(walled, starts_around([[0.0, 0.0]]), FINE, 1e-4, 1.0)
    assert found[0, 0] <= 0.5
    np.testing.assert_allclose(found[0], [0.5, 1.0], atol=1e-3)


def test_where_nothing_is_feasible_it_ends():
    found, scores = minimise(
        lambda which, points: np.full(points.shape[:2], np.inf),
        starts_around([[0.0, 0.0]]),
        SQUARE,
        1e-4,
        1.0,
    )
    assert np.isfinite(found).all()
    assert np.isinf(scores).all()


def test_one_unknown_and_one_that_is_held():
    line, _ = minimise(
        lambda which, points: np.cosh(points[..., 0] - 0.7),
        starts_around([[0.0], [2.0]]),
        LINE,
        1e-6,
        1.0,
    )
    np.testing.assert_allclose(line, 0.7, atol=1e-6)
    held = np.column_stack([np.zeros(5), LINE[:, 0]])
    starts = starts_around([[0.0, 0.0]])
    starts[..., 0] = 1.25
    found, _ = minimise(
        lambda which, points: np.cosh(points[..., 1] - points[..., 0]), starts, held, 1e-6, 1.0
    )
    np.testing.assert_allclose(found, 1.25, atol=1e-6)


def test_starts_that_agree_are_left_for_something_better():
    """Their spread is nothing, so the first step is the small one."""
    starts = np.zeros((4, 1, 2))
    asked = Asked(lambda which, points: ((points - [5 * SMALL_STEP, 0]) ** 2).sum(axis=-1))
    found, _ = minimise(asked, starts, SQUARE, 1e-4, 1.0)
    np.testing.assert_allclose(found[0], [5 * SMALL_STEP, 0], atol=1e-4)
