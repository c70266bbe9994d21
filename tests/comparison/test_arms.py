"""Arms of one table: what is compared, computed on made-up draws, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill.comparison.arms import arms
from bayes_distill.comparison.arms_card import arms_of
from bayes_distill.comparison.arms_pairs import crossing_factor, factor_at, paired_runs
from bayes_distill.comparison.arms_table import table_of_arms
from bayes_distill.comparison.arms_words import arms_sentence
from bayes_distill.errors import InputError
from bayes_distill.runs.checkpoints import NO_RUN, run_groups
from made_arms import TABLE, made_up_arms

POINT = "params=1B,tokens=20B"


def faults(table, by="mixture", at=POINT, **options):
    with pytest.raises(InputError) as error:
        arms(table, by, at, **options)
    return " | ".join(str(fault) for fault in error.value.faults)


@pytest.fixture(scope="module")
def made_up():
    return made_up_arms()


def test_a_pair_has_the_share_of_draws_the_gap_and_the_multiplier(made_up):
    answer = arms(made_up, at=POINT)
    (pair,) = answer.to_json()["pairs"]
    assert (pair["a"], pair["b"]) == ("code", "web")
    assert pair["p_a_better"] == pytest.approx(0.75)
    floor = 0.6 * 2.85
    wanted = -floor * (0.75 * np.expm1(0.05) + 0.25 * np.expm1(-0.02))
    assert pair["gap"]["mean"] == pytest.approx(wanted)
    assert pair["gap"]["lower"] == pytest.approx(-floor * np.expm1(0.05))
    # both fall as compute to the power 0.15: web makes up for its floor
    curve = 0.4 * 2.85
    here = curve * (1e9 / 3e8) ** -0.3 / 2 + curve * (20e9 / 6e9) ** -0.3 / 2
    needed = (1 - floor * np.expm1(0.05) / here) ** (-1 / 0.15)
    assert pair["compute_multiplier"]["median"] == pytest.approx(needed, rel=0.01)
    assert pair["crossing"]["p_none"] == 1.0
    assert pair["crossing"]["flops"]["median"] is None
    assert [arm["runs"] for arm in answer.to_json()["arms"]] == [6, 6]


def test_several_points_make_several_rows(made_up):
    table = arms(made_up, at=[POINT, {"params": 1e10, "tokens": 2e11}]).table
    assert table["params"].tolist() == [1e9, 1e10]
    assert table["multiplier_median"].is_monotonic_increasing


def test_a_multiplier_is_where_the_curve_reaches_the_loss():
    factors = np.geomspace(0.01, 100, 41)
    curves = np.stack([2 * factors**-0.1, 3 * factors**-0.1, 1 + factors**-0.1])
    found = factor_at(curves, np.array([1.8, 1.0, 5.0]), factors)
    assert found[0] == pytest.approx((2 / 1.8) ** 10, rel=0.01)
    assert found[1] == np.inf
    assert found[2] == 0.0


def test_a_crossing_is_the_nearest_change_of_sign():
    factors = np.geomspace(0.01, 100, 41)
    gaps = np.stack([np.log(factors / 5.0), np.ones(41)])
    found = crossing_factor(gaps, factors)
    assert found[0] == pytest.approx(5.0)
    assert np.isnan(found[1])


def test_arms_with_other_validation_sets_are_refused_unless_told():
    other = TABLE.assign(**{"val set": ["c4", "pile"] * 6})
    assert "different validation sets" in faults(other)
    runs, names = table_of_arms(other, "mixture", True, [])
    assert names == ["code", "web"]
    np.testing.assert_array_equal(runs.frame["arm_0"] + runs.frame["arm_1"], 1.0)


@pytest.mark.parametrize(
    ("table", "options", "problem"),
    [
        (TABLE, {"by": None}, "by: is needed"),
        (TABLE, {"by": "recipe"}, "there is no column recipe (there are mixture, val set)"),
        (TABLE, {"at": None}, "at: is needed"),
        (TABLE, {"at": "params=1B"}, "is not params=SIZE,tokens=NUMBER"),
        (TABLE, {"at": "params=1B,tokens=many"}, "at: "),
        (TABLE.assign(mixture="web"), {}, "names 1 arm: two are needed"),
        (TABLE.iloc[[0, 1, 2, 4]], {}, "code (1) have fewer than 3 runs each"),
        (TABLE.assign(mixture=[None, *["a", "b"] * 5, "a"]), {}, "row 0, mixture: is empty"),
    ],
)
def test_what_cannot_be_compared_is_refused(table, options, problem):
    assert problem in faults(table, **options)


def test_a_fit_of_arms_needs_no_column_and_others_are_refused(made_up, chinchilla_point):
    assert arms_of(made_up.card) == ["code", "web"]
    assert "is for a table" in faults(made_up)
    with pytest.raises(InputError, match="is no fit of arms"):
        arms(chinchilla_point, at=POINT)


def test_runs_of_one_size_tokens_and_seed_are_pairs():
    frame = pd.DataFrame({"params": [1e8, 1e8, 1e8, 1e8, 3e8], "tokens": [2e9] * 5})
    arm = pd.Series(["web", "code", "web", "code", "web"])
    assert paired_runs(frame, arm, [1, 1, 2, 3, 1]).tolist() == ["pair 0", "pair 0", *[None] * 3]
    # without seeds the first runs of a place are, and a second one of an arm is not
    assert paired_runs(frame, arm).tolist() == ["pair 0", "pair 0", None, None, None]


def test_pairs_share_their_luck_in_the_model():
    runs, _ = table_of_arms(
        TABLE.assign(params=np.repeat(TABLE["params"].to_numpy()[::2], 2), tokens=2e9),
        "mixture",
        False,
        [],
    )
    assert (run_groups(runs.frame) != NO_RUN).sum() == 6


def test_the_run_that_tells_most_is_the_one_whose_loss_moves_with_the_gap(made_up):
    (pair,) = arms(made_up, at=POINT).to_json()["pairs"]
    told = pair["telling_run"]
    assert told["arm"] == "web"  # code's loss is the same in every draw
    assert told["params"] * told["tokens"] <= 0.11 * 1e9 * 20e9
    # the gap is web's floor but for its sign, and noise is small
    assert told["explained"] == pytest.approx(1.0, abs=0.02)
    gap = np.where(np.arange(200) % 4 == 0, np.expm1(-0.02), np.expm1(0.05))
    assert told["needed"] == pytest.approx(gap.mean() / gap.std(), rel=0.02)


def test_the_better_arm_is_named_first_with_what_would_change_that(made_up):
    row = arms(made_up, at=POINT).table.to_dict("records")[0]
    said = arms_sentence(row, "90%")
    assert "code is better than web with probability 0.75, by 0.0" in said
    assert "told by a run of web" in said
    turned = row | {
        "a": "web",
        "b": "code",
        "p_a_better": 1 - row["p_a_better"],
        "gap_mean": -row["gap_mean"],
        "gap_lower": -row["gap_upper"],
        "gap_upper": -row["gap_lower"],
    }
    assert arms_sentence(turned, "90%") == said
