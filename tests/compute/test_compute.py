"""FLOPs, scenarios and the budget identity."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill import laws as laws  # float64
from bayes_distill.compute import (
    FLOPS,
    SCENARIOS,
    Architecture,
    PlainCount,
    Scenario,
    scenario_named,
    shared_teacher,
    student_tokens_left,
    teacher_tokens_left,
    total_flops,
)
from bayes_distill.errors import InputError

EQ69 = Architecture()
# table 13: parameters in billions; GFLOPs by eq. 69 and from the exact layers, as printed
TABLE_13 = [
    (0.1028, "0.3412", "0.3398"),
    (0.1434, "0.4473", "0.4471"),
    (0.546, "1.4171", "1.415"),
    (1.821, "4.2806", "4.28"),
    (7.747, "16.994", "16.99"),
    (12.61, "27.236", "27.23"),
]
sizes = st.floats(6, 12).map(lambda x: 10**x)
shares = st.floats(0, 1)


def decimals(text):
    return len(text.split(".")[1])


@pytest.mark.parametrize(("billions", "approximate", "exact"), TABLE_13)
def test_eq_69_reproduces_table_13_to_its_digits(billions, approximate, exact):
    got = EQ69.forward_flops(billions * 1e9) / 1e9
    # the sizes are themselves printed to four digits, so the last digit of the FLOPs may turn
    step = 10.0 ** -decimals(approximate)
    slack = got * 0.5 * 10 ** -decimals(f"{billions}") / billions
    assert got == pytest.approx(float(approximate), abs=0.5 * step + slack)


@pytest.mark.parametrize(("billions", "approximate", "exact"), TABLE_13)
def test_layers_reproduce_table_13(billions, approximate, exact):
    n_layers = EQ69.layer_count(billions * 1e9)
    assert EQ69.exact_params(n_layers) / 1e9 == pytest.approx(billions, rel=6e-4)
    got = EQ69.exact_forward_flops(n_layers) / 1e9
    assert got == pytest.approx(float(exact), abs=10.0 ** -decimals(exact))


@pytest.mark.parametrize(("billions", "percent"), [(0.1028, -39.7), (12.61, -7.4)])
def test_error_of_the_plain_count_is_that_of_table_13(billions, percent):
    exact = EQ69.exact_forward_flops(EQ69.layer_count(billions * 1e9))
    plain = PlainCount().forward_flops(billions * 1e9)
    # the paper's denominator is eq. 69's or the layers' count; both print the same to 0.3 points
    assert 100 * (plain / exact - 1) == pytest.approx(percent, abs=0.3)


@pytest.mark.parametrize("name", FLOPS)
def test_counts_take_floats_numpy_and_jax_and_increase(name):
    params = np.geomspace(1e6, 1e17, 12)
    counted = FLOPS[name].forward_flops(params)
    assert np.all(np.diff(counted) > 0)
    np.testing.assert_allclose(FLOPS[name].forward_flops(jnp.asarray(params)), counted, rtol=1e-14)
    assert FLOPS[name].forward_flops(float(params[3])) == pytest.approx(counted[3])
    assert hash(FLOPS[name]) == hash(FLOPS[name])


def test_architectures_that_are_equal_hash_alike():
    assert hash(Architecture()) == hash(Architecture())
    assert Architecture(context_length=8192) != Architecture()
    one_b, longer = EQ69.forward_flops(1e9), Architecture(context_length=8192).forward_flops(1e9)
    assert longer > one_b


def test_every_fault_of_an_architecture_is_named_at_once():
    with pytest.raises(InputError) as caught:
        Architecture(context_length=-1, vocabulary=math.nan, aspect_ratio=0, width_factor=3)
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError, match="n_layers"):
        EQ69.exact_params(0)
    with pytest.raises(InputError, match="params"):
        EQ69.layer_count(-3)


def test_every_fault_of_a_scenario_is_named_at_once():
    with pytest.raises(InputError) as caught:
        Scenario("", logits_share=-0.1, teacher_share=1.5)
    assert {f.column for f in caught.value.faults} == {"name", "logits_share", "teacher_share"}
    with pytest.raises(InputError, match="no teacher to charge"):
        Scenario("x", logits_share=0.5, distils=False)


def test_named_scenarios_have_the_charges_of_the_paper():
    charges = {name: (s.logits_share, s.teacher_share) for name, s in SCENARIOS.items()}
    assert charges == {
        "supervised": (0, 0),
        "best-case": (0, 0),
        "teacher-inference": (1, 0),
        "teacher-pretraining": (0, 1),
        "teacher-pretraining-and-inference": (1, 1),
    }
    assert [s.teacher_is_free for s in SCENARIOS.values()] == [False, True, False, False, False]
    assert scenario_named("best-case") is SCENARIOS["best-case"]
    with pytest.raises(InputError, match="there are supervised, best-case"):
        scenario_named("worst-case")


def test_students_share_a_teacher():
    assert shared_teacher(4) == 0.25
    with pytest.raises(InputError, match="students"):
        shared_teacher(0)
    one = total_flops(1e9, 1e10, Scenario("own", 1, 1), EQ69, 3e9, 1e11)
    four = total_flops(1e9, 1e10, Scenario("shared", 1, shared_teacher(4)), EQ69, 3e9, 1e11)
    assert four.teacher == pytest.approx(one.teacher / 4)
    assert four.logits == one.logits


def test_plain_supervised_training_is_6nd():
    spent = total_flops(2e9, 5e10, SCENARIOS["supervised"], PlainCount())
    assert spent.total == pytest.approx(6 * 2e9 * 5e10)
    assert spent.logits == spent.teacher == 0


@given(sizes, sizes, sizes, sizes, shares, shares)
def test_inverses_of_the_budget(n_s, d_s, n_t, d_t, logits_share, teacher_share):
    scenario = Scenario("any", logits_share, teacher_share)
    spent = total_flops(n_s, d_s, scenario, EQ69, n_t, d_t)
    total = spent.total
    again = student_tokens_left(total, n_s, scenario, EQ69, n_t, d_t)
    # as exact as the subtraction allows: what comes back uses up the budget
    assert total_flops(n_s, again, scenario, EQ69, n_t, d_t).total == pytest.approx(
        total, rel=1e-12
    )
    if teacher_share > 0:
        taught = teacher_tokens_left(total, n_s, d_s, scenario, EQ69, n_t)
        if np.isfinite(taught):
            back = total_flops(n_s, d_s, scenario, EQ69, n_t, taught).total
            assert back == pytest.approx(total, rel=1e-12)


def test_a_teacher_that_costs_nothing_may_be_unknown():
    spent = total_flops(1e9, 1e10, SCENARIOS["best-case"], EQ69, math.nan, math.nan)
    assert np.isfinite(spent.total)
    with pytest.raises(InputError, match="teacher_params"):
        total_flops(1e9, 1e10, SCENARIOS["teacher-inference"], EQ69, math.nan, math.nan)


def test_bad_counts_and_budgets_are_refused():
    with pytest.raises(InputError) as caught:
        total_flops(-1, math.inf, SCENARIOS["supervised"], EQ69)
    assert {f.column for f in caught.value.faults} == {"student_params", "student_tokens"}
    with pytest.raises(InputError, match="the teacher alone"):
        student_tokens_left(1e18, 1e9, SCENARIOS["teacher-pretraining"], EQ69, 1e10, 1e12)
    with pytest.raises(InputError, match="student and logits"):
        teacher_tokens_left(1e18, 1e9, 1e12, SCENARIOS["teacher-pretraining"], EQ69, 1e10)
    with pytest.raises(InputError, match="open"):
        teacher_tokens_left(1e22, 1e9, 1e12, SCENARIOS["teacher-inference"], EQ69, 1e10)
