"""The optimiser against SLSQP, its identity, its compilations, its complaints."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_distill.compute import SCENARIOS, Architecture, PlainCount, Scenario, total_flops
from bayes_distill.errors import InputError
from bayes_distill.laws import Reference, Supervised
from bayes_distill.planning import Limits, Problem, optimise
from bayes_distill.planning.solver import batched_search as search

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import planner_against_slsqp as benchmark

BOTH = SCENARIOS["teacher-pretraining-and-inference"]


def test_is_as_good_as_slsqp():
    found = benchmark.compare(8, students=(3e8, 3e10), budgets=(1e20, 1e23, 1e26))
    assert found["cases"] == 48
    assert found["worst_excess"] < 1e-5
    assert found["identity_error"] < 1e-9


@pytest.mark.slow
def test_is_as_good_as_the_best_of_40_slsqp_starts():
    # from corner to corner of the grid; all 280 cases are the benchmark's, and take five minutes
    found = benchmark.compare(40, students=(3e8, 3e10), budgets=(1e20, 1e23, 1e26))
    assert found["cases"] == 48
    assert found["worst_excess"] < 1e-5
    assert found["identity_error"] < 1e-9


def test_a_denser_grid_finds_nothing_better(law, reference, draws, monkeypatch):
    budgets = np.geomspace(1e20, 1e26, 7)
    cases = [(s, n) for s in list(SCENARIOS.values())[1:] for n in (3e8, 3e10)]
    draws = {k: v[:15] for k, v in draws.items()}
    usual = [optimise(Problem(law, draws, reference, n, s), budgets).loss for s, n in cases]
    for name, value in (("SIZES", 32), ("TOKENS", 32), ("LOSSES", 400)):
        monkeypatch.setattr(search, name, value)
    dense = [optimise(Problem(law, draws, reference, n, s), budgets).loss for s, n in cases]
    assert np.max(np.subtract(usual, dense)) < 1e-6


@settings(max_examples=40, deadline=None)
@given(
    st.floats(8, 11),
    st.floats(0.5, 8),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(7, 17),
    st.floats(7, 17),
    st.booleans(),
)
def test_budget_identity(log_params, decades, logits, training, most, most_taught, plain):
    params, law = 10**log_params, benchmark.LAW
    flops = PlainCount() if plain else Architecture()
    scenario = Scenario("any", logits, training)
    limits = Limits(max_tokens=10**most, max_teacher_tokens=10**most_taught)
    budget = 1e17 * params / 1e8 * 10**decades
    coordinates = benchmark.coordinates_of(benchmark.TABLE_6)
    found = optimise(
        Problem(law, coordinates, benchmark.REFERENCE, params, scenario, limits, flops), budget
    )
    spent = total_flops(
        params, found.student_tokens, scenario, flops, found.teacher_params, found.teacher_tokens
    ).total
    unspent = found.shares["unspent"]
    assert np.isfinite(found.loss).all()
    assert sum(found.shares.values()) == pytest.approx(1, abs=1e-9)
    assert spent / budget + unspent == pytest.approx(1, abs=1e-9)
    assert (unspent >= 0).all()
    assert found.at_bound["max_tokens"][unspent > 0].all()


def test_other_budgets_students_scenarios_and_limits_do_not_compile_again(law, reference, draws):
    programs = (search._begin, search._continue, search._describe)
    few = {k: v[:3] for k, v in draws.items()}
    scarce = Limits(max_tokens=1e10)
    for limits in (Limits(), scarce):  # both sheets, in a batch of each size
        for some, count in ((draws, 30), (draws, 6), (draws, 1), (few, 1)):
            optimise(
                Problem(law, some, reference, 1e9, BOTH, limits), np.geomspace(1e23, 1e24, count)
            )
    before = [len(p.programs) for p in programs]
    for scenario in ("teacher-inference", "teacher-pretraining", BOTH.name):
        for limits in (Limits(), Limits(max_tokens=1e13, max_teacher_params=1e11)):
            budgets = np.geomspace(2e20, 3e25, 9)
            optimise(Problem(law, draws, reference, 2e9, SCENARIOS[scenario], limits), budgets)
    optimise(Problem(law, few, Reference(1e9, 2e10, 2.3), 1e9, Scenario("x", 0.3, 0.2)), [1e21])
    optimise(Problem(law, few, reference, 1e9, BOTH, flops=Architecture()), [1e21])
    assert [len(p.programs) for p in programs] == before


def test_draws_are_solved_each_for_itself(law, reference, draws):
    budgets = [1e21, 1e23]
    together = optimise(Problem(law, draws, reference, 1e9, BOTH), budgets)
    assert together.loss.shape == (40, 2)
    for k in (0, 17):
        one = {name: v[k] for name, v in draws.items()}
        alone = optimise(Problem(law, one, reference, 1e9, BOTH), budgets)
        np.testing.assert_allclose(alone.loss[0], together.loss[k], rtol=1e-12)
        np.testing.assert_allclose(alone.teacher_params[0], together.teacher_params[k], rtol=1e-4)


def test_draws_may_have_budgets_of_their_own(law, reference, draws):
    budgets = np.geomspace(1e20, 1e24, 40)
    own = optimise(Problem(law, draws, reference, 1e9, BOTH), budgets[:, None])
    shared = optimise(Problem(law, draws, reference, 1e9, BOTH), budgets)
    np.testing.assert_allclose(own.loss[:, 0], np.diag(shared.loss), rtol=1e-12)


def test_loss_falls_with_the_budget_and_rises_with_the_charges(law, reference, draws):
    budgets = np.geomspace(1e20, 1e26, 13)
    loss = {
        name: optimise(Problem(law, draws, reference, 3e9, s), budgets).loss
        for name, s in SCENARIOS.items()
    }
    for values in loss.values():
        assert (np.diff(values, axis=1) < 1e-9).all()
    for cheap, dear in (
        ("best-case", "teacher-inference"),
        ("best-case", "teacher-pretraining"),
        ("teacher-inference", BOTH.name),
        ("teacher-pretraining", BOTH.name),
    ):
        assert (loss[cheap] <= loss[dear] + 1e-9).all()


def test_supervised_training_needs_no_teacher(reference):
    law = Supervised()
    table = benchmark.TABLE_6
    c = law.from_published(
        {k: table[k] for k in ("E", "A", "B", "alpha", "beta", "gamma")}, reference
    )
    found = optimise(
        Problem(law, c, reference, 1e9, SCENARIOS["supervised"], flops=PlainCount()), [1e21]
    )
    assert found.student_tokens[0, 0] == pytest.approx(1e21 / 6e9)
    assert np.isnan(found.teacher_loss).all()
    few = optimise(
        Problem(law, c, reference, 1e9, SCENARIOS["supervised"], Limits(max_tokens=1e9)), [1e21]
    )
    assert few.student_tokens == 1e9
    assert few.at_bound["max_tokens"].all()
    assert few.shares["unspent"] > 0.9
    with pytest.raises(InputError, match="knows no teachers"):
        optimise(Problem(law, c, reference, 1e9, BOTH), [1e21])


def test_every_fault_of_a_call_is_named_at_once(law, reference, table_6):
    with pytest.raises(InputError) as caught:
        optimise(Problem(law, table_6, reference, -1e9, BOTH), [1e21, -3.0, np.nan])
    assert {f.column for f in caught.value.faults} == {"params", "budget"}
    with pytest.raises(InputError, match="shape"):
        optimise(Problem(law, table_6, reference, 1e9, BOTH), np.ones((2, 3)) * 1e21)
    with pytest.raises(InputError, match="at least one"):
        optimise(Problem(law, table_6, reference, 1e9, BOTH), [])
    with pytest.raises(InputError, match="level: must have shape"):
        optimise(
            Problem(
                law, {**table_6, "floor": np.ones(3), "level": np.ones(2)}, reference, 1e9, BOTH
            ),
            1e21,
        )
