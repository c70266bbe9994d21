"""Recipe against budget: what is on the plot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayes_distill.errors import InputError
from bayes_distill.plots.recipe_against_budget import recipe_against_budget

PAID = "teacher-pretraining-and-inference"


@pytest.fixture
def paid(made_up_plan):
    return made_up_plan.table[made_up_plan.table["scenario"] == PAID]


def test_recipe_panels_have_units_and_say_what_bands_are(made_up_plan, reads):
    axes = recipe_against_budget(made_up_plan, scenario=PAID)
    labels = [ax.get_ylabel() for ax in axes.flat]
    assert labels == [
        "non-embedding parameters",
        "tokens",
        "validation loss (nats per token)",
        "share (%)",
    ]
    assert all(ax.get_xlabel() == "budget (FLOPs)" for ax in axes[1])
    said = reads.legends(axes[0, 0].figure)
    assert "90% credible band, equal-tailed" in said
    assert "1B student, teacher-pretraining-and-inference" in said
    assert "outside the runs" in said


def test_recipe_lines_and_bands_are_the_plans(made_up_plan, paid, reads):
    sizes, tokens, losses, shares = recipe_against_budget(made_up_plan, scenario=PAID).flat
    for ax, label, line, spread, scale in (
        (sizes, "teacher", "recipe_teacher_params", "optimum_teacher_params", 1),
        (tokens, "student", "recipe_student_tokens", "optimum_student_tokens", 1),
        (tokens, "teacher", "recipe_teacher_tokens", "optimum_teacher_tokens", 1),
        (losses, "teacher", "recipe_teacher_loss", "optimum_teacher_loss", 1),
        (losses, "student", "loss_mean", "loss", 1),
        (shares, "teacher's logits", "share_logits", "optimum_share_logits", 100),
        (shares, "student's training", "share_student", "optimum_share_student", 100),
    ):
        x, y = reads.curve(ax, label)
        np.testing.assert_allclose(x, paid["budget"])
        np.testing.assert_allclose(y, scale * paid[line])
        _, lower, upper = reads.interval(ax, label)
        np.testing.assert_allclose(lower, scale * paid[f"{spread}_lower"])
        np.testing.assert_allclose(upper, scale * paid[f"{spread}_upper"])


def test_a_free_teacher_has_no_size(made_up_plan):
    free = made_up_plan.table.assign(recipe_teacher_params=np.nan, recipe_teacher_tokens=np.nan)
    axes = recipe_against_budget(replace(made_up_plan, table=free), scenario="best-case")
    for ax in axes[0]:
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["student"]
        assert "free" in "".join(t.get_text() for t in ax.texts)


def test_budgets_that_pay_for_no_recipe_are_left_out(made_up_plan, paid, reads):
    table = made_up_plan.table.copy()
    first = table["budget"] == table["budget"].min()
    numbers = table.select_dtypes("float").columns.drop(["budget", "params"])
    table.loc[first, numbers] = np.nan
    table["outside"] = np.where(first, np.nan, False).astype(object)
    axes = recipe_against_budget(replace(made_up_plan, table=table), scenario=PAID)
    x, y = reads.curve(axes[0, 1], "student")
    np.testing.assert_allclose(x, paid["budget"].iloc[1:])
    np.testing.assert_allclose(y, paid["recipe_student_tokens"].iloc[1:])
    assert "outside the runs" not in reads.legends(axes[0, 0].figure)


def test_an_unknown_at_its_limit_says_so(made_up_plan, reads):
    table = made_up_plan.table.assign(p_at_max_teacher_tokens=1.0)
    axes = recipe_against_budget(replace(made_up_plan, table=table), scenario=PAID)
    assert "teacher, at its limit" in reads.legends(axes[0, 0].figure)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t, ["scenario: name one of best-case, teacher-pretraining"]),
        (lambda t: t[t["budget"] == t["budget"].min()], ["scenario:", "budget:"]),
        (lambda t: t.assign(params=np.resize([1e9, 3e9], len(t))), ["scenario:", "params:"]),
    ],
)
def test_a_plan_of_too_much_or_too_little_is_refused(made_up_plan, change, named):
    with pytest.raises(InputError) as refused:
        recipe_against_budget(replace(made_up_plan, table=change(made_up_plan.table)))
    assert all(part in str(refused.value) for part in named)


def test_recipe_looks_as_it_did(made_up_plan, same_picture):
    axes = recipe_against_budget(made_up_plan, scenario=PAID)
    same_picture(axes[0, 0].figure, "recipe_against_budget")
