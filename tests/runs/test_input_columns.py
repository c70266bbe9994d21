"""Columns that a law declares: kept by the reader, with aliases, defaults and ranges."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.laws import FormulaLaw, Input
from bayes_distill.predict.points import from_table, grid
from bayes_distill.runs import read_runs

LAW = FormulaLaw(
    "L + A / (params * experts**g)**a",
    tuple((name, "positive") for name in "LAga"),
    (
        Input("experts", ("n_experts",), default=1.0, least=1.0, most=1000.0),
        Input("params", ("dense count",)),
        Input("loss", ("final",)),
    ),
)
TABLE = pd.DataFrame(
    {
        "Dense Count": ["100M", 1e9, 1e10],
        "n experts": [1, None, 64],
        "final": [3.0, 2.5, 2.0],
        "note": ["a", "b", "c"],
    }
)


def faults(table, read=read_runs):
    with pytest.raises(InputError) as error:
        read(table, law=LAW)
    return [str(fault) for fault in error.value.faults]


def test_columns_of_the_law_are_kept_and_those_that_it_does_not_read_not_needed():
    runs = read_runs(TABLE, law=LAW)
    assert runs.inputs == ("experts",)
    np.testing.assert_array_equal(runs.frame["experts"], [1.0, 1.0, 64.0])
    np.testing.assert_array_equal(runs.frame["params"], [1e8, 1e9, 1e10])
    np.testing.assert_array_equal(runs.frame["tokens"], 1.0)
    assert runs.notes == ("Columns that are not used: note.",)
    other = read_runs(TABLE.assign(**{"n experts": [1, 2, 64]}), law=LAW)
    assert other.fingerprint != runs.fingerprint


def test_without_the_law_the_table_lacks_its_columns():
    assert any("tokens: the column is missing" in text for text in faults(TABLE, _without_law))


def _without_law(table, law):
    return read_runs(table)


def test_every_cell_out_of_range_is_named():
    table = TABLE.assign(**{"n experts": ["many", 0.5, 2000]})
    assert [text.partition(":")[0] for text in faults(table)] == [
        "row 0, n experts",
        "row 1, n experts",
        "row 2, n experts",
    ]
    assert "must be between 1 and 1000" in faults(table)[1]


def test_a_column_without_a_default_is_needed():
    law = FormulaLaw("L + lr", (("L", "positive"),))
    with pytest.raises(InputError, match="lr: the column is missing, which the law reads"):
        read_runs(TABLE.rename(columns={"final": "loss"}), law=law)


def test_points_have_inputs_from_a_table_and_from_lists():
    points = from_table(TABLE.drop(columns="final"), LAW)
    np.testing.assert_array_equal(points.inputs["experts"], [1.0, 1.0, 64.0])
    assert "experts" in points.columns()
    lists = grid("1B,2B", None, inputs={"experts": "1,8"}, law=LAW)
    np.testing.assert_array_equal(lists.params, [1e9, 1e9, 2e9, 2e9])
    np.testing.assert_array_equal(lists.inputs["experts"], [1.0, 8.0, 1.0, 8.0])
    np.testing.assert_array_equal(lists.subset(np.array([1])).inputs["experts"], [8.0])
    assert grid("1B", None, law=LAW).inputs["experts"].tolist() == [1.0]


def test_inputs_that_the_law_lacks_or_that_are_out_of_range_are_refused():
    with pytest.raises(InputError) as error:
        grid("1B", None, inputs={"experts": "0.1", "lr": "1"}, law=LAW)
    assert {fault.column for fault in error.value.faults} == {"experts", "lr"}
