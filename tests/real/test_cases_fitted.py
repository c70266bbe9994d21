"""Sweeps that were once answered wrongly, fitted; see `cases` in the fixtures."""

from __future__ import annotations

import pytest

from bayes_distill import fit, plan
from bayes_distill.planning.words import plan_sentences

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ladder(cases):
    return fit(cases / "02_olmo_ladder.train.csv", "supervised-plain")


def test_each_draw_chooses_its_own_size(ladder):
    """Against the values that a program of somebody else found: regret 0.0049 (95%: 0.020) and
    tokens from 0.64T to 3.95T.

    A plan has 500 draws. Of that many independent ones out of 24,000, regrets were 0.0041 to
    0.0054 in 95 of 100 sets, their 95% point 0.0150 to 0.0210, and the ends of the tokens' interval
    0.59T to 0.67T and 3.07T to 3.94T; half as much again for draws that are not independent.
    """
    asked = {"budget": 1e23, "scenario": "supervised", "served_tokens": "1T", "flops": "6nd"}
    row = plan(ladder, **asked).table.iloc[0]
    assert row["regret_mean"] == pytest.approx(0.0047, abs=0.0010)
    assert row["regret_upper"] == pytest.approx(0.018, abs=0.0045)
    assert row["optimum_student_tokens_lower"] == pytest.approx(0.63e12, abs=0.06e12)
    assert row["optimum_student_tokens_upper"] == pytest.approx(3.49e12, abs=0.65e12)
    assert row["recipe_student_tokens"] == pytest.approx(1.3e12, rel=0.1)
    assert row["optimum_params_upper"] > 3 * row["optimum_params_lower"]


def test_a_supervised_fit_is_planned_without_a_size_or_a_scenario(ladder):
    found = plan(ladder, budget=1e23)
    row = found.table.iloc[0]
    assert found.table["scenario"].tolist() == ["supervised"]
    assert row["size_chosen"]
    assert row["optimum_params_lower"] < row["params"] < row["optimum_params_upper"]
    (said,) = plan_sentences(found.to_json())
    assert said.startswith("1e23 FLOPs (1.16K PF-days): without a teacher, a ")


def test_sampling_goes_on_by_itself_until_the_checks_pass(cases):
    found = fit(cases / "07_datablations_1epoch.train.csv", "supervised-plain")
    # or ends at the stated limit, and says so
    assert found.verdict == "pass" or found.info["extensions"] == 1
