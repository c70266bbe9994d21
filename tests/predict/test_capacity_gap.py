"""Risk of a capacity gap, held against the law minimised draw by draw with SciPy."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.optimal_teacher import loss_slope, optimal_teacher
from bayes_distill.predict.teachers import read_teachers

STUDENT = (198e6, 4.9e9)


def one_draw(posterior, draw):
    return {name: values[draw] for name, values in posterior.published.items()}


@pytest.mark.parametrize("student", [STUDENT, (1.82e9, 3.89e10), (1e8, 1e12)])
def test_optimal_teacher_is_the_minimum_of_the_law(scattered, plain, student):
    best = optimal_teacher(scattered, *(np.array([value]) for value in student))
    assert best.teacher_loss.shape == (scattered.n_draws, 1)
    for draw in (0, 7, 500, 1999):
        c = one_draw(scattered, draw)
        alone = plain.supervised(c, *student)
        # a fine grid first: the law may have two minima in its teacher's loss
        grid = np.geomspace(c["E"], 2 * alone, 4000)
        place = int(np.argmin(plain.distilled(c, *student, grid)))
        assert 0 < place < 3999
        found = optimize.minimize_scalar(
            lambda teacher, c=c: plain.distilled(c, *student, teacher),
            bounds=(grid[place - 1], grid[place + 1]),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert not best.boundary[draw, 0]
        assert best.student_loss[draw, 0] == pytest.approx(found.fun, rel=1e-12)
        assert best.teacher_loss[draw, 0] == pytest.approx(found.x, rel=1e-5)


def test_slope_is_the_derivative_by_the_teachers_loss(scattered, plain):
    teacher = np.array([1.9, 2.2, 2.6])
    sizes = (np.full(3, value) for value in STUDENT)
    slope = loss_slope(scattered, *sizes, np.tile(teacher, (scattered.n_draws, 1)))
    c = {name: values[:, None] for name, values in scattered.published.items()}
    h = 1e-5
    up, down = (plain.distilled(c, *STUDENT, teacher + step) for step in (h, -h))
    np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-5, atol=1e-8)


def test_risk_is_certain_where_the_teacher_is_far_too_strong_or_weak(scattered):
    table = risk(scattered, *STUDENT, teacher_loss=[1.8, 2.75]).table
    assert list(table["p_stronger_teacher_hurts"]) == [1.0, 0.0]


def test_risk_is_in_between_at_the_best_teacher_and_falls_with_weaker_ones(scattered):
    best = risk(scattered, *STUDENT, teacher_loss=2.0).table["optimal_teacher_loss_mean"][0]
    teachers = best + np.array([-0.05, -0.01, 0.0, 0.01, 0.05])
    found = risk(scattered, *STUDENT, teacher_loss=teachers).table
    p = found["p_stronger_teacher_hurts"].to_numpy()
    assert (np.diff(p) <= 0).all()
    assert p[0] > 0.8
    assert 0.2 < p[2] < 0.8
    assert p[4] < 0.2


def test_table_is_the_law_on_every_draw(scattered, plain):
    teacher = 2.0
    found = risk(scattered, *STUDENT, teacher_loss=teacher)
    loss = plain.distilled(scattered.published, *STUDENT, teacher)
    alone = plain.supervised(scattered.published, *STUDENT)
    row = found.table.iloc[0]
    np.testing.assert_allclose(found.draws["loss"][:, 0], loss, rtol=1e-9)
    assert row["loss_mean"] == pytest.approx(loss.mean(), rel=1e-9)
    assert row["p_beats_supervised"] == (loss < alone).mean()
    best = found.draws["optimal_teacher_loss"][:, 0].to_numpy()
    excess = loss - plain.distilled(scattered.published, *STUDENT, best)
    np.testing.assert_allclose(found.draws["excess_loss"][:, 0], excess, atol=1e-10)
    assert row["excess_loss_mean"] == pytest.approx(excess.mean(), rel=1e-6)
    assert (row["excess_loss_lower"], row["excess_loss_upper"]) == pytest.approx(
        tuple(np.quantile(excess, [0.05, 0.95])), rel=1e-6
    )
    assert (row["optimal_teacher_loss_lower"], row["optimal_teacher_loss_upper"]) == pytest.approx(
        tuple(np.quantile(best, [0.05, 0.95])), rel=1e-9
    )


def test_no_teacher_is_better_than_the_best(scattered):
    found = risk(scattered, "143M,1B,10B", "3B,100B", teacher_loss=np.linspace(1.7, 3.0, 9))
    assert float(found.draws["excess_loss"].min()) > -1e-9
    # one optimum per student, whatever teacher is asked about
    for _, rows in found.table.groupby(["params", "tokens"]):
        assert np.ptp(rows["optimal_teacher_loss_mean"]) == 0


def test_boundary_is_where_the_strongest_teacher_to_be_had_is_still_too_weak(scattered):
    free = risk(scattered, *STUDENT, teacher_loss=2.5)
    best = free.draws["optimal_teacher_loss"][:, 0].to_numpy()
    assert free.table["p_boundary"][0] == 0
    middle = float(np.median(best))
    for strongest in (middle, best.max() + 0.01, best.min() - 0.01):
        found = risk(scattered, *STUDENT, teacher_loss=2.5, strongest=strongest)
        assert found.table["p_boundary"][0] == pytest.approx((best < strongest).mean(), abs=0.01)
        np.testing.assert_allclose(
            found.draws["optimal_teacher_loss"][:, 0], np.maximum(best, strongest), rtol=1e-5
        )


def test_a_student_without_a_capacity_gap_has_its_optimum_at_the_boundary(scattered):
    # the bend far beyond every teacher: the best teacher is the strongest one, of loss E
    tree = scattered.tree.copy(deep=True)
    draws = tree["posterior"].dataset.copy(deep=True)
    draws["kappa"] = draws["kappa"] * 1e-4
    draws["c0"] = draws["c0"] * 1e-4
    tree["posterior"] = draws
    found = risk(replace(scattered, tree=tree), *STUDENT, teacher_loss=2.2)
    row = found.table.iloc[0]
    assert row["p_boundary"] == 1.0
    assert row["p_stronger_teacher_hurts"] == 0.0
    assert row["optimal_teacher_loss_mean"] == pytest.approx(scattered.published["E"].mean())


def test_teacher_by_size_brings_its_uncertainty(scattered, plain):
    found = risk(scattered, *STUDENT, teacher_params="7B", teacher_tokens="140B")
    teacher = plain.supervised(scattered.published, 7e9, 1.4e11)
    np.testing.assert_allclose(found.draws["teacher_loss"][:, 0], teacher, rtol=1e-9)
    expected = plain.distilled(scattered.published, *STUDENT, teacher)
    np.testing.assert_allclose(found.draws["loss"][:, 0], expected, rtol=1e-9)


CANDIDATES = pd.DataFrame(
    {
        "name": ["strong", "right", "weak", "by size"],
        "loss": [1.85, 2.27, 2.6, np.nan],
        "loss_se": [0.0, 0.02, 0.0, np.nan],
        "params": [np.nan, np.nan, np.nan, 546e6],
        "tokens": [np.nan, np.nan, np.nan, 2.0e10],
    }
)


def test_candidates_are_ranked_with_what_choosing_each_would_cost(scattered, plain):
    found = risk(scattered, *STUDENT, teacher_loss=2.2, teachers=CANDIDATES, seed=4)
    ranked = found.teachers
    assert ranked["loss_mean"].is_monotonic_increasing
    assert ranked["p_best"].sum() == pytest.approx(1.0)
    assert (ranked["regret_mean"] >= 0).all()
    assert (ranked["regret_upper"] >= 0).all()
    assert set(ranked["name"]) == set(CANDIDATES["name"])
    by_name = ranked.set_index("name")
    for name, loss in (("strong", 1.85), ("weak", 2.6)):
        expected = plain.distilled(scattered.published, *STUDENT, loss)
        assert by_name.loc[name, "loss_mean"] == pytest.approx(expected.mean(), rel=1e-9)
        assert by_name.loc[name, "teacher_loss"] == loss
    losses = read_teachers(CANDIDATES).run_losses(scattered, seed=4)
    off_the_curve = losses[:, 3] - plain.supervised(scattered.published, 546e6, 2e10)
    assert off_the_curve.std() > 0.5 * 0.0025 * 2.4  # that teacher is a run
    expected = plain.distilled(scattered.published, *STUDENT, losses[:, 3])
    assert by_name.loc["by size", "loss_mean"] == pytest.approx(expected.mean(), rel=1e-9)
    students = np.stack([plain.distilled(scattered.published, *STUDENT, t) for t in losses.T], 1)
    for place, name in enumerate(CANDIDATES["name"]):
        best = students.argmin(axis=1) == place
        assert by_name.loc[name, "p_best"] == pytest.approx(best.mean(), abs=1e-12)
        regret = students[:, place] - students.min(axis=1)
        assert by_name.loc[name, "regret_mean"] == pytest.approx(regret.mean(), abs=1e-10)
    assert ranked["regret_mean"].is_monotonic_increasing  # the same order as by expected loss
    assert ((ranked["p_best"] > 0.01) & (ranked["p_best"] < 0.99)).sum() >= 2  # not trivial


def test_a_loss_measured_badly_makes_the_student_less_certain(scattered):
    exact, rough = (
        risk(
            scattered, *STUDENT, teachers=pd.DataFrame({"loss": [2.5], "loss_se": [se]})
        ).teachers.iloc[0]
        for se in (0.0, 0.05)
    )
    assert rough["loss_upper"] - rough["loss_lower"] > 1.5 * (
        exact["loss_upper"] - exact["loss_lower"]
    )


def test_without_a_teacher_every_candidate_is_judged_for_every_student(scattered):
    found = risk(scattered, "198M,1B", "4.9B", teachers=CANDIDATES)
    assert len(found.table) == 8
    assert len(found.teachers) == 8
    for _, rows in found.teachers.groupby("params"):
        assert rows["p_best"].sum() == pytest.approx(1.0)
        assert rows["loss_mean"].is_monotonic_increasing
    one = risk(scattered, "1B", "4.9B", teacher_loss=2.6).table.iloc[0]
    same = found.table[(found.table["params"] == 1e9) & (found.table["teacher_loss"] == 2.6)]
    assert same["p_stronger_teacher_hurts"].item() == one["p_stronger_teacher_hurts"]
    assert same["excess_loss_mean"].item() == pytest.approx(one["excess_loss_mean"], rel=1e-9)


def test_table_of_points_equals_single_calls(scattered):
    at = pd.DataFrame({"params": [198e6, 1e9], "tokens": [4.9e9, 2e10], "teacher_loss": [2.0, 2.3]})
    together = risk(scattered, at=at).table
    alone = [
        risk(scattered, *row[:2], teacher_loss=row[2]).table for row in at.itertuples(index=False)
    ]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))


def test_interval_narrows_every_interval(scattered):
    wide, narrow = (
        risk(scattered, *STUDENT, teacher_loss=2.0, interval=i).table.iloc[0] for i in (0.9, 0.5)
    )
    for name in ("optimal_teacher_loss", "excess_loss", "loss"):
        assert wide[f"{name}_lower"] < narrow[f"{name}_lower"]
        assert narrow[f"{name}_upper"] < wide[f"{name}_upper"]


def test_json_is_json(scattered):
    found = risk(scattered, *STUDENT, teacher_loss="2.0", teachers=CANDIDATES)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert len(told["rows"]) == 1
    assert len(told["teachers"]) == 4
    assert risk(scattered, *STUDENT, teacher_loss="2.0").to_json()["teachers"] == []


def test_every_fault_of_a_call_is_named_at_once(scattered, tmp_path):
    with pytest.raises(InputError) as error:
        risk(
            tmp_path / "gone.nc",
            "7",
            "abc",
            teacher_loss=300,
            teachers=pd.DataFrame({"loss": [2.0, -1.0]}),
            strongest=-1,
            interval=0,
        )
    text = str(error.value)
    for part in ("gone.nc", "params: 7", "'abc'", "300", "row 1, loss", "strongest", "interval"):
        assert part in text
    with pytest.raises(InputError, match=r"teacher_loss: is needed"):
        risk(scattered, *STUDENT)


def test_a_supervised_posterior_knows_no_teachers(chinchilla):
    for arguments in ({"teacher_loss": 2.0}, {"teachers": CANDIDATES}):
        with pytest.raises(InputError, match="nothing about teachers"):
            risk(chinchilla.posterior, *STUDENT, **arguments)


def test_a_failed_fit_is_used_only_if_told_to(scattered):
    failed = replace(scattered, info={**scattered.info, "verdict": "fail"})
    with pytest.raises(FailedFitError, match="`allow_failed=True`"):
        risk(failed, *STUDENT, teacher_loss=2.0)
    assert len(risk(failed, *STUDENT, teacher_loss=2.0, allow_failed=True).table) == 1


def test_rows_with_a_teacher_keep_it_and_the_others_meet_every_candidate(scattered):
    at = pd.DataFrame(
        {
            "params": [STUDENT[0], 1e9, STUDENT[0], 1e9, 1e9],
            "tokens": [STUDENT[1], 2e10, STUDENT[1], 2e10, 2e10],
            "teacher_loss": [2.3, np.nan, np.nan, np.nan, np.nan],
            "teacher_params": [np.nan, np.nan, np.nan, np.nan, 3e9],
            "teacher_tokens": [np.nan, np.nan, np.nan, np.nan, 6e10],
        }
    )
    candidates = pd.DataFrame({"name": ["a", "b"], "loss": [2.0, 2.1], "loss_se": [0.0, 0.01]})
    both = risk(scattered, at=at, teachers=candidates, seed=3)
    table = both.table
    assert table["params"].tolist() == [STUDENT[0], 1e9, 1e9, STUDENT[0], STUDENT[0], 1e9]
    # each row is what asking for it alone gives
    assert table["name"].fillna("-").tolist() == ["-", "a", "b", "a", "b", "-"]
    assert "name" not in both.to_json()["rows"][0]
    alone = risk(scattered, at=at.iloc[[0, 4]]).table
    own = table.iloc[[0, 5]].drop(columns="name").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, alone)
    listed = risk(scattered, at=at.iloc[[1, 2], :2], teachers=candidates, seed=3).table
    pd.testing.assert_frame_equal(table.iloc[1:5].reset_index(drop=True), listed)
    assert both.draws["teacher_loss"].std("sample").to_numpy()[2] == pytest.approx(0.01, rel=0.1)
    assert len(both.teachers) == 4


def test_rows_without_a_teacher_still_need_a_list(scattered):
    at = pd.DataFrame({"params": [1e9] * 2, "tokens": [2e10] * 2, "teacher_loss": [2.2, np.nan]})
    with pytest.raises(InputError, match="teacher_loss: is needed"):
        risk(scattered, at=at)
