"""Pairs of teachers: which count, and how their forecasts are judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.validation.gap_pairs import (
    BINS,
    brier_scores,
    gap_pairs,
    reliability,
)

RUNS = pd.DataFrame(
    {
        "params": [1e9, 1.005e9, 1e9, 1e9, 1.2e9, 1e9],
        "tokens": [2e10, 2e10, 2.05e10, 2e10, 2e10, 2.5e10],
        "teacher_loss": [2.0, 2.2, 2.4, np.nan, 2.3, 2.3],
        "loss": [2.50, 2.46, 2.47, 2.6, 2.3, 2.3],
    },
    index=[10, 11, 12, 13, 14, 15],
)


def paired(mean: np.ndarray | None = None, runs: pd.DataFrame = RUNS, **options) -> pd.DataFrame:
    draws = np.tile(runs["loss"], (4, 1)) if mean is None else mean
    return pd.DataFrame(gap_pairs(runs, draws, draws, **options))


def test_only_runs_of_one_student_under_known_teachers_are_paired():
    pairs = paired()
    assert list(zip(pairs["stronger"], pairs["weaker"], strict=True)) == [
        (10, 11),
        (10, 12),
        (11, 12),
    ]
    assert pairs["teacher_gap"].tolist() == pytest.approx([-0.2, -0.4, -0.2])
    assert pairs["student_gap"].tolist() == pytest.approx([0.04, 0.03, -0.01])
    assert pairs["happened"].tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"teacher_apart": 0.3}, [(10, 12)]),
        ({"student_apart": 0.02}, [(10, 11), (10, 12)]),
        ({"student_apart": 0.035}, [(10, 11)]),
    ],
)
def test_teachers_and_students_that_are_close_do_not_count(limits, left):
    pairs = paired(**limits)
    assert list(zip(pairs["stronger"], pairs["weaker"], strict=True)) == left


def test_the_order_of_the_rows_does_not_matter():
    there, back = paired(), paired(runs=RUNS.iloc[::-1])
    key = ["stronger", "weaker"]
    pd.testing.assert_frame_equal(
        there.sort_values(key, ignore_index=True), back.sort_values(key, ignore_index=True)
    )


def test_both_students_are_taken_from_one_draw():
    # what is shared by the size moves both students far more than the teachers do
    shared = 0.1 * np.random.default_rng(0).standard_normal((2000, 1))
    mean = shared + np.array([2.50, 2.46, 2.47, 2.6, 2.3, 2.3])
    noise = 0.05 * np.random.default_rng(1).standard_normal(mean.shape)
    pairs = pd.DataFrame(gap_pairs(RUNS, mean, mean + noise))
    assert pairs["credible"].tolist() == [1, 1, 0]
    # normal differences of 0.04, 0.03 and -0.01 with a standard deviation of 0.05 sqrt 2
    assert pairs["predictive"].tolist() == pytest.approx([0.714, 0.664, 0.444], abs=0.03)


def test_supervised_runs_make_no_pairs():
    alone = RUNS.drop(columns="teacher_loss")
    pairs = paired(runs=alone)
    assert len(pairs) == 0
    assert np.isnan(list(brier_scores(pairs).values())).all()
    assert reliability(pairs)["pairs"].sum() == 0


def test_too_many_pairs_are_sampled_by_the_seed(monkeypatch):
    monkeypatch.setattr("bayes_distill.validation.gap_pairs.MOST_PAIRS", 2)
    chosen = [paired(seed=seed)[["stronger", "weaker"]].to_numpy().tolist() for seed in range(8)]
    assert all(len(pairs) == 2 for pairs in chosen)
    assert chosen[3] == paired(seed=3)[["stronger", "weaker"]].to_numpy().tolist()
    assert any(pairs != chosen[0] for pairs in chosen)


def judged(forecast, happened) -> pd.DataFrame:
    return pd.DataFrame({"credible": forecast, "predictive": forecast, "happened": happened})


def test_reliability_by_hand():
    table = reliability(
        judged([0.0, 0.05, 0.1, 0.2, 0.9, 1.0, 1.0], [False, True, False, True, True, True, False])
    )
    mine = table[table["band"] == "credible"]
    assert mine["pairs"].tolist() == [2, 2, 0, 0, 0, 3]
    assert mine["forecast"].tolist() == pytest.approx(
        [0.025, 0.15, np.nan, np.nan, np.nan, 2.9 / 3], nan_ok=True
    )
    assert mine["observed"].tolist() == pytest.approx(
        [0.5, 0.5, np.nan, np.nan, np.nan, 2 / 3], nan_ok=True
    )
    assert [*mine["lower"], 1.0] == list(BINS)


def test_an_overconfident_forecast_is_shown_as_such():
    generator = np.random.default_rng(0)
    honest = generator.uniform(0, 1, 20_000)
    happened = generator.uniform(0, 1, 20_000) < honest
    odds = np.log(honest / (1 - honest))
    bold = 1 / (1 + np.exp(-3 * odds))
    tables = [reliability(judged(p, happened)).iloc[:6] for p in (honest, bold)]
    off = [(t["observed"] - t["forecast"]).abs().max() for t in tables]
    assert off[0] < 0.03
    assert off[1] > 0.15
    scores = [brier_scores(judged(p, happened))["brier_predictive"] for p in (honest, bold)]
    assert scores[0] == pytest.approx(1 / 6, abs=0.005)  # the mean of p (1 - p)
    assert scores[1] > scores[0] + 0.02
