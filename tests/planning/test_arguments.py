"""Nonsense gets one error that names every fault and says what would be feasible."""

import numpy as np
import pytest

from bayes_distill import plan
from bayes_distill.compute import FLOPS, Scenario
from bayes_distill.errors import InputError
from bayes_distill.planning import Limits

EQ69 = FLOPS["eq69"]
GOOD = {"params": "1B", "budget": "1e22", "scenario": "supervised,best-case", "crossovers": False}


def refusal(posterior, **changed):
    with pytest.raises(InputError) as caught:
        plan(posterior, **{**GOOD, **changed})
    return caught.value


@pytest.mark.parametrize(
    ("changed", "column", "named"),
    [
        ({"params": "7"}, "params", "did you mean 7B?"),
        ({"params": []}, "params", "is an empty list"),
        ({"params": -1e9}, "params", "not a positive number"),
        ({"params": "1B,x"}, "params", "'x' is not a number"),
        ({"params": np.nan}, "params", "not a positive number"),
        ({"budget": None}, "budget", "is needed"),
        ({"budget": []}, "budget", "is an empty list"),
        ({"budget": "-1e22"}, "budget", "not a positive number"),
        ({"budget": np.inf}, "budget", "not a positive number"),
        ({"scenario": "best-cas"}, "scenario", "there are supervised, best-case, teacher-inf"),
        ({"scenario": []}, "scenario", "is an empty list"),
        ({"criterion": "median"}, "criterion", "write mean, quantile:0.9"),
        ({"criterion": 7}, "criterion", "must be a function"),
        ({"flops": "6n"}, "flops", "write eq69 or 6nd"),
        ({"interval": 90}, "interval", "0.9 means 90%"),
        ({"draws": 0}, "draws", "less than 1"),
        ({"seed": -1}, "seed", "less than 0"),
        ({"served_tokens": 0}, "served_tokens", "not a positive number"),
        ({"served_tokens": "1T,2T"}, "served_tokens", "a single number"),
        ({"target_loss": -2}, "target_loss", "not a positive number"),
        ({"target_loss": "low"}, "target_loss", "not a number"),
    ],
)
def test_one_fault_is_named_with_its_argument(posterior, changed, column, named):
    error = refusal(posterior, **changed)
    assert [f.column for f in error.faults] == [column]
    assert named in str(error)


def test_every_fault_is_named_at_once(posterior):
    error = refusal(
        posterior,
        params="7,x",
        budget=-1,
        scenario=f"best,{GOOD['scenario']}",
        criterion="worst",
        flops="2n",
        interval=2,
        draws=0,
        target_loss=0,
        served_tokens=-1,
        teachers="gone.csv",
    )
    assert {f.column for f in error.faults} >= {
        "params",
        "budget",
        "scenario",
        "criterion",
        "flops",
        "interval",
        "draws",
        "target_loss",
        "served_tokens",
    }
    assert "gone.csv" in str(error)


def test_a_budget_below_the_cheapest_student_says_what_the_cheapest_takes(posterior):
    error = refusal(posterior, budget="1e10", params="1B,3B")
    assert len(error.faults) == 2  # one a student
    for fault, size in zip(error.faults, (1e9, 3e9), strict=True):
        assert fault.column == "budget"
        assert fault.problem.startswith("1e+10 FLOPs cannot pay for a student of")
        least = float(fault.problem.split("the least that can is ")[1].split(" ")[0])
        assert least == pytest.approx(3 * EQ69.forward_flops(size) * 1e6, rel=1e-3)
        again = plan(posterior, size, 1.001 * least, scenario="supervised", crossovers=False)
        assert np.isfinite(again.table["loss_mean"]).all()


def test_the_least_budget_is_that_of_the_dearest_scenario(posterior):
    error = refusal(posterior, budget=1e10, scenario=None)
    assert str(error).endswith("(teacher-pretraining-and-inference)")


@pytest.mark.parametrize(
    "limits",
    [
        Limits(min_tokens=1e13),
        Limits(min_teacher_tokens=1e13, min_teacher_params=1e9),
        Limits(teacher_sizes=(1e15,)),
    ],
)
def test_limits_that_leave_nothing_to_buy(posterior, limits):
    error = refusal(
        posterior, budget=1e21, limits=limits, scenario="teacher-pretraining-and-inference"
    )
    assert "within the limits: the least that can is" in str(error)


def test_limits_that_exclude_everything():
    with pytest.raises(InputError) as caught:
        Limits(min_tokens=2e9, max_tokens=1e9, teacher_sizes=(1e9,), max_teacher_params=1e8)
    assert [f.column for f in caught.value.faults] == ["min_tokens", "teacher_sizes"]
    assert "none lies between 1e+06 and 1e+08" in str(caught.value)


def test_shares_that_are_none():
    with pytest.raises(InputError) as caught:
        Scenario("mine", logits_share=-0.5, teacher_share=1.5)
    assert [f.column for f in caught.value.faults] == ["logits_share", "teacher_share"]
    assert str(caught.value).count("between 0 and 1") == 2
