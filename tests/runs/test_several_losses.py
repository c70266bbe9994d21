"""Tables with several losses: one table of runs a column, with faults where they are."""

import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import check
from bayes_distill.runs.several_losses import runs_of_losses

TABLE = pd.DataFrame(
    {
        "params": ["100M", "1B", "10B", "1B"],
        "tokens": 1e10,
        "loss_wiki": [3.0, 2.5, 2.0, 2.4],
        "loss_c4": [3.2, None, 2.2, 2.6],
        "loss_se": 0.01,
        "val_loss": 9.0,
    }
)


def test_each_loss_has_its_runs():
    found = runs_of_losses(TABLE)
    assert list(found) == ["loss_wiki", "loss_c4"]
    assert found["loss_wiki"].frame["loss"].tolist() == [3.0, 2.5, 2.0, 2.4]
    other = found["loss_c4"]
    assert other.frame["loss"].tolist() == [3.2, 2.2, 2.6]
    assert other.notes[-1] == "1 of 4 runs have no loss_c4."
    assert other.source == "DataFrame (loss_c4)"
    assert list(runs_of_losses(TABLE, "val_loss")) == ["val_loss"]


def test_faults_name_the_row_and_the_column_of_the_table():
    wrong = TABLE.assign(loss_c4=[3.2, None, "x", 2.6], params=["1B", "y", "1B", "1B"])
    with pytest.raises(InputError) as error:
        runs_of_losses(wrong)
    assert {(fault.row, fault.column) for fault in error.value.faults} == {
        (1, "params"),
        (2, "loss_c4"),
    }


def test_columns_that_are_not_there_are_named():
    with pytest.raises(InputError, match=r"no column loss_x \(there are loss_wiki, loss_c4\)"):
        runs_of_losses(TABLE, ["loss_x"])
    with pytest.raises(InputError, match="no column loss_"):
        runs_of_losses(TABLE[["params", "tokens"]])


def test_check_says_that_there_are_several():
    (fault,) = check(TABLE.drop(columns="val_loss")).faults
    assert "or fit loss_wiki, loss_c4, loss_se one by one" in fault.problem
