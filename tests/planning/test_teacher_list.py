"""A user's teachers, ranked: what each costs, how often each is best, what a wrong choice costs."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill import plan
from bayes_distill.compute import FLOPS
from bayes_distill.errors import InputError
from bayes_distill.planning import Limits
from bayes_distill.predict.teachers import read_teachers

EQ69 = FLOPS["eq69"]
BUDGETS = (1e21, 1e22)
BOTH = "teacher-pretraining-and-inference"
LIST = pd.DataFrame(
    {
        "name": ["small", "measured", "large", "vast"],
        "loss": [np.nan, 2.15, np.nan, 1.9],
        "loss_se": [np.nan, 0.01, np.nan, np.nan],
        "params": [3e8, 1e9, 7e9, 1e12],
        "tokens": [3e10, 3e10, 1e11, 2e13],
    }
)


def ranked(posterior, scenario, teachers=LIST, **more):
    asked = {"crossovers": False, "scenario": scenario, "teachers": teachers}
    return plan(posterior, 1e9, BUDGETS, **asked, **more).teachers


@pytest.fixture(scope="module")
def paid(posterior):
    return ranked(posterior, BOTH)


def test_students_get_the_tokens_that_are_left(paid, posterior, plain):
    assert len(paid) == 8
    measured = 2.15 + 0.01 * np.random.default_rng([0, 1]).standard_normal((128, 4))[:, 1]
    # those known by size and tokens are runs, about the supervised curve
    of_runs = dict(zip(LIST["name"], read_teachers(LIST).run_losses(posterior, 0).T, strict=True))
    for r in paid[paid["affordable"]].to_dict("records"):
        one = LIST[LIST["name"] == r["name"]].iloc[0]
        model = EQ69.forward_flops(one["params"])
        rest = r["budget"] - 3 * model * one["tokens"]
        tokens = rest / (3 * EQ69.forward_flops(1e9) + model)
        assert r["student_tokens"] == pytest.approx(tokens, rel=1e-12)
        teacher = of_runs[r["name"]]
        if r["name"] == "measured":
            np.testing.assert_array_equal(teacher, measured)
        else:
            curve = plain.supervised(posterior.published, one["params"], one["tokens"])
            assert np.abs(teacher - curve).max() < 20 * 0.001 * posterior.reference.loss
        loss = plain.distilled(posterior.published, 1e9, tokens, teacher)
        assert r["teacher_loss"] == pytest.approx(np.mean(teacher), rel=1e-9)
        assert r["loss_mean"] == pytest.approx(loss.mean(), rel=1e-9)
        assert r["loss_lower"] == pytest.approx(np.quantile(loss, 0.05), rel=1e-9)
        own = r["budget"] / (3 * EQ69.forward_flops(1e9))
        alone = plain.supervised(posterior.published, 1e9, own)
        assert r["p_beats_supervised"] == (loss < alone).mean()


def test_the_best_comes_first_and_what_is_not_affordable_last(paid):
    for _, part in paid.groupby("budget"):
        can = part[part["affordable"]]
        assert part["affordable"].tolist() == sorted(part["affordable"], reverse=True)
        assert can["loss_mean"].is_monotonic_increasing
        assert part["p_best"].sum() == pytest.approx(1, abs=1e-12)
        cannot = part[~part["affordable"]]
        assert "vast" in cannot["name"].tolist()
        assert (cannot["p_best"] == 0).all()
        assert cannot[["student_tokens", "loss_mean", "regret_mean"]].isna().all(axis=None)


def test_regret_is_what_a_wrong_choice_costs(paid):
    for _, part in paid[paid["affordable"]].groupby("budget"):
        assert (part["regret_mean"] >= 0).all()
        assert (part["regret_upper"] >= part["regret_mean"]).all() or len(part) == 1
        # the difference of regrets is the difference of losses: both are against the same best
        np.testing.assert_allclose(
            part["regret_mean"] - part["regret_mean"].iloc[0],
            part["loss_mean"] - part["loss_mean"].iloc[0],
            atol=1e-12,
        )
        sure = part["p_best"] == 1
        assert (part.loc[sure, "regret_mean"] == 0).all()


def test_a_free_teacher_needs_a_loss_only(posterior):
    teachers = pd.DataFrame({"teacher": ["a", "b", "c"], "loss": [2.4, 2.03, 1.7]})
    found = ranked(posterior, "best-case", teachers)
    assert found["affordable"].all()
    assert found["name"].iloc[0] == "b"  # neither the weakest nor the strongest
    assert found["p_best"].groupby(found["budget"]).sum().tolist() == [1, 1]


def test_missing_sizes_are_refused_with_row_and_column(posterior):
    teachers = pd.DataFrame(
        {"name": ["a", "b"], "loss": [2.1, 2.2], "params": [np.nan, 1e9], "tokens": [1e10, np.nan]}
    )
    with pytest.raises(InputError) as caught:
        ranked(posterior, BOTH, teachers)
    assert [(f.row, f.column) for f in caught.value.faults] == [(0, "params"), (1, "tokens")]
    assert f"{BOTH} charges for params, which teacher a lacks" in str(caught.value)
    with pytest.raises(InputError) as caught:
        ranked(posterior, "teacher-inference", teachers)
    assert [(f.row, f.column) for f in caught.value.faults] == [(0, "params")]


@pytest.mark.parametrize(
    ("teachers", "named"),
    [
        (pd.DataFrame({"name": ["a"]}), "a teacher without a loss cannot be judged"),
        (pd.DataFrame({"name": ["a"], "params": [1e9]}), "neither a column 'loss' nor"),
        (pd.DataFrame({"loss": [2.1, np.nan]}), "row 1, loss: has no loss"),
        (pd.DataFrame({"loss": []}), "no rows"),
        ("gone.csv", "gone.csv: there is no such file"),
    ],
)
def test_a_list_without_losses_is_refused(posterior, teachers, named):
    with pytest.raises(InputError, match=named) as caught:
        ranked(posterior, "best-case", teachers)
    assert len(caught.value.faults) == 1


def test_if_none_is_affordable_it_says_what_the_cheapest_takes(posterior):
    with pytest.raises(InputError, match="pay for none of these teachers") as caught:
        ranked(posterior, BOTH, LIST.tail(1))
    least = float(str(caught.value).split("the cheapest takes ")[1])
    assert least == pytest.approx(3 * EQ69.forward_flops(1e12) * 2e13, rel=0.01)


def test_limits_and_serving_hold_for_lists_too(posterior):
    most = ranked(posterior, "best-case", limits=Limits(max_tokens=5e10))
    assert (most["student_tokens"] == 5e10).all()
    served = ranked(posterior, "best-case", served_tokens=1e10)
    tokens = (np.array(BUDGETS) / EQ69.forward_flops(1e9) - 1e10) / 3
    np.testing.assert_allclose(np.sort(served["student_tokens"].unique()), tokens)


def test_supervised_training_ranks_no_teachers(posterior):
    assert ranked(posterior, "supervised").empty
