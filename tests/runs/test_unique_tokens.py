"""Unique tokens and epochs in tables of runs."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import check, read_runs

TABLE = {"N": ["1B", "1B", "2B"], "D": ["20B", "40B", "40B"], "L": [2.5, 2.4, 2.3]}


def table(**columns):
    return pd.DataFrame(TABLE | columns)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("unique_tokens", ["", "10B", "40B"]),
        ("U_D", ["20B", 1e10, "40B"]),
        ("dataset tokens", ["20B", "10B", ""]),
        ("epochs", ["", 4, 1]),
        ("num_epochs", [0.7, 4, ""]),
    ],
)
def test_unique_tokens_by_any_name(name, cells):
    from bayes_distill.runs.unique_tokens import has_repeats, unique_tokens

    frame = read_runs(table(**{name: cells})).frame
    assert "epochs" not in frame
    np.testing.assert_array_equal(unique_tokens(frame), [2e10, 1e10, 4e10])
    np.testing.assert_array_equal(has_repeats(frame), [False, True, False])


def test_without_a_column_every_token_is_new():
    from bayes_distill.runs.unique_tokens import has_repeats, unique_tokens

    frame = read_runs(table()).frame
    assert "unique_tokens" not in frame
    np.testing.assert_array_equal(unique_tokens(frame), frame["tokens"])
    assert not has_repeats(frame).any()


def test_epochs_follow_tokens_from_flops():
    frame = pd.DataFrame({"N": ["1B"], "flops": [1.2e20], "L": [2.5], "epochs": [4]})
    assert read_runs(frame).frame["unique_tokens"].tolist() == [5e9]


def test_unique_tokens_go_before_epochs():
    found = check(table(unique_tokens=["", "10B", ""], epochs=[7, 7, 7]))
    assert any("not used: epochs" in note for note in found.notes)
    assert any("1 of 3 runs saw tokens more than once (at most 4 times)" in n for n in found.notes)


def test_every_fault_is_named():
    with pytest.raises(InputError) as caught:
        read_runs(table(unique_tokens=["30B", "-1", "soup"]))
    faults = {(f.row, f.column): f.problem for f in caught.value.faults}
    assert set(faults) == {(row, "unique_tokens") for row in range(3)}
    assert "30B unique tokens are more than the 20B tokens" in faults[0, "unique_tokens"]
    assert "negative" in faults[1, "unique_tokens"]
    assert "not a number" in faults[2, "unique_tokens"]
    with pytest.raises(InputError) as caught:
        read_runs(table(epochs=[0, "inf", -3]))
    assert [(f.row, f.column) for f in caught.value.faults] == [(r, "epochs") for r in range(3)]
    with pytest.raises(InputError, match="all give epochs"):
        read_runs(table(epochs=[1, 1, 1], n_epochs=[1, 1, 1]))


def test_the_fingerprint_tells_repeats_from_new_tokens():
    plain, again = read_runs(table()), read_runs(table(epochs=[1, 4, 1]))
    assert plain.fingerprint != again.fingerprint
