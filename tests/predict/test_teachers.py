"""Lists of candidate teachers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.predict.teachers import read_teachers


def cells_at_fault(error: pytest.ExceptionInfo[InputError]) -> list[tuple[int | None, str | None]]:
    return [(fault.row, fault.column) for fault in error.value.faults]


def test_reads_losses_errors_and_sizes_from_a_file(tmp_path):
    path = tmp_path / "teachers.csv"
    path.write_text("name,loss,loss_se,params,tokens\nsmall,2.4,0.01,,\nlarge,,,7B,140B\n")
    teachers = read_teachers(path)
    assert teachers.names == ("small", "large")
    np.testing.assert_array_equal(teachers.loss, [2.4, np.nan])
    np.testing.assert_array_equal(teachers.loss_se, [0.01, 0.0])
    np.testing.assert_array_equal(teachers.params, [np.nan, 7e9])
    np.testing.assert_array_equal(teachers.tokens, [np.nan, 1.4e11])


def test_columns_may_be_named_as_in_a_table_of_runs():
    frame = pd.DataFrame({"Teacher": ["a"], "Teacher_Loss": [2.1], "teacher_loss_se": [0.02]})
    teachers = read_teachers(frame)
    assert teachers.names == ("a",)
    assert teachers.loss[0] == 2.1
    assert teachers.loss_se[0] == 0.02


def test_teachers_without_a_name_are_numbered_and_read_teachers_pass_through():
    teachers = read_teachers(pd.DataFrame({"name": ["a", None], "loss": [2.1, 2.2]}))
    assert teachers.names == ("a", "teacher 1")
    assert read_teachers(teachers) is teachers


def test_every_faulty_cell_is_named():
    frame = pd.DataFrame(
        {
            "name": list("abcdefg"),
            "loss": [2.1, "abc", -1, 300, None, None, 0],
            "loss_se": [-0.1, None, None, None, None, None, None],
            "params": [None, None, None, None, "7", "7B", None],
            "tokens": [None, None, None, None, "1B", None, None],
        }
    )
    with pytest.raises(InputError) as error:
        read_teachers(frame)
    assert cells_at_fault(error) == [
        (0, "loss_se"),
        (1, "loss"),
        (2, "loss"),
        (3, "loss"),
        (4, "params"),
        (5, "loss"),
        (6, "loss"),
    ]


@pytest.mark.parametrize("columns", [{"name": ["a"]}, {"name": ["a"], "params": [7e9]}])
def test_a_list_that_says_nothing_of_losses_is_refused(columns):
    with pytest.raises(InputError, match="neither a column 'loss' nor"):
        read_teachers(pd.DataFrame(columns))


def test_measured_losses_scatter_by_their_error_and_others_come_from_the_law(scattered, plain):
    teachers = read_teachers(
        pd.DataFrame(
            {
                "loss": [2.1, 2.1, np.nan],
                "loss_se": [0.0, 0.02, np.nan],
                "params": [np.nan, np.nan, 7e9],
                "tokens": [np.nan, np.nan, 1.4e11],
            }
        )
    )
    draws = teachers.loss_draws(scattered, seed=3)
    assert draws.shape == (scattered.n_draws, 3)
    assert (draws[:, 0] == 2.1).all()
    # 2000 draws: four standard errors
    assert draws[:, 1].mean() == pytest.approx(2.1, abs=4 * 0.02 / np.sqrt(2000))
    assert draws[:, 1].std() == pytest.approx(0.02, rel=4 / np.sqrt(4000))
    np.testing.assert_allclose(
        draws[:, 2], plain.supervised(scattered.published, 7e9, 1.4e11), rtol=1e-9
    )
    np.testing.assert_array_equal(draws, teachers.loss_draws(scattered, seed=3))
    assert (draws[:, 1] != teachers.loss_draws(scattered, seed=4)[:, 1]).any()
