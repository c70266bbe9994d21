"""A budget that pays for no recipe is a row that says so; a plan without any recipe is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from bayes_distill import plan
from bayes_distill.compute import FLOPS
from bayes_distill.errors import InputError
from bayes_distill.planning import Limits

EQ69 = FLOPS["eq69"]
BOTH = "teacher-pretraining-and-inference"
FAST = {"crossovers": False, "teacher_range": False}


@pytest.fixture(scope="module")
def mixed(posterior):
    return plan(
        posterior.thin(32), "1B,3B", "1e10,1e22", scenario=f"best-case,{BOTH}", teacher_range=False
    )


def test_the_row_says_what_the_least_would_be(mixed, posterior):
    table = mixed.table
    assert table["feasible"].tolist() == [False, True] * 4
    assert table.loc[table["feasible"], "problem"].isna().all()
    for r in table[~table["feasible"]].to_dict("records"):
        assert r["problem"].startswith("1e+10 FLOPs cannot pay for a student of")
        assert r["problem"].endswith(f"({r['scenario']})")
        least = float(r["problem"].split("the least that can is ")[1].split(" ")[0])
        again = plan(posterior, r["params"], 1.001 * least, scenario=r["scenario"], **FAST)
        assert np.isfinite(again.table["loss_mean"]).all()
    asked = [name for name in table if name.startswith("budget")]
    empty = table.loc[~table["feasible"]].drop(
        columns=[*asked, "scenario", "params", "served_tokens", "feasible", "problem"]
    )
    assert empty.isna().all(axis=None)


def test_the_other_rows_are_as_they_would_be_without_it(mixed, posterior):
    without = plan(
        posterior.thin(32), "1B,3B", "1e22", scenario=f"best-case,{BOTH}", teacher_range=False
    )
    rows = mixed.table[mixed.table["feasible"]].reset_index(drop=True).infer_objects()
    assert without.table["outside"].dtype == bool
    pd.testing.assert_frame_equal(rows, without.table)
    assert mixed.notes == without.notes
    pd.testing.assert_frame_equal(mixed.crossovers, without.crossovers)
    draws = mixed.draws["recipe_loss"]
    assert np.isnan(draws.sel(budget=1e10)).all()
    np.testing.assert_array_equal(
        draws.sel(budget=1e22, params=3e9, scenario=BOTH),
        without.samples["recipe_loss"][:, 3],
    )


def test_in_json_it_has_its_problem_and_nulls(mixed):
    content = mixed.to_json()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    without, planned = content["rows"][:2]
    assert planned["problem"] is None
    assert without["problem"] == mixed.table["problem"].iloc[0]
    assert set(without) == set(planned)
    for name in ("recipe", "shares", "loss", "optimum", "regret", "p_at_bound", "gain"):
        numbers = pd.json_normalize(without[name]).to_numpy().ravel().tolist()
        assert set(numbers) == {None}
        assert pd.json_normalize(planned[name]).notna().any(axis=None)
    assert without["outside"] is without["p_beats_supervised"] is None
    assert isinstance(planned["outside"], bool)
    assert (without["budget"], without["params"]) == (1e10, 1e9)


def test_a_plan_without_any_recipe_is_refused(posterior):
    with pytest.raises(InputError) as caught:
        plan(posterior, "1B,3B", "1e10,1e11", scenario=f"best-case,{BOTH}")
    assert [f.column for f in caught.value.faults] == ["budget", "budget"]
    for fault, size in zip(caught.value.faults, ("1e+09", "3e+09"), strict=True):
        assert fault.problem.startswith(f"1e+10, 1e+11 FLOPs cannot pay for a student of {size}")
        assert fault.problem.endswith(f"({BOTH})")


def test_a_student_that_cannot_be_paid_for_is_a_row_too(posterior):
    few = posterior.thin(8)
    found = plan(few, "1B,1T", 1e22, scenario="supervised", limits=Limits(min_tokens=1e12), **FAST)
    assert found.table["feasible"].tolist() == [True, False]


def test_a_chosen_size_that_nothing_is_left_for(posterior):
    few = posterior.thin(8)
    found = plan(few, budget="1e19,1e22", scenario="supervised", served_tokens=1e12, **FAST)
    assert found.table["feasible"].tolist() == [False, True]
    assert np.isnan(found.table["params"].iloc[0])
    assert "do not pay for training any student" in found.table["problem"].iloc[0]
    assert found.to_json()["rows"][0]["params"] is None
    assert dict(found.draws.sizes) == {"sample": 8, "scenario": 1, "params": 1, "budget": 2}
    assert np.isnan(found.draws["recipe_loss"].sel(budget=1e19)).all()


def test_teachers_are_ranked_for_the_budgets_that_pay_for_something(posterior):
    teachers = pd.DataFrame({"name": ["a", "b"], "params": [1e9, 7e9], "tokens": [3e10, 1e11]})
    few = posterior.thin(8)
    found = plan(few, 1e9, [1e10, 1e20, 1e22], scenario=BOTH, teachers=teachers, **FAST).teachers
    assert found["budget"].tolist() == [1e20, 1e20, 1e22, 1e22]
    # at 1e20 neither teacher is affordable, which is no reason to say nothing about 1e22
    assert found["affordable"].tolist() == [False, False, True, True]
    assert found["p_best"].tolist()[:2] == [0, 0]
    assert found.loc[:1, ["loss_mean", "regret_mean", "regret_upper"]].isna().all(axis=None)
    assert found["p_best"].iloc[2:].sum() == 1
