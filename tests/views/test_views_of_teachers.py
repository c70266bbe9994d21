"""Curves over teachers, the map of gap risk, and where distillation pays, against plain calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_distill.errors import InputError
from bayes_distill.planning.plan import Plan
from bayes_distill.posterior import Posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.views import against_supervised, gap_map, teacher_curves
from bayes_distill.views.teacher_curves import TEACHERS


def with_runs(posterior: Posterior, frame: pd.DataFrame) -> Posterior:
    tree = posterior.tree.copy()
    columns = {name: ("run", frame[name].to_numpy(float)) for name in frame}
    tree["runs"] = xr.Dataset(columns, coords={"run": np.arange(len(frame))})
    return replace(posterior, tree=tree)


def test_curves_are_forecasts_over_the_runs_teachers(scattered):
    found = teacher_curves(scattered, "1B", "20B", interval=0.8)
    table = found.curves.table
    np.testing.assert_allclose(table["teacher_loss"], np.linspace(1.9, 2.8, TEACHERS))
    plain = forecast(scattered, "1B", "20B", teacher_loss=[1.9, 2.8], interval=0.8).table
    for column in ("loss_mean", "loss_lower", "loss_upper"):
        np.testing.assert_allclose(table[column].iloc[[0, -1]], plain[column])
    best = risk(scattered, "1B", "20B", teacher_loss=2.0, interval=0.8).table
    wanted = best["optimal_teacher_loss_lower"]
    np.testing.assert_allclose(found.best.table["optimal_teacher_loss_lower"], wanted)


def test_students_of_the_runs_are_those_near_20_tokens_a_parameter(scattered):
    cells = [(2e8, 4e9, 5), (2e8, 4e10, 5), (1e9, 2e11, 5), (1e9, 2e10, 3), (3e9, 6e10, 2)]
    rows = [
        {"params": n, "tokens": d, "loss": 2.4, "teacher_loss": 2.0 + 0.1 * i}
        for n, d, teachers in cells
        for i in range(teachers)
    ]
    curves = teacher_curves(with_runs(scattered, pd.DataFrame(rows))).curves.table
    students = curves[["params", "tokens"]].drop_duplicates().to_numpy().tolist()
    assert students == [[2e8, 4e9], [1e9, 2e10]]  # the last has too few teachers


def test_without_runs_students_lie_across_their_range(scattered):
    """As for the posteriors that ship."""
    curves = teacher_curves(scattered).curves.table
    students = curves[["params", "tokens"]].drop_duplicates()
    assert len(students) > 1
    assert students["params"].between(1e8, 6e9).all()
    np.testing.assert_allclose(students["tokens"] / students["params"], 20)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"params": "1B"}, ["tokens: is needed"]),
        ({"params": "1B", "tokens": "20B", "teacher_loss": 2.0}, ["teacher_loss: give the two"]),
        ({"params": "1B", "tokens": "20B", "at": pd.DataFrame()}, ["at: give either"]),
    ],
)
def test_curves_of_nothing_are_refused(scattered, asked, named):
    with pytest.raises(InputError) as refused:
        teacher_curves(scattered, **asked)
    assert all(part in str(refused.value) for part in named)


def test_a_table_of_students(scattered):
    students = pd.DataFrame({"params": [1e9, 3e9], "tokens": [2e10, 6e10]})
    table = teacher_curves(scattered, at=students, teacher_loss="2.0,2.2").curves.table
    assert len(table) == 2 * TEACHERS
    assert set(table["params"]) == {1e9, 3e9}


def test_the_map_holds_what_capacity_gap_says(scattered):
    found = gap_map(scattered, "300M,3B", "6B,60B", teacher_loss=2.0, cells=4, draws=2000)
    table = found.table
    plain = risk(
        scattered, sorted(set(table["params"])), sorted(set(table["tokens"])), teacher_loss=2.0
    ).table
    both = table.merge(plain, on=["params", "tokens"], suffixes=("", "_plain"))
    assert len(both) == 16
    wanted = both["p_stronger_teacher_hurts_plain"]
    np.testing.assert_allclose(both["p_stronger_teacher_hurts"], wanted, atol=1e-12)
    assert 0 < wanted.mean() < 1
    assert found.teacher_loss == 2.0


def test_the_map_reaches_three_times_beyond_the_runs(scattered):
    table = gap_map(scattered, teacher_loss=2.0, cells=3, draws=50).table
    assert (table["params"].min(), table["params"].max()) == pytest.approx((1e8 / 3, 6e9))
    assert (table["tokens"].min(), table["tokens"].max()) == pytest.approx((2e9 / 3, 3e11))
    inside = ~table["outside"]
    assert inside.sum() == 1  # the middle of three by three


def test_the_map_names_every_fault(scattered):
    with pytest.raises(InputError) as refused:
        gap_map(scattered, "1B", "-2,many", teacher_loss="1.9,2.0")
    text = str(refused.value)
    assert "params: give the two ends" in text
    assert "tokens: 'many' is not a number" in text
    assert "teacher_loss: name one teacher" in text


def test_a_map_of_a_sized_teacher_carries_its_uncertainty(scattered):
    found = gap_map(scattered, teacher_params="7B", teacher_tokens="140B", cells=3, draws=200)
    own = scattered.thin(200).supervised_loss(np.array([7e9]), np.array([1.4e11]))
    assert found.teacher_loss == pytest.approx(own.mean())


def made_up(gain: np.ndarray, budgets: np.ndarray, names=("best-case",)) -> Plan:
    """A plan with these gains, (draws, rows)."""
    table = pd.DataFrame(
        {
            "budget": np.tile(budgets, len(names)),
            "scenario": np.repeat(names, budgets.size),
            "params": 1e9,
            "recipe_teacher_loss": 2.0,
        }
    )
    draws = {"supervised_loss": 2.0 + gain, "recipe_loss": np.full(gain.shape, 2.0)}
    empty = pd.DataFrame()
    return Plan(table, empty, empty, empty, 0.9, (), draws)


def test_crossings_are_read_off_each_draw():
    budgets = np.geomspace(1e20, 1e24, 5)
    x = np.log10(budgets)
    at = np.linspace(21.0, 22.0, 101)[:, None]
    compared = against_supervised(made_up(x - at, budgets))
    row = compared.crossings.set_index("direction").loc["starts"]
    wanted = 10 ** np.quantile(at, [0.05, 0.5, 0.95])
    found = row[["budget_lower", "budget_median", "budget_upper"]].astype(float)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert row["p"] == 1
    stops = compared.crossings.set_index("direction").loc["stops"]
    assert stops["p"] == 0
    assert np.isnan(stops["budget_median"])


def test_crossings_of_some_draws_say_how_many():
    budgets = np.geomspace(1e20, 1e24, 5)
    falling = 22 - np.log10(budgets)
    gain = np.stack([falling, falling, falling + 5, falling - 5])
    found = against_supervised(made_up(gain, budgets)).crossings.set_index("direction")
    assert found.loc["stops", "p"] == 0.5
    assert found.loc["stops", "budget_median"] == pytest.approx(1e22)


def test_one_student_and_two_budgets_are_needed():
    budgets = np.array([1e20, 1e21])
    plan = made_up(np.ones((3, 2)), budgets)
    with pytest.raises(InputError, match="name one with a teacher"):
        against_supervised(replace(plan, table=plan.table.assign(recipe_teacher_loss=np.nan)))
    with pytest.raises(InputError, match=r"params: name one student.*budget: a curve"):
        against_supervised(replace(plan, table=plan.table.assign(params=[1e9, 2e9], budget=1e20)))
