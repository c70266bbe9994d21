import math

import numpy as np
import pandas as pd
import pytest

from bayes_distill.runs.schema import RULES, validate

GOOD = {
    "params": 1e9,
    "tokens": 2e10,
    "loss": 2.5,
    "teacher_loss": 2.0,
    "teacher_loss_se": 0.01,
    "teacher_params": 7e9,
    "teacher_tokens": 1e11,
}


def check(**values):
    frame = pd.DataFrame({**GOOD, **values}, index=[5])
    return validate(frame.astype(float), {name: name.upper() for name in frame})


def test_a_good_run_has_no_fault():
    assert check() == []


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("params", math.nan, "is empty"),
        ("params", math.inf, "is infinite"),
        ("params", -math.inf, "is infinite"),
        ("params", -1e9, "is negative"),
        ("params", 0.0, "is zero"),
        ("params", 7.0, "7 parameters: did you mean 7B? write 7B or 7e9"),
        ("params", 143.0, "did you mean 143M? write 143M or 143e6"),
        ("params", 99_999.0, "did you mean"),
        ("params", 1.1e15, "more than anyone"),
        ("tokens", 999_999.0, "did you mean"),
        ("tokens", 140.0, "140 tokens: did you mean 140B? write 140B or 140e9"),
        ("tokens", 1.1e19, "more than anyone"),
        ("loss", 0.0, "is zero"),
        ("loss", -0.1, "is negative"),
        ("loss", math.nan, "is empty"),
        ("loss", 300.0, "300 looks like a perplexity: give its logarithm in nats, 5.70"),
        ("teacher_loss", 20.1, "looks like a perplexity"),
        ("teacher_loss_se", -0.1, "is negative"),
        ("teacher_params", 7.0, "did you mean 7B"),
        ("teacher_tokens", math.inf, "is infinite"),
        ("teacher_params", math.nan, "is empty, but TEACHER_TOKENS is not: give both or neither"),
        ("teacher_tokens", math.nan, "is empty, but TEACHER_PARAMS is not: give both or neither"),
    ],
)
def test_one_wrong_cell_is_one_fault_with_its_place(column, value, words):
    (fault,) = check(**{column: value})
    assert (fault.row, fault.column) == (5, column.upper())
    assert words in fault.problem


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("params", 1e5),
        ("params", 1e15),
        ("tokens", 1e6),
        ("tokens", 1e19),
        ("loss", 20.0),
        ("loss", 1e-3),
        ("teacher_loss_se", 0.0),
        ("teacher_loss_se", math.nan),
    ],
)
def test_limits_are_inside(column, value):
    assert check(**{column: value}) == []


def test_a_teacher_may_be_unknown_or_known_by_its_size_alone():
    nothing = {name: math.nan for name in GOOD if name.startswith("teacher_")}
    assert check(**nothing) == []
    assert check(teacher_loss=math.nan, teacher_loss_se=math.nan) == []


def test_a_standard_error_needs_its_loss():
    (fault,) = check(teacher_loss=math.nan)
    assert fault.column == "TEACHER_LOSS_SE"


@pytest.mark.parametrize("column", RULES)
@pytest.mark.parametrize("value", [-math.inf, -1.0, 0.0, 1e-9, 1.0, 1e3, 1e12, 1e300, math.inf])
def test_the_rules_of_a_column_exclude_each_other(column, value):
    broken = [rule for rule in RULES[column] if rule.broken(np.array([value]))[0]]
    assert len(broken) <= 1
