import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill.runs.cell_values import parse_cells, parse_labels


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (1, 1.0),
        (2.5, 2.5),
        ("1.8B", 1.8e9),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        (Decimal("2.5"), 2.5),
        (10**400, math.inf),
        ("-inf", -math.inf),
        ("Infinity", math.inf),
        ("+inf", math.inf),
    ],
)
def test_numbers(cell, value):
    values, problems = parse_cells([cell])
    assert values.tolist() == [value]
    assert problems == {}


@pytest.mark.parametrize(
    "cell", [None, math.nan, pd.NA, pd.NaT, np.float64("nan"), "", "  ", "NaN", "n/a", "None", "-"]
)
def test_empty_cells_are_no_problem_here(cell):
    values, problems = parse_cells([1, cell])
    assert math.isnan(values[1])
    assert problems == {}
    assert parse_labels([cell])[0] in (None, str(cell).strip())


@pytest.mark.parametrize(
    "cell",
    ["abc", True, np.True_, [1.0], np.array([1.0, 2.0]), {"a": 1}, 1j, pd.Timestamp(0), "1,8B"],
)
def test_anything_else_is_quoted_with_its_place(cell):
    values, problems = parse_cells([1, cell, 3])
    assert math.isnan(values[1])
    assert list(problems) == [1]
    assert problems[1].endswith("is not a number: write 1.8B, 300M or 2e20")


def test_labels():
    assert parse_labels(["a ", 1, 2.0, 2.5, None, "", math.nan]) == [
        "a",
        "1",
        "2",
        "2.5",
        None,
        None,
        None,
    ]


@given(st.lists(st.floats(allow_nan=False)))
def test_floats_and_their_text_are_the_same(values):
    assert parse_cells(values)[0].tolist() == values
    assert parse_cells([repr(v) for v in values])[0].tolist() == values
