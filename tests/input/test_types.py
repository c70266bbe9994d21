"""Arguments of a wrong type end in a TypeError that says what each should be."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill import forecast, plan, risk
from bayes_distill._input.types import NUMBER, WHOLE, check_types


def test_every_wrong_type_is_named():
    with pytest.raises(TypeError) as caught:
        check_types(
            good=(1, WHOLE),
            bad=("x", NUMBER),
            seed=(0.5, WHOLE),
            flag=(True, WHOLE),
            none=(None, (str, type(None))),
        )
    assert str(caught.value) == (
        "bad must be a number, not str ('x'); seed must be a whole number, not float (0.5); "
        "flag must be a whole number, not bool (True)"
    )


def test_numbers_of_numpy_are_numbers():
    check_types(interval=(np.float32(0.5), NUMBER), seed=(np.int64(3), WHOLE))


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        (plan, {"limits": 7}, "limits must be Limits or Mapping or None, not int"),
        (plan, {"draws": "many", "seed": None}, "draws must be a whole number.*; seed must be"),
        (forecast, {"interval": "0.9"}, "interval must be a number, not str"),
        (forecast, {"at": 7}, "at must be DataFrame or text or Path or None, not int"),
        (risk, {"teachers": 2.1}, "teachers must be Teachers or DataFrame"),
        (risk, {"strongest": "2"}, "strongest must be a number or None"),
    ],
)
def test_calls_refuse_wrong_types(scattered, call, arguments, message):
    with pytest.raises(TypeError, match=message):
        call(scattered, 1e9, 2e10, **arguments)


@pytest.mark.parametrize("call", [plan, forecast, risk])
def test_a_posterior_of_another_type(call):
    with pytest.raises(TypeError, match="posterior must be Posterior or text or Path, not dict"):
        call({}, 1e9, 2e10)
