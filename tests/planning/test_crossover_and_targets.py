"""Crossovers and targets: they are where they say, or say that there are none."""

import numpy as np
import pytest

from bayes_distill.compute import SCENARIOS, Architecture
from bayes_distill.errors import InputError
from bayes_distill.planning import (
    Limits,
    Problem,
    crossover,
    crossover_tables,
    least_compute,
    least_tokens,
    optimise,
)
from bayes_distill.planning.crossover import Crossover, crossovers
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.roots import first_fall, last_rise, only_fall

SUPERVISED, BEST, INFERENCE, PRETRAINING, BOTH = SCENARIOS.values()


def test_first_fall_takes_the_first_and_misses_none():
    grid = np.linspace(0, 10, 41)
    shift = np.array([0.0, 0.3, 20.0])
    height = np.array([0.0, 0.0, 5.0])

    def wave(i, x):
        return np.sin(x + shift[i]) + height[i]

    values = np.stack([wave(np.full(41, i), grid) for i in range(3)])
    got = first_fall(wave, grid, values)
    np.testing.assert_allclose(got[:2], np.pi - shift[:2], atol=1e-9)
    assert np.isnan(got[2])


def test_last_rise_takes_the_last_and_wants_a_positive_end():
    grid = np.linspace(0, 10, 41)
    shift, height = np.array([0.0, 0.0, 3.0]), np.array([0.6, 5.0, 0.0])

    def wave(i, x):
        return np.sin(x + shift[i]) + height[i]

    values = np.stack([wave(np.full(41, i), grid) for i in range(3)])
    got = last_rise(wave, grid, values)
    # sin 10 is below zero, above -0.6, and sin 13 above zero
    np.testing.assert_allclose(got[0], 3 * np.pi + np.arcsin(-0.6) + 2 * np.arcsin(0.6), atol=6)
    assert wave(np.array([0]), got[:1]) == pytest.approx(0, abs=1e-9)
    assert (wave(np.zeros(50, int), np.linspace(got[0] + 1e-6, 10, 50)) > 0).all()
    assert np.isnan(got[1])
    np.testing.assert_allclose(got[2], 4 * np.pi - 3, atol=1e-9)


def test_a_teacher_that_pays_above_a_budget_has_a_crossover_there(law, reference, draws):
    """One that is weak and cheap at small budgets, where serving it leaves the student little."""
    problem = Problem(law, draws, reference, 1e9, BEST)
    low, high = 1e20, 1e28
    stops, starts = crossovers(problem, budgets=(low, high))
    assert (stops.direction, starts.direction) == ("better_below", "better_above")
    budgets = np.geomspace(low, high, 60)
    supervised, distilled = (
        optimise(Problem(law, draws, reference, 1e9, s), budgets).loss for s in (SUPERVISED, BEST)
    )
    better = supervised - distilled > 1e-8
    for draw in range(problem.n_draws):
        if np.isfinite(starts.budget[draw]):
            assert better[draw, budgets > 1.01 * starts.budget[draw]].all()
            beside = budgets[budgets < starts.budget[draw] / 1.01][-1:]
            assert not better[draw, budgets == beside].all()
        elif np.isneginf(starts.budget[draw]):
            assert better[draw].all()
        else:
            assert not better[draw, -1]


def test_only_fall_tells_below_from_above():
    target = np.array([-1.0, 0.3, 2.0, 99.0])
    got = only_fall(lambda i, x: np.expm1(target[i] - x), 4, 0.0, 10.0)
    np.testing.assert_allclose(got, [-np.inf, 0.3, 2.0, np.inf], atol=1e-9)


def test_both_losses_agree_at_the_crossover_and_distillation_wins_before(law, reference, draws):
    found = crossover(Problem(law, draws, reference, 1e9, BEST))
    some = np.flatnonzero(np.isfinite(found.budget))
    assert some.size > 10
    c = {k: v[some] for k, v in draws.items()}
    for factor, sign in ((1.0, 0), (0.9, 1)):
        budget = factor * found.budget[some, None]
        supervised, distilled = (
            optimise(Problem(law, c, reference, 1e9, s), budget).loss for s in (SUPERVISED, BEST)
        )
        if sign:
            assert (supervised > distilled).all()
        else:
            np.testing.assert_allclose(supervised, distilled, atol=1e-8)
    tokens = found.budget[some] / (3 * Architecture().forward_flops(1e9))
    np.testing.assert_allclose(found.student_tokens[some], tokens)
    assert found.p_none == pytest.approx(1 - some.size / 40)
    assert found.p_none == pytest.approx(found.p_never_better + found.p_always_better)


def test_no_crossover_is_infinite_or_nan(law, reference, table_6):
    before = crossover(Problem(law, table_6, reference, 1e10, BEST), budgets=(1e20, 1e22))
    assert np.isposinf(before.budget).all()
    assert before.p_always_better == before.p_none == 1
    never = crossover(Problem(law, table_6, reference, 1e9, BOTH))
    assert np.isnan(never.budget).all()
    assert never.p_never_better == never.p_none == 1


