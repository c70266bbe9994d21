"""Distillation against supervised training: crossings, and the plot of them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.planning.plan import Plan
from bayes_distill.plots.distillation_against_supervised import (
    against_supervised,
    distillation_against_supervised,
)
from bayes_distill.predict.results.draws import Samples

PAID = "teacher-pretraining-and-inference"


@pytest.fixture
def paid(made_up_plan):
    return made_up_plan.table[made_up_plan.table["scenario"] == PAID]


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
    samples = {"supervised_loss": 2.0 + gain, "recipe_loss": np.full(gain.shape, 2.0)}
    empty = pd.DataFrame()
    draws = Samples(samples, np.zeros(len(gain), int))
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


def test_gain_has_its_own_band_and_the_crossover_one_upright(made_up_plan, paid, reads):
    compared = against_supervised(made_up_plan)
    top, bottom = distillation_against_supervised(compared)
    for ax, label, column in (
        (top, "supervised", "supervised"),
        (top, PAID, "loss"),
        (bottom, PAID, "improvement"),
    ):
        x, y = reads.curve(ax, label)
        np.testing.assert_allclose(x, paid["budget"])
        np.testing.assert_allclose(y, paid[f"{column}_mean"])
        _, lower, upper = reads.interval(ax, label)
        np.testing.assert_allclose(lower, paid[f"{column}_lower"])
        np.testing.assert_allclose(upper, paid[f"{column}_upper"])
    row = compared.crossings.set_index(["scenario", "direction"]).loc[(PAID, "starts")]
    for ax in (top, bottom):
        (span,) = ax.patches
        ends = span.get_x(), span.get_x() + span.get_width()
        np.testing.assert_allclose(ends, row[["budget_lower", "budget_upper"]].astype(float))


def test_legend_says_where_it_starts_to_pay_and_what_bands_are(made_up_plan, reads):
    top, bottom = distillation_against_supervised(against_supervised(made_up_plan))
    said = reads.legends(top.figure)
    assert "90% credible band, equal-tailed" in said
    assert "90% credible interval, equal-tailed" in said
    assert re.search(r"better above [\d.e]+ FLOPs\n\([\d.e]+ to [\d.e]+\)", said)
    assert "best-case\nno crossover between these budgets" in said
    assert top.get_ylabel() == "student loss (nats per token)"
    assert bottom.get_ylabel().startswith("gain (nats per token)")
    assert bottom.get_xlabel() == "budget (FLOPs)"


def test_distillation_against_supervised_looks_as_it_did(made_up_plan, same_picture):
    axes = distillation_against_supervised(against_supervised(made_up_plan))
    same_picture(axes[0].figure, "distillation_against_supervised")
