"""Forecasts, held against the law evaluated on the draws in plain NumPy."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bayes_distill._runtime import memory as _memory
from bayes_distill.cards import load_card
from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.laws import TABLE_6
from bayes_distill.posterior import Posterior
from bayes_distill.predict import forecast as forecasting
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast

STUDENT = (1e9, 2e10)


def test_draws_are_the_law_evaluated_on_every_draw(scattered, plain):
    found = forecast(scattered, "300M,1B", "10B,50B", teacher_loss="1.95,2.4")
    assert len(found.table) == 8
    for point, row in enumerate(found.table.itertuples()):
        asked = (row.params, row.tokens)
        expected = plain.distilled(scattered.published, *asked, row.teacher_loss)
        alone = plain.supervised(scattered.published, *asked)
        np.testing.assert_allclose(found.draws["loss"][:, point], expected, rtol=1e-9)
        np.testing.assert_allclose(found.draws["supervised"][:, point], alone, rtol=1e-9)
        assert row.loss_mean == pytest.approx(expected.mean(), rel=1e-9)
        assert row.loss_sd == pytest.approx(expected.std(), rel=1e-6)
        low, high = np.quantile(expected, [0.05, 0.95])
        assert (row.loss_lower, row.loss_upper) == pytest.approx((low, high), rel=1e-9)
        low, high = np.quantile(alone, [0.05, 0.95])
        assert (row.supervised_lower, row.supervised_upper) == pytest.approx((low, high), rel=1e-9)
        assert row.p_beats_supervised == (expected < alone).mean()


def test_intervals_are_ordered_and_a_new_run_is_less_certain_than_the_curve(scattered):
    table = forecast(scattered, "143M,1B,3B", "10B,1T", teacher_loss="1.9,2.2,2.6").table
    for kind in ("loss", "new_run", "supervised"):
        assert (table[f"{kind}_lower"] < table[f"{kind}_upper"]).all()
    assert table["loss_mean"].between(table["loss_lower"], table["loss_upper"]).all()
    assert (table["new_run_lower"] < table["loss_lower"]).all()
    assert (table["new_run_upper"] > table["loss_upper"]).all()


def test_new_runs_scatter_as_the_likelihood_says(scattered):
    found = forecast(scattered, *STUDENT, teacher_loss=2.1)
    scale = scattered.draws["scale"] * scattered.reference.loss
    standardised = (found.draws["new_run"] - found.draws["loss"])[:, 0] / scale
    assert stats.kstest(standardised, stats.t(4).cdf).pvalue > 0.001
    normal = load_card("busbridge2025-plain").model_dump()
    normal["likelihood"] |= {"family": "normal", "scale": "relative"}
    card = type(scattered.card).model_validate(normal)
    found = forecast(replace(scattered, card=card), *STUDENT, teacher_loss=2.1)
    scale = scattered.draws["scale"] * found.draws["loss"][:, 0].to_numpy()
    standardised = (found.draws["new_run"] - found.draws["loss"])[:, 0] / scale
    assert stats.kstest(standardised, stats.norm.cdf).pvalue > 0.001


@pytest.mark.parametrize("interval", [0.5, 0.9, 0.99])
def test_interval_is_the_probability_inside(scattered, interval):
    found = forecast(scattered, *STUDENT, teacher_loss=2.1, interval=interval)
    row = found.table.iloc[0]
    for name in ("loss", "new_run"):
        draws = found.draws[name][:, 0]
        below = (draws < row[f"{name}_lower"]).mean()
        above = (draws > row[f"{name}_upper"]).mean()
        assert below == pytest.approx((1 - interval) / 2, abs=1e-3)
        assert above == pytest.approx((1 - interval) / 2, abs=1e-3)
    assert found.interval == interval


def test_without_a_teacher_the_forecast_is_of_supervised_training(scattered, plain):
    found = forecast(scattered, *STUDENT)
    np.testing.assert_allclose(
        found.draws["loss"][:, 0], plain.supervised(scattered.published, *STUDENT), rtol=1e-9
    )
    row = found.table.iloc[0]
    assert np.isnan(row["teacher_loss"])
    assert np.isnan(row["p_beats_supervised"])
    assert row["loss_mean"] == row["supervised_mean"]
    told = found.to_json()["rows"][0]
    assert told["teacher_loss"] is None
    assert told["p_beats_supervised"] is None


def test_teacher_by_size_is_its_supervised_loss_draw_by_draw(scattered, plain):
    found = forecast(scattered, *STUDENT, teacher_params="7B", teacher_tokens="140B")
    teacher = plain.supervised(scattered.published, 7e9, 1.4e11)
    expected = plain.distilled(scattered.published, *STUDENT, teacher)
    np.testing.assert_allclose(found.draws["teacher_loss"][:, 0], teacher, rtol=1e-9)
    np.testing.assert_allclose(found.draws["loss"][:, 0], expected, rtol=1e-9)
    assert found.table["teacher_loss_mean"][0] == pytest.approx(teacher.mean(), rel=1e-9)
    # the teacher's uncertainty is carried along: a fixed teacher of that loss is another thing
    fixed = forecast(scattered, *STUDENT, teacher_loss=teacher.mean())
    assert found.table["loss_sd"][0] != pytest.approx(fixed.table["loss_sd"][0], rel=1e-3)


def test_table_of_points_equals_single_calls(scattered, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(
        "params,tokens,teacher_loss,teacher_params,teacher_tokens\n"
        "1B,20B,2.1,,\n500M,10B,,7B,140B\n1B,20B,,,\n"
    )
    together = forecast(scattered, at=path).table
    alone = [
        forecast(scattered, "1B", "20B", teacher_loss=2.1),
        forecast(scattered, "500M", "10B", teacher_params="7B", teacher_tokens="140B"),
        forecast(scattered, "1B", "20B"),
    ]
    columns = ["teacher_loss_mean", "loss_mean", "loss_sd", "loss_lower", "supervised_mean"]
    expected = pd.concat([one.table for one in alone], ignore_index=True)
    pd.testing.assert_frame_equal(together[columns], expected[columns])


def test_many_points_are_evaluated_in_pieces_without_a_seam(scattered, plain, monkeypatch):
    monkeypatch.setattr("bayes_distill.posterior.evaluate.CHUNK", 8 * scattered.n_draws)
    teachers = np.linspace(1.8, 2.8, 21)
    found = forecast(scattered, *STUDENT, teacher_loss=teachers)
    expected = [plain.distilled(scattered.published, *STUDENT, t) for t in teachers]
    np.testing.assert_allclose(found.draws["loss"], np.transpose(expected), rtol=1e-9)


def test_seed_decides_the_scatter_of_new_runs_and_nothing_else(scattered):
    first, again, other = (
        forecast(scattered, *STUDENT, teacher_loss=2.1, seed=seed).draws for seed in (1, 1, 2)
    )
    xr.testing.assert_identical(first, again)
    np.testing.assert_array_equal(first["loss"], other["loss"])
    assert (first["new_run"] != other["new_run"]).all()


@pytest.mark.parametrize(
    ("params", "tokens", "factors"),
    [
        (5e8, 1e10, (1.0, 1.0)),
        (2e9, 1e11, (1.0, 1.0)),  # a corner of the runs is no extrapolation
        (2e10, 1e10, (10.0, 1.0)),
        (5e8, 5e11, (1.0, 5.0)),
        (5e7, 1e9, (2.0, 2.0)),
    ],
)
def test_extrapolation_is_by_how_much_the_runs_are_exceeded(scattered, params, tokens, factors):
    found = forecast(scattered, params, tokens, teacher_loss=2.1)
    row = found.table.iloc[0]
    assert (row["factor_params"], row["factor_tokens"]) == pytest.approx(factors)
    assert row["outside"] == (factors != (1.0, 1.0))
    assert not row["teacher_outside"]
    assert bool(found.notes) == row["outside"]


def test_a_student_lies_among_the_runs_of_its_kind(scattered):
    sides = {"supervised": (1e8, 3e9), "distilled": (1e8, 1.1e9)}
    hulls = {
        kind: {
            "points": np.log([(a, 2e9), (b, 2e9), (b, 1e11), (a, 1e11)]).tolist(),
            "teacher_loss": [1.9, 2.8] if kind == "distilled" else None,
            "runs": 4,
        }
        for kind, (a, b) in sides.items()
    }
    mixed = replace(scattered, info={**scattered.info, "hulls": hulls})
    alone, taught = forecast(mixed, 3e9, 1e10), forecast(mixed, 3e9, 1e10, teacher_loss=2.1)
    assert [found.table["outside"].item() for found in (alone, taught)] == [False, True]
    assert taught.table["factor_params"].item() == pytest.approx(3 / 1.1)
    side = {"runs": 4, "teachers": 0, "prior": False, "extrapolation": 1.0}
    assert alone.to_json()["rows"][0]["rests_on"] == side
    told = taught.to_json()["rows"][0]["rests_on"]
    assert told == side | {"extrapolation": pytest.approx(3 / 1.1), "supervised": side}
    # a student asked about without a teacher will have one
    assert risk(mixed, 3e9, 1e10, teacher_loss=2.1).table["outside"].item()
    only = {"supervised": None, "distilled": hulls["distilled"]}
    distilled = replace(scattered, info={**scattered.info, "hulls": only})
    untried = forecast(distilled, 1e9, 1e10)
    assert untried.table["outside"].item()
    assert "of a kind of which there was no run" in untried.notes[0]
    told = forecast(distilled, 1e9, 1e10, teacher_loss=2.1).to_json()["rows"][0]["rests_on"]
    assert told["supervised"] == {"runs": 0, "teachers": 0, "prior": True, "extrapolation": 1.0}


@pytest.mark.parametrize(("teacher", "outside"), [(1.85, True), (1.9, False), (2.85, True)])
def test_a_teacher_unlike_those_of_the_runs_is_outside(scattered, teacher, outside):
    found = forecast(scattered, *STUDENT, teacher_loss=teacher)
    assert found.table["teacher_outside"][0] == outside
    assert found.table["outside"][0] == outside
    assert any("teacher" in note for note in found.notes) == outside


def test_json_is_json(scattered):
    found = forecast(scattered, "1B", "20B,2T", teacher_loss="2.0")
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["interval"] == 0.9
    assert told["rows"][1]["extrapolation"]["outside"] is True
    assert told["rows"][1]["predictive"]["lower"] == found.table["new_run_lower"][1]


def test_published_coefficients_are_a_posterior_with_one_draw(scattered, plain):
    point = Posterior.from_coefficients(scattered.card, TABLE_6, scattered.reference, noise=0.01)
    found = forecast(point, *STUDENT, teacher_loss=2.1)
    exact = plain.distilled(dict(TABLE_6), *STUDENT, 2.1)
    row = found.table.iloc[0]
    assert row["loss_mean"] == pytest.approx(exact, rel=1e-12)
    assert row["loss_lower"] == row["loss_upper"] == row["loss_mean"]
    assert not row["outside"]  # there are no runs to be outside of


def test_every_fault_of_a_call_is_named_at_once(scattered, tmp_path):
    with pytest.raises(InputError) as error:
        forecast(
            tmp_path / "gone.nc", "7", "abc", teacher_loss=300, teacher_params="7B", interval=2
        )
    text = str(error.value)
    for part in ("gone.nc", "7B", "'abc'", "300", "teacher_tokens", "interval"):
        assert part in text
    with pytest.raises(InputError, match="not both"):
        forecast(scattered, "1B", at=pd.DataFrame({"params": [1e9], "tokens": [2e10]}))


def test_teachers_are_refused_where_the_law_knows_none(chinchilla):
    with pytest.raises(InputError, match="nothing about teachers"):
        forecast(chinchilla.posterior, "1B", "20B", teacher_loss=2.0)
    with pytest.raises(InputError, match="nothing about teachers"):
        forecast(chinchilla.posterior, "1B", "20B", teacher_params="7B", teacher_tokens="1T")
    assert forecast(chinchilla.posterior, "1B", "20B").table["loss_mean"][0] > 1.8


def test_a_failed_fit_is_used_only_if_told_to(scattered):
    failed = replace(scattered, info={**scattered.info, "verdict": "fail"})
    with pytest.raises(FailedFitError, match="`allow_failed=True`"):
        forecast(failed, *STUDENT)
    assert len(forecast(failed, *STUDENT, allow_failed=True).table) == 1
    with pytest.raises(InputError):  # the faults of the call come first
        forecast(failed, "7", "1B")


STREAMED = {"teacher_loss": "1.9,2.2,2.5"}


def test_points_in_blocks_are_forecast_as_all_at_once(scattered, monkeypatch):
    whole = forecast(scattered, "1B,2B", "10B,30B", **STREAMED)
    widths = []
    one = type(scattered).supervised_loss

    def watched(self, params, *rest):
        widths.append(len(params))
        return one(self, params, *rest)

    monkeypatch.setattr(type(scattered), "supervised_loss", watched)
    monkeypatch.setattr(forecasting, "BLOCK", 5 * scattered.n_draws)
    blocks = forecast(scattered, "1B,2B", "10B,30B", **STREAMED)
    assert sorted(widths) == [2, 5, 5]
    exact = [c for c in whole.table if not c.startswith("new_run")]
    pd.testing.assert_frame_equal(blocks.table[exact], whole.table[exact])
    np.testing.assert_array_equal(blocks.draws["loss"], whole.draws["loss"])
    scatter = (whole.table["new_run_upper"] - whole.table["new_run_lower"]).to_numpy()
    for end in ("new_run_lower", "new_run_upper"):  # other noise, of the same kind
        assert (np.abs(blocks.table[end] - whole.table[end]) < 0.1 * scatter).all()
    for threads in (1, 64):
        monkeypatch.setattr(forecasting, "THREADS", threads)
        again = forecast(scattered, "1B,2B", "10B,30B", **STREAMED)
        pd.testing.assert_frame_equal(blocks.table, again.table)


def test_memory_is_given_back_as_blocks_go_by(scattered, monkeypatch):
    given_back = []
    monkeypatch.setattr(forecasting, "return_freed_memory", lambda: given_back.append(1))
    forecast(scattered, "1B,2B", "10B,30B", **STREAMED)
    assert not given_back
    monkeypatch.setattr(forecasting, "BLOCK", 1)
    monkeypatch.setattr(forecasting, "TIDY", 5)
    forecast(scattered, "1B,2B", "10B,30B", **STREAMED)
    assert len(given_back) == 2  # twelve blocks


@pytest.mark.parametrize("fault", [OSError, TypeError, AttributeError])
def test_a_c_library_that_cannot_give_back_memory_is_no_fault(monkeypatch, fault):
    def none(_):
        raise fault

    _memory.return_freed_memory()
    monkeypatch.setattr(_memory.ctypes, "CDLL", none)
    _memory.return_freed_memory()


def test_uncertain_teachers_are_the_same_in_every_block(scattered, monkeypatch):
    table = pd.DataFrame(
        {"params": [1e9, 2e9, 1e9], "tokens": 1e11, "teacher_loss": 2.1, "teacher_loss_se": 0.03}
    )
    monkeypatch.setattr(forecasting, "BLOCK", 1)
    teacher = forecast(scattered, at=table).draws["teacher_loss"].to_numpy()
    assert teacher.std() > 0.02
    np.testing.assert_array_equal(teacher[:, [0, 0]], teacher[:, 1:])


def test_many_draws_are_summarised_and_not_stored(scattered, monkeypatch):
    monkeypatch.setattr(forecasting, "STORED", 2 * scattered.n_draws)
    found = forecast(scattered, "1B,2B,3B", "10B")
    assert len(found.table) == 3
    with pytest.raises(InputError, match=r"draws of 3 points were summarised.*fewer of either"):
        _ = found.draws
    assert forecast(scattered, "1B,2B", "10B").draws.sizes["point"] == 2


def test_draws_are_thinned_to_what_is_asked_and_the_cost_is_said(scattered):
    few = forecast(scattered, "1B", "10B", draws=100)
    assert few.draws.sizes["sample"] <= 100
    (note,) = [n for n in few.notes if "draws were used" in n]
    assert f"of {scattered.n_draws:,} draws" in note
    assert not any("draws were used" in n for n in forecast(scattered, "1B", "10B").notes)
    with pytest.raises(InputError, match="draws: 0 is less than 1"):
        forecast(scattered, "1B", "10B", draws=0)


TEACHER, CONDITION = 0.002, 0.0015  # standard deviations of effects, of the reference loss


@pytest.fixture(scope="module")
def with_effects(scattered):
    """`scattered` with effects of teachers and of conditions."""
    draws = scattered.tree["posterior"].dataset
    spread = {"teacher_sd": TEACHER, "condition_sd": CONDITION}
    group = draws.assign({name: draws["scale"] * 0 + sd for name, sd in spread.items()})
    tree = xr.DataTree.from_dict({"posterior": group})
    return Posterior(tree, scattered.card, scattered.reference, scattered.info)


def scatter(found):
    """New runs off their mean curve, (draws, points), in units of the reference loss."""
    return (found.draws["new_run"] - found.draws["loss"]).to_numpy() / 2.4


def test_new_runs_of_one_teacher_and_of_one_condition_share_their_effects(with_effects):
    at = pd.DataFrame(
        {
            "params": [1e9, 1e9, 3e8, 3e8],
            "tokens": [2e10, 2e10, 6e9, 6e9],
            "teacher_loss": [2.1, 2.3, 2.1, 1.95],
        }
    )
    off = scatter(forecast(with_effects, at=at))
    expected = np.zeros((4, 4))
    expected[0, 2] = TEACHER**2  # of one teacher
    expected[0, 1] = expected[2, 3] = CONDITION**2  # of one condition
    found, total = np.cov(off.T), TEACHER**2 + CONDITION**2
    # Student t noise with 4 degrees of freedom has twice its scale squared as variance
    noise = 2 * (with_effects.draws["scale"] ** 2).mean()
    upper = np.triu_indices(4, 1)
    np.testing.assert_allclose(found[upper], expected[upper], atol=4 * (total + noise) / 2000**0.5)


def test_effects_are_shared_across_blocks(with_effects, monkeypatch):
    """With next to no noise: two points a block, or all in one."""
    group = with_effects.tree["posterior"].dataset
    tree = xr.DataTree.from_dict({"posterior": group.assign(scale=group["scale"] * 1e-9)})
    quiet = Posterior(tree, with_effects.card, with_effects.reference, with_effects.info)
    asked = {"teacher_loss": "1.95,2.1", "seed": 3}
    whole = scatter(forecast(quiet, "1B,3B,7B", "20B,60B", **asked))
    monkeypatch.setattr(forecasting, "BLOCK", 2 * quiet.n_draws)
    np.testing.assert_allclose(
        scatter(forecast(quiet, "1B,3B,7B", "20B,60B", **asked)), whole, atol=1e-9
    )
    assert whole.std() == pytest.approx(np.hypot(TEACHER, CONDITION), rel=0.05)


def test_both_sides_of_a_comparison_have_what_the_model_says_of_their_size(scattered):
    """All supervised students of a size lie 1% above the law: that is what is to be beaten."""
    draws = scattered.tree["posterior"].dataset
    offsets = np.full((4, 500, 1), 0.01)
    group = draws.assign(
        {
            "size_offset": (("chain", "draw", "size_with_offset"), offsets),
            "size_offset_sd": draws["scale"] * 0 + 0.01,
            "size_offset_key": draws["scale"] * 0 + np.random.default_rng(0).random((4, 500)),
        }
    ).assign_coords(offset_params=("size_with_offset", [1e9]))
    tree = xr.DataTree.from_dict({"posterior": group})
    moved = Posterior(tree, scattered.card, scattered.reference, scattered.info)
    teacher = 2.0
    found = forecast(moved, "1B", "2T", teacher_loss=teacher)
    loss, alone = (found.draws[name][:, 0].to_numpy() for name in ("loss", "supervised"))
    (row,) = found.table.to_dict("records")
    assert row["p_beats_supervised"] == (loss < 1.01 * alone).mean()
    assert row["p_beats_supervised"] > (loss < alone).mean() + 0.2
    by_risk = risk(moved, "1B", "2T", teacher_loss=teacher).table
    assert by_risk["p_beats_supervised"].item() == row["p_beats_supervised"]


def test_other_columns_of_a_table_of_points_are_kept(scattered, tmp_path):
    points = pd.DataFrame(
        {
            "run": ["a", "b"],
            "params": ["1B", "3B"],
            "tokens": [1e11, 2e11],
            "owner": ["x", None],
            "gpu hours": [100, 200],
            "loss_mean": [9.0, 9.0],
        }
    )
    path = tmp_path / "points.csv"
    points.to_csv(path, index=False)
    for at in (points, path):
        result = forecast(scattered, at=at)
        assert result.other == ("run", "owner", "gpu hours")
        assert list(result.table.columns[-3:]) == ["run", "owner", "gpu hours"]
        assert (result.table["loss_mean"] < 9).all()
        rows = result.to_json()["rows"]
        assert [row["other"]["run"] for row in rows] == ["a", "b"]
        assert rows[1]["other"]["owner"] is None
    assert rows[0]["params"] == 1e9
    assert "other" not in forecast(scattered, "1B", "100B").to_json()["rows"][0]
