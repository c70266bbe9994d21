import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill.posterior.hull import Hull, Hulls

NONE = np.array([np.nan])


def hull_of(*points, teachers=NONE):
    params, tokens = np.array(points, float).T
    return Hull.of(params, tokens, np.asarray(teachers, float))


@pytest.fixture
def square():
    """Four corners, a run inside, and teachers of some runs."""
    return hull_of(
        (1e8, 1e9),
        (1e9, 1e9),
        (1e9, 1e10),
        (1e8, 1e10),
        (3e8, 3e9),
        teachers=[2.0, np.nan, 2.5, np.nan, 2.2],
    )


@pytest.mark.parametrize("point", [(1e8, 1e9), (1e9, 1e10), (3e8, 3e9), (1e8, 5e9), (9e8, 1.1e9)])
def test_inside_and_on_the_edge_is_not_outside(square, point):
    assert square.factors(*point) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("point", "factors"),
    [
        ((1e10, 5e9), (10, 1)),
        ((1e7, 5e9), (10, 1)),  # a factor smaller counts like a factor larger
        ((5e8, 3e11), (1, 30)),
        ((5e8, 5e8), (1, 2)),
        ((4e9, 3e10), (4, 3)),
        ((5e7, 1e8), (2, 10)),
    ],
)
def test_outside_is_so_many_times(square, point, factors):
    assert square.factors(*point) == pytest.approx(factors, rel=1e-9)


def test_the_inner_run_is_no_corner(square):
    corners = {(round(np.exp(x)), round(np.exp(y))) for x, y in square.points}
    assert corners == {(10**8, 10**9), (10**9, 10**9), (10**9, 10**10), (10**8, 10**10)}


def test_the_hull_is_not_the_box():
    triangle = hull_of((1e8, 1e9), (1e10, 1e9), (1e8, 1e11))
    assert triangle.factors(3e8, 3e9) == (1.0, 1.0)
    assert triangle.factors(1e10, 1e11) == pytest.approx((10, 10))  # the nearest is (1e9, 1e10)


def test_a_single_run_and_a_line_of_runs_have_hulls():
    alone = hull_of((1e9, 2e10))
    assert alone.factors(1e9, 2e10) == (1.0, 1.0)
    assert alone.factors(3e9, 1e10) == pytest.approx((3, 2))
    line = hull_of((1e8, 2e9), (1e9, 2e10), (1e10, 2e11))
    assert line.factors(3e8, 6e9) == (1.0, 1.0)
    assert line.factors(1e9, 8e10) == pytest.approx((2, 2))
    assert line.factors(2e10, 4e11) == pytest.approx((2, 2))


@given(
    st.lists(st.tuples(st.floats(16, 28), st.floats(18, 32)), min_size=1, max_size=30),
    st.tuples(st.floats(10, 35), st.floats(10, 40)),
)
def test_every_run_is_inside_and_every_factor_leads_back(logs, there):
    logs = np.array(logs)
    hull = Hull.of(*np.exp(logs).T, np.full(len(logs), np.nan))
    for point in np.exp(logs):
        assert hull.factors(*point) == (1.0, 1.0)
    steps = np.log(hull.factors(*np.exp(there)))
    assert (steps >= 0).all()
    # one of the four ways to undo the factors ends in the hull
    ways = [np.exp(there + steps * [a, b]) for a in (-1, 1) for b in (-1, 1)]
    assert min(np.max(np.log(hull.factors(*way))) for way in ways) < 1e-4


def test_teachers_outside_the_range_seen(square):
    assert square.teacher_loss == (2.0, 2.5)
    assert not any(square.teacher_outside(x) for x in (2.0, 2.2, 2.5, np.nan))
    assert square.teacher_outside(1.99)
    assert square.teacher_outside(2.51)


def test_no_teacher_is_outside_where_none_was_seen():
    plain = hull_of((1e8, 1e9), (1e9, 1e9), (1e9, 1e10))
    assert plain.teacher_loss is None
    assert not plain.teacher_outside(0.1)


@pytest.fixture
def both():
    """Supervised runs of up to 3B, distilled ones of up to 1.1B."""
    params = np.array([1e8, 3e9, 3e9, 1e8, 1e8, 1.1e9, 1.1e9, 1e8])
    tokens = np.array([2e9, 2e9, 1e11, 1e11] * 2)
    return Hulls.of(params, tokens, np.array([np.nan] * 4 + [2.0, 2.1, 2.2, 2.4]))


def test_a_distilled_student_lies_among_distilled_runs_alone(both):
    twice = np.full(2, 3e9)
    place = both.where(twice, np.full(2, 1e10), np.array([np.nan, 2.2]), np.array([False, True]))
    assert place.factors == pytest.approx(np.array([[1, 1], [3 / 1.1, 1]]))
    assert place.outside.tolist() == [False, True]
    assert not place.untried.any()
    assert place.runs.tolist() == [4, 4]


def test_a_kind_without_runs_is_outside_everywhere():
    hulls = Hulls.of(np.full(1, 1e9), np.full(1, 2e10), np.full(1, 2.2))
    assert hulls.supervised is None
    one = (np.full(1, 1e9), np.full(1, 4e10), np.full(1, np.nan), np.zeros(1, bool))
    place = hulls.where(*one)
    assert place.outside.all()
    assert place.untried.all()
    assert place.runs.tolist() == [0]
    assert place.factors == pytest.approx(np.array([[1, 2]]))  # from runs of the other kind


def test_hulls_survive_json(both):
    assert Hulls.from_json(json.loads(json.dumps(both.to_json()))) == both
    assert Hulls.from_json({"supervised": None, "distilled": None}) == Hulls(None, None)
