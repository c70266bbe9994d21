"""What is asked: grids of lists, tables, and every fault of either."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.compute import SCENARIOS
from bayes_distill.errors import InputError
from bayes_distill.planning.cells import read_cells_table
from bayes_distill.predict import points as module
from bayes_distill.predict.points import from_table, grid, quantities


def columns_at_fault(error: pytest.ExceptionInfo[InputError]) -> list[str | None]:
    return [fault.column for fault in error.value.faults]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1B", [1e9]),
        ("1B, 300M ,2e9", [1e9, 3e8, 2e9]),
        (1e9, [1e9]),
        (7, [7.0]),
        (["1B", 2e9], [1e9, 2e9]),
        ((1e9,), [1e9]),
        (np.array([1e9, 2e9]), [1e9, 2e9]),
        (np.float64(2.1), [2.1]),
    ],
)
def test_quantities_reads_lists_however_they_are_written(value, expected):
    assert quantities(value) == expected


def test_quantities_names_every_part_that_is_no_number():
    with pytest.raises(ValueError, match=r"'x'.*'y'"):
        quantities("1B,x,2B,y")


def test_grid_is_every_combination_in_order_of_the_arguments():
    points = grid("1B,3B", [1e10, 2e10], teacher_loss="2.0,2.1")
    assert len(points) == 8
    asked = list(zip(points.params, points.tokens, points.teacher_loss, strict=True))
    assert asked == [(n, d, t) for n in (1e9, 3e9) for d in (1e10, 2e10) for t in (2.0, 2.1)]
    assert points.distilled.all()


def test_grid_of_teachers_by_size_and_tokens():
    points = grid("1B", "20B", teacher_params="3B,7B", teacher_tokens="60B,140B")
    assert list(points.teacher_params) == [3e9, 3e9, 7e9, 7e9]
    assert list(points.teacher_tokens) == [6e10, 1.4e11, 6e10, 1.4e11]
    assert np.isnan(points.teacher_loss).all()
    assert points.distilled.all()


def test_without_a_teacher_nothing_is_distilled():
    assert not grid("1B", "20B").distilled.any()


@pytest.mark.parametrize(
    ("arguments", "at_fault"),
    [
        ({}, ["params", "tokens"]),
        ({"params": "1B"}, ["tokens"]),
        ({"params": "7", "tokens": "20B"}, ["params"]),
        ({"params": "7,8", "tokens": "20"}, ["params", "params", "tokens"]),
        ({"params": -1e9, "tokens": 0}, ["params", "tokens"]),
        ({"params": float("nan"), "tokens": float("inf")}, ["params", "tokens"]),
        ({"params": "1B", "tokens": "20B", "teacher_loss": "300"}, ["teacher_loss"]),
        ({"params": "1B", "tokens": "20B", "teacher_loss": "two"}, ["teacher_loss"]),
        ({"params": "1B", "tokens": "20B", "teacher_params": "7B"}, ["teacher_tokens"]),
        ({"params": "1B", "tokens": "20B", "teacher_tokens": "7B"}, ["teacher_params"]),
        (
            {"params": "x", "tokens": "20B", "teacher_loss": 2, "teacher_params": "7B"},
            ["params", "teacher_loss", "teacher_tokens"],
        ),
        ({"params": None, "tokens": [], "teacher_loss": 2.0}, ["params", "tokens"]),
    ],
)
def test_grid_names_every_argument_at_fault(arguments, at_fault):
    with pytest.raises(InputError) as error:
        grid(**{"params": None, "tokens": None} | arguments)
    assert columns_at_fault(error) == at_fault


def test_seven_meant_as_billions_is_told_how_to_write_it():
    with pytest.raises(InputError, match="7B"):
        grid("7", "140B")


def test_table_with_and_without_teachers(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(
        "N,D,LT,teacher_params,teacher_tokens\n1B,20B,2.0,,\n3B,60B,,7B,140B\n1B,9B,,,\n"
    )
    points = from_table(path)
    assert list(points.params) == [1e9, 3e9, 1e9]
    assert list(points.tokens) == [2e10, 6e10, 9e9]
    assert list(points.distilled) == [True, True, False]
    np.testing.assert_array_equal(points.teacher_loss, [2.0, np.nan, np.nan])
    np.testing.assert_array_equal(points.teacher_params, [np.nan, 7e9, np.nan])


def test_table_of_students_only_needs_no_teacher_columns():
    points = from_table(pd.DataFrame({"params": [1e9], "tokens": [2e10]}))
    assert not points.distilled.any()


def test_faulty_table_names_every_cell():
    table = pd.DataFrame(
        {
            "params": ["1B", "-1B", "7", "1B"],
            "tokens": ["2B", "2B", "2B", None],
            "teacher_loss": [2.0, 300, 2.0, 2.0],
        }
    )
    with pytest.raises(InputError) as error:
        from_table(table)
    cells = [(fault.row, fault.column) for fault in error.value.faults]
    assert cells == [(1, "params"), (1, "teacher_loss"), (2, "params"), (3, "tokens")]


def test_table_without_tokens_is_refused():
    with pytest.raises(InputError) as error:
        from_table(pd.DataFrame({"params": [1e9]}))
    assert columns_at_fault(error) == ["tokens"]


def test_teacher_draws_are_as_given_or_as_the_supervised_law_says(scattered, plain):
    table = pd.DataFrame(
        {
            "params": [1e9, 1e9, 1e9],
            "tokens": [2e10, 2e10, 2e10],
            "teacher_loss": [2.0, np.nan, np.nan],
            "teacher_params": [np.nan, 7e9, np.nan],
            "teacher_tokens": [np.nan, 1.4e11, np.nan],
        }
    )
    draws = from_table(table).teacher_draws(scattered)
    assert draws.shape == (scattered.n_draws, 3)
    assert (draws[:, 0] == 2.0).all()
    np.testing.assert_allclose(
        draws[:, 1], plain.supervised(scattered.published, 7e9, 1.4e11), rtol=1e-9
    )
    assert draws[:, 1].std() > 1e-4
    assert np.isnan(draws[:, 2]).all()


def test_points_are_named_as_people_do():
    assert grid("1B", "20B").names == ["loss of 1B on 20B"]
    assert grid("1B,2B", "20B", 2.0).names[1] == "loss of 2B on 20B, teacher 2"
    assert grid("1B", "20B", None, "7B", "140B").names == ["loss of 1B on 20B, teacher of 7B"]


def test_loss_draws_are_those_of_a_forecast(scattered):
    from bayes_distill.predict.forecast import forecast

    table = pd.DataFrame({"params": [1e9, 2e9], "tokens": 2e10, "teacher_loss": [2.1, np.nan]})
    found = from_table(table).loss_draws(scattered)
    np.testing.assert_array_equal(found, forecast(scattered, at=table).draws["loss"])


def test_more_points_than_can_be_answered_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_POINTS", 3)
    table = pd.DataFrame({"params": [1e9] * 4, "tokens": [2e10] * 4})
    with pytest.raises(InputError, match="the table has 4 points, and 3 is most: ask for fewer"):
        from_table(table)
    assert len(from_table(table[:3])) == 3
    with pytest.raises(InputError, match="the lists make a grid of 4 points, and 3 is most"):
        grid("1B,2B", "20B,40B")
    plans, two = (
        pd.DataFrame({"params": [1e9] * 4, "budget": [1e21] * 4}),
        [*SCENARIOS.values()][:2],
    )
    with pytest.raises(InputError, match="the table makes 8 plans, and 3 is most"):
        read_cells_table(plans, two)
