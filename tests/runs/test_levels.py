"""Columns of names that a law reads: an indicator a level, and what is wrong with them."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.laws import Chinchilla, Input, Label
from bayes_distill.laws.factors import Factor, with_factors
from bayes_distill.predict.points import from_table, grid, with_levels
from bayes_distill.runs import read_runs

TABLE = pd.DataFrame(
    {
        "params": [1e8, 1e9, 1e10, 1e9],
        "tokens": 1e10,
        "loss": [3.0, 2.5, 2.0, 2.4],
        "Schedule": ["wsd", "cosine/x", "cosine/x", "wsd"],
        "lr": [1e-3, 2e-3, 3e-3, 4e-3],
    }
)


def law(*levels, default=None, middle=None):
    rate = Input("lr", default=middle, every_run=True)
    label = Label("schedule", levels=levels, default=default, every_run=default is None)
    return with_factors(
        Chinchilla(),
        (
            Factor("lr", "tokens", "power", rate, middle),
            Factor("schedule", "floor", "categorical", label),
        ),
    )


def faults(table, of=None):
    with pytest.raises(InputError) as error:
        read_runs(table, law=of or law())
    return [str(fault) for fault in error.value.faults]


def test_levels_are_those_of_the_table_where_the_law_states_none():
    runs = read_runs(TABLE, law=law())
    assert runs.inputs == ("lr", "schedule=cosine|x", "schedule=wsd")
    np.testing.assert_array_equal(runs.frame["schedule=wsd"], [1, 0, 0, 1])


def test_what_is_wrong_with_a_column_of_names():
    assert faults(TABLE.drop(columns="Schedule"))[0].startswith("schedule: the column is missing")
    assert faults(TABLE.assign(Schedule=["a", None, "b", "a"])) == [
        "row 1, Schedule: is empty: schedule is needed"
    ]
    assert "a factor needs two levels" in faults(TABLE.assign(Schedule="a"))[0]
    stated = law("wsd", "cosine", middle=1e-3)
    assert (
        "'linear' is no level (there are wsd, cosine)"
        in faults(TABLE.assign(Schedule=["wsd", "linear", "wsd", "cosine"]), stated)[0]
    )


def test_runs_must_state_a_factor_and_points_need_not():
    known = law("wsd", "cosine|x", middle=1e-3)
    assert any(
        "lr: the column is missing" in text for text in faults(TABLE.drop(columns="lr"), known)
    )
    points = from_table(TABLE[["params", "tokens"]], known)
    assert {name: column[0] for name, column in points.inputs.items()} == {
        "lr": 1e-3,
        "schedule=wsd": 1.0,
        "schedule=cosine|x": 0.0,
    }


def test_a_default_is_that_of_empty_cells():
    runs = read_runs(TABLE.assign(Schedule=[None, "b", "b", "a"]), law=law("a", "b", default="b"))
    np.testing.assert_array_equal(runs.frame["schedule=b"], [1, 1, 1, 0])


def test_a_grid_takes_names_of_levels():
    known = law("wsd", "cosine", middle=1e-3)
    points = grid("1B", "20B", inputs={"schedule": "cosine,wsd"}, law=known)
    table = with_levels(pd.DataFrame(points.columns()), known)
    assert table["schedule"].tolist() == ["cosine", "wsd"]
    assert table["lr"].tolist() == [1e-3, 1e-3]
    with pytest.raises(InputError, match="'cosin' is no level"):
        grid("1B", "20B", inputs={"schedule": "cosin"}, law=known)
    with pytest.raises(InputError, match="it declares lr, schedule"):
        grid("1B", "20B", inputs={"warmup": "3"}, law=known)
