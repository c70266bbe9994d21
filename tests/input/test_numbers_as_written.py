import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill._input.numbers import (
    SUFFIXES,
    format_probability,
    format_quantity,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.8B", 1.8e9),
        ("1.82b", 1.82e9),
        ("300M", 3e8),
        ("2e20", 2e20),
        ("2E+20", 2e20),
        (" 7 B ", 7e9),
        ("1_000", 1e3),
        ("1,234,567", 1234567.0),
        ("1,800M", 1.8e9),
        (".5K", 500.0),
        ("5.T", 5e12),
        ("4G", 4e9),
        ("-3", -3.0),
        ("0", 0.0),
        (5, 5.0),
        (2.5, 2.5),
        ("1e3M", 1e9),
    ],
)
def test_numbers_as_people_write_them(text, value):
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "B",
        "abc",
        "1.8X",
        "1,8B",
        "1,80",
        "12,34,567",
        "1.2.3",
        "1e",
        "--1",
        "1 000",
        "nan",
        "inf",
        "1_",
        "_1",
        "0x10",
        "1.8BB",
        "٣",
        "1e99999",
    ],
)
def test_what_is_no_number_is_quoted(text):
    with pytest.raises(ValueError, match="is not a number") as caught:
        parse_quantity(text)
    assert repr(text) in str(caught.value)


@given(st.integers(1, 10**6), st.integers(0, 4), st.sampled_from("KMBGTkmbgt"))
def test_a_suffix_is_the_same_number_to_the_last_bit(whole, places, suffix):
    digits = f"{whole / 10**places:.{places}f}"
    exponent = round(math.log10(SUFFIXES[suffix.upper()]))
    assert parse_quantity(digits + suffix) == float(f"{digits}e{exponent}")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.82e9, "1.82B"),
        (514.9e9, "515B"),
        (3.7e12, "3.7T"),
        (999.96e6, "1B"),
        (1e21, "1e21"),
        (1e15, "1e15"),
        (9.9999e14, "1e15"),
        (999e12, "999T"),
        (1234, "1.23K"),
        (0.5, "0.5"),
        (0.0, "0"),
        (1e-5, "1e-05"),
        (-2.5e6, "-2.5M"),
        (math.inf, "inf"),
    ],
)
def test_counts_as_people_read_them(value, text):
    assert format_quantity(value) == text


def test_digits_are_significant_ones():
    assert format_quantity(514.9e9, digits=4) == "514.9B"
    assert format_quantity(514.9e9, digits=2) == "510B"


@given(st.floats(1e-12, 1e30), st.integers(1, 8))
def test_what_is_written_can_be_read(value, digits):
    text = format_quantity(value, digits)
    assert parse_quantity(text) == pytest.approx(value, rel=0.5 * 10.0 ** (1 - digits) * 1.000001)
    assert "e+" not in text


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "<0.01"), (0.004, "<0.01"), (0.006, "0.01"), (0.994, "0.99"), (1.0, ">0.99")],
)
def test_no_probability_of_draws_is_written_as_certain(value, written):
    assert format_probability(value) == written
    assert format_probability(float("nan")) == "-"
