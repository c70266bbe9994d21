"""What Busbridge et al. 2025 find, on their table 6 with beta' = 0.437."""

import numpy as np
import pytest

from bayes_distill.compute import SCENARIOS, Architecture
from bayes_distill.planning import Problem, crossover, least_tokens, optimise

BUDGETS = 10.0 ** np.arange(20, 27)
STUDENTS = (3e8, 1e9, 3e9, 1e10, 3e10)
BEST, INFERENCE, PRETRAINING, BOTH = list(SCENARIOS.values())[1:]


@pytest.fixture(scope="module")
def plans(law, reference, table_6):
    return {
        (name, n): optimise(Problem(law, table_6, reference, n, s), BUDGETS)
        for name, s in SCENARIOS.items()
        for n in STUDENTS
    }


@pytest.mark.parametrize("n", STUDENTS)
def test_best_case_all_compute_goes_to_student_tokens(plans, n):
    found = plans[BEST.name, n]
    np.testing.assert_allclose(found.shares["student"], 1)
    assert np.isnan(found.teacher_params).all()
    assert np.isfinite(found.teacher_loss).all()


@pytest.mark.parametrize("n", STUDENTS)
def test_teacher_inference_overtrains_as_far_as_allowed(plans, n):
    found = plans[INFERENCE.name, n]
    assert found.at_bound["max_teacher_tokens"].all()
    logits = found.shares["logits"][0]
    assert logits[-1] > 0.4 > 0.3 > logits[0]
    # at the smallest budgets of students that are then hardly trained, there is a dip
    assert (np.diff(logits[2:]) > 0).all()


@pytest.mark.parametrize("n", STUDENTS)
def test_teacher_pretraining_makes_the_teacher_supervised_optimal(
    plans, law, reference, table_6, n
):
    found, flops = plans[PRETRAINING.name, n], Architecture()
    for k in range(len(BUDGETS)):
        size, tokens = found.teacher_params[0, k], found.teacher_tokens[0, k]
        sizes = size * np.geomspace(0.2, 5, 401)
        others = tokens * flops.forward_flops(size) / flops.forward_flops(sizes)
        losses = np.asarray(law.supervised_loss(table_6, sizes, others, reference))
        # where the teacher costs a hundred thousandth of the budget, this much is all the same
        assert found.teacher_loss[0, k] <= losses.min() + 5e-6
    peak = int(np.argmax(found.shares["teacher"][0]))
    assert (np.diff(found.shares["teacher"][0, peak:]) < 0).all()
    assert found.shares["teacher"][0, -1] < 0.3


@pytest.mark.parametrize("n", STUDENTS[:4])
def test_both_costs_overtrain_the_teacher_at_large_budgets_only(plans, n):
    found, alone = plans[BOTH.name, n], plans[PRETRAINING.name, n]
    ratio = (found.teacher_tokens / found.teacher_params)[0]
    optimal = (alone.teacher_tokens / alone.teacher_params)[0]
    assert ratio[0] < 2 * optimal[0]
    assert ratio[-1] > 20 * optimal[-1]
    assert (np.diff(ratio / optimal) > 0).all()


@pytest.mark.parametrize("n", STUDENTS[:4])
def test_both_costs_grow_the_teacher_beyond_the_student_and_then_shrink_it(plans, n):
    relative = plans[BOTH.name, n].teacher_params[0] / n
    peak = int(np.argmax(relative))
    # "slightly more than the student's size" is three to four times by table 6
    assert 2 < relative[peak] < 5
    assert 0 < peak < len(BUDGETS) - 1
    assert (np.diff(relative[: peak + 1]) > 0).all()
    assert (np.diff(relative[peak:]) < 0).all()


@pytest.mark.parametrize("scenario", [PRETRAINING, BOTH], ids=lambda s: s.name)
@pytest.mark.parametrize("n", STUDENTS)
def test_a_teacher_that_is_paid_for_does_not_pay_until_the_curves_meet(plans, scenario, n):
    excess = (plans[scenario.name, n].loss - plans["supervised", n].loss)[0]
    trained = plans["supervised", n].student_tokens[0] / n > 0.5
    # students of 10B and more at 1e20 see less than a token per parameter: there the law differs
    assert (excess[trained] > -0.002).all()
    assert abs(excess[-1]) < 0.011


def test_a_free_teacher_pays_up_to_a_budget_that_grows_with_the_student(law, reference, table_6):
    budgets = []
    for n, trillions in ((1e9, 1.1), (3e9, 1.6), (1e10, 9.8)):
        found = crossover(Problem(law, table_6, reference, n, BEST))
        assert found.student_tokens[0] / 1e12 == pytest.approx(trillions, rel=0.04)
        budgets.append(found.budget[0])
    assert budgets == sorted(budgets)


@pytest.mark.parametrize(("n", "target", "ratio"), [(5e8, 2.4, 2 / 3), (1e10, 2.2, 0.37)])
def test_data_to_reach_a_loss(law, reference, table_6, n, target, ratio):
    distilled, supervised = (
        least_tokens(Problem(law, table_6, reference, n, SCENARIOS[name]), target)
        for name in ("best-case", "supervised")
    )
    assert (distilled / supervised)[0] == pytest.approx(ratio, rel=0.05)


def test_table_3(plans):
    def shares(n, budget):
        found = plans[BOTH.name, n]
        k = int(np.argmin(np.abs(np.log(BUDGETS / budget))))
        return tuple(found.shares[name][0, k] for name in ("student", "logits", "teacher"))

    for n in (3e8, 1e9, 3e9):
        student, logits, teacher = shares(n, 1e21)
        assert teacher > 0.36
        assert teacher > max(student, logits)
        student, logits, teacher = shares(n, 1e25)
        assert teacher < 0.1
        assert student == pytest.approx(logits, abs=0.2)
    for n in (1e10, 3e10):
        for budget in (1e20, 1e21):
            assert shares(n, budget)[0] > 0.5
        assert all(0.2 < share < 0.46 for share in shares(n, 1e25))