def test_quantiles_are_over_all_draws(posterior, monkeypatch):
    """Three draws of ten cross, in six distillation stays better: so it does in the median."""
    budgets = np.array([np.inf] * 6 + [1e22, 2e22, 3e22] + [np.nan])
    setting = Setting(posterior, 1e9, BEST)
    made_up = Crossover(BEST, 1e9, budgets, budgets)
    upwards = np.array([np.nan] * 4 + [2e22] * 3 + [4e22] * 2 + [-np.inf])
    starts = Crossover(BEST, 1e9, upwards, upwards, "better_above")
    monkeypatch.setattr(crossover_tables, "crossovers", lambda problem, offset: (made_up, starts))
    row, above = crossover_tables.crossover_rows(setting, 0.8)
    assert (row["direction"], above["direction"]) == ("better_below", "better_above")
    assert (above["budget_lower"], above["budget_median"], above["budget_upper"]) == (
        2e22,
        4e22,
        np.inf,
    )
    assert (above["p_none"], above["p_never_better"], above["p_always_better"]) == (0.5, 0.4, 0.1)
    assert row["budget_lower"] == 1e22  # the second of ten, in order: never better, 1e22, ...
    assert row["budget_median"] == row["budget_upper"] == np.inf
    assert (row["p_none"], row["p_never_better"], row["p_always_better"]) == (0.7, 0.1, 0.6)
    never = Crossover(BEST, 1e9, np.full(10, np.nan), budgets)
    nowhere = Crossover(BEST, 1e9, np.full(10, np.nan), budgets, "better_above")
    monkeypatch.setattr(crossover_tables, "crossovers", lambda problem, offset: (never, nowhere))
    (row,) = crossover_tables.crossover_rows(setting, 0.8)
    assert row["budget_median"] == -np.inf


def test_supervised_training_has_the_offset_of_its_size(law, reference, table_6):
    """Where it lies 0.2% above its law, distillation stays better for longer."""
    problem = Problem(law, table_6, reference, 1e9, BEST)
    usual, moved = (crossover(problem, offset=x).budget for x in (None, np.array([0.002])))
    budget = moved[:, None]
    assert moved[0] > 1.2 * usual[0]
    supervised, distilled = (
        optimise(Problem(law, table_6, reference, 1e9, s), budget).loss for s in (SUPERVISED, BEST)
    )
    np.testing.assert_allclose(1.002 * supervised, distilled, atol=1e-8)


def test_crossover_refuses_what_makes_no_sense(law, reference, table_6):
    with pytest.raises(InputError, match="cannot cross itself"):
        crossover(Problem(law, table_6, reference, 1e9, SUPERVISED))
    with pytest.raises(InputError, match="must rise"):
        crossover(Problem(law, table_6, reference, 1e9, BEST), budgets=(1e22, 1e20))
    with pytest.raises(InputError, match="the least is"):
        crossover(
            Problem(law, table_6, reference, 1e9, BEST, Limits(min_tokens=1e16)),
            budgets=(1e20, 1e22),
        )


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda s: s.name)
def test_least_compute_reaches_the_target_and_no_less_does(law, reference, draws, scenario):
    least = least_compute(Problem(law, draws, reference, 1e9, scenario), 2.3)
    reached = np.isfinite(least)
    assert reached.sum() > 30
    c = {k: v[reached] for k, v in draws.items()}
    loss = optimise(Problem(law, c, reference, 1e9, scenario), least[reached, None]).loss
    np.testing.assert_allclose(loss, 2.3, atol=1e-9)


def test_unreachable_targets_are_infinite_and_easy_ones_cost_the_least_run(law, reference, table_6):
    assert np.isinf(least_compute(Problem(law, table_6, reference, 1e9, BOTH), 1.5)).all()
    assert np.isinf(least_tokens(Problem(law, table_6, reference, 1e9, BEST), 1.5)).all()
    easy = least_compute(
        Problem(law, table_6, reference, 1e9, SUPERVISED), 50.0, budgets=(1e10, 1e30)
    )
    assert easy[0] == pytest.approx(3 * Architecture().forward_flops(1e9) * 1e6)
    with pytest.raises(InputError, match="target"):
        least_compute(Problem(law, table_6, reference, 1e9, BOTH), -2.0)


def test_least_tokens_reach_the_target_and_respect_limits(law, reference, draws):
    for distils in (True, False):
        problem = Problem(law, draws, reference, 1e9, BEST if distils else SUPERVISED)
        tokens = least_tokens(problem, 2.3)
        loss = optimise(problem, tokens[:, None] * 3 * Architecture().forward_flops(1e9)).loss
        np.testing.assert_allclose(loss, 2.3, atol=1e-9)
    limits = Limits(max_tokens=float(tokens.min()) * 0.5)
    short = least_tokens(Problem(law, draws, reference, 1e9, SUPERVISED, limits), 2.3)
    assert np.isinf(short).all()
