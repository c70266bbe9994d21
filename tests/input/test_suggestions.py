"""Suggestions for misspelt names."""

import pytest

from bayes_distill._input.suggestions import did_you_mean

NAMES = ("hoffmann2022", "busbridge2025")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("hofmann2022", "did you mean hoffmann2022?"),
        ("Busbridge", "did you mean busbridge2025?"),
        ("chinchilla", "there are two"),
    ],
)
def test_a_close_name_or_what_there_is(name, suggestion):
    assert did_you_mean(name, NAMES, "there are two") == suggestion


def test_what_the_names_are_of_and_how_close_they_must_be():
    assert did_you_mean("busbridge", NAMES, "", what="the data") == (
        "did you mean the data busbridge2025?"
    )
    assert did_you_mean("busbridge", NAMES, "none", cutoff=0.9) == "none"
