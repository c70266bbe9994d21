"""Lists of candidate teachers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import integrate, stats

from bayes_distill import plan
from bayes_distill.cards import load_card
from bayes_distill.compute import FLOPS
from bayes_distill.errors import InputError
from bayes_distill.laws import TABLE_6
from bayes_distill.posterior import Posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.teachers import read_teachers
from posteriors import synthetic_posterior


def cells_at_fault(error: pytest.ExceptionInfo[InputError]) -> list[tuple[int | None, str | None]]:
    return [(fault.row, fault.column) for fault in error.value.faults]


def test_reads_losses_errors_and_sizes_from_a_file(tmp_path):
    path = tmp_path / "teachers.csv"
    path.write_text("name,loss,loss_se,params,tokens\nsmall,2.4,0.01,,\nlarge,,,7B,140B\n")
    teachers = read_teachers(path)
    assert teachers.names == ("small", "large")
    np.testing.assert_array_equal(teachers.loss, [2.4, np.nan])
    np.testing.assert_array_equal(teachers.loss_se, [0.01, 0.0])
    np.testing.assert_array_equal(teachers.params, [np.nan, 7e9])
    np.testing.assert_array_equal(teachers.tokens, [np.nan, 1.4e11])


def test_columns_may_be_named_as_in_a_table_of_runs():
    frame = pd.DataFrame({"Teacher": ["a"], "Teacher_Loss": [2.1], "teacher_loss_se": [0.02]})
    teachers = read_teachers(frame)
    assert teachers.names == ("a",)
    assert teachers.loss[0] == 2.1
    assert teachers.loss_se[0] == 0.02


def test_teachers_without_a_name_are_numbered_and_read_teachers_pass_through():
    teachers = read_teachers(pd.DataFrame({"name": ["a", None], "loss": [2.1, 2.2]}))
    assert teachers.names == ("a", "teacher 1")
    assert read_teachers(teachers) is teachers


def test_every_faulty_cell_is_named():
    frame = pd.DataFrame(
        {
            "name": list("abcdefg"),
            "loss": [2.1, "abc", -1, 300, None, None, 0],
            "loss_se": [-0.1, None, None, None, None, None, None],
            "params": [None, None, None, None, "7", "7B", None],
            "tokens": [None, None, None, None, "1B", None, None],
        }
    )
    with pytest.raises(InputError) as error:
        read_teachers(frame)
    assert cells_at_fault(error) == [
        (0, "loss_se"),
        (1, "loss"),
        (2, "loss"),
        (3, "loss"),
        (4, "params"),
        (5, "loss"),
        (6, "loss"),
    ]


@pytest.mark.parametrize("columns", [{"name": ["a"]}, {"name": ["a"], "params": [7e9]}])
def test_a_list_that_says_nothing_of_losses_is_refused(columns):
    with pytest.raises(InputError, match="neither a column 'loss' nor"):
        read_teachers(pd.DataFrame(columns))


def test_measured_losses_scatter_by_their_error_and_others_come_from_the_law(scattered, plain):
    teachers = read_teachers(
        pd.DataFrame(
            {
                "loss": [2.1, 2.1, np.nan],
                "loss_se": [0.0, 0.02, np.nan],
                "params": [np.nan, np.nan, 7e9],
                "tokens": [np.nan, np.nan, 1.4e11],
            }
        )
    )
    draws = teachers.loss_draws(scattered, seed=3)
    assert draws.shape == (scattered.n_draws, 3)
    assert (draws[:, 0] == 2.1).all()
    # 2000 draws: four standard errors
    assert draws[:, 1].mean() == pytest.approx(2.1, abs=4 * 0.02 / np.sqrt(2000))
    assert draws[:, 1].std() == pytest.approx(0.02, rel=4 / np.sqrt(4000))
    np.testing.assert_allclose(
        draws[:, 2], plain.supervised(scattered.published, 7e9, 1.4e11), rtol=1e-9
    )
    np.testing.assert_array_equal(draws, teachers.loss_draws(scattered, seed=3))
    assert (draws[:, 1] != teachers.loss_draws(scattered, seed=4)[:, 1]).any()


EFFECT = 0.0012  # of the reference loss, which is 2.4
NOISE = 0.0025


@pytest.fixture(scope="module")
def with_effects(scattered):
    """The same law in all draws: teachers differ by what the law says, and by their effects."""
    group = scattered.tree["posterior"].dataset
    fixed = group.map(lambda v: v * 0 + v.isel(chain=0, draw=0))
    fixed["scale"] = fixed["scale"] * 0 + NOISE
    fixed["teacher_sd"] = fixed["scale"] * 0 + EFFECT
    tree = xr.DataTree.from_dict({"posterior": fixed})
    return Posterior(tree, scattered.card, scattered.reference, {})


def p_lowest(middle, sd):
    """Probability that each of independent normal numbers is the least of all."""

    def density(x, i):
        others = np.delete(middle, i)
        return stats.norm.pdf(x, middle[i], sd) * stats.norm.sf(x, others, sd).prod()

    ends = middle.min() - 8 * sd, middle.max() + 8 * sd
    points = sorted(middle)
    return [
        integrate.quad(density, *ends, (i,), points=points, limit=200)[0]
        for i in range(len(middle))
    ]


LISTED = pd.DataFrame({"name": ["a", "b", "c"], "loss": [2.25, 2.3, 2.36]})
STUDENT = (198e6, 4.9e9)


def test_the_best_of_three_teachers_is_as_uncertain_as_their_effects(with_effects):
    found = risk(with_effects, *STUDENT, teachers=LISTED).teachers.set_index("name")
    middle = with_effects.distilled_loss(
        np.full(3, STUDENT[0]), np.full(3, STUDENT[1]), LISTED["loss"].to_numpy()
    )[0]
    expected = p_lowest(middle, EFFECT * 2.4)
    assert 0.3 < max(expected) < 0.9  # by the mean curves alone one would be the best for certain
    draws = with_effects.n_draws
    for name, p in zip("abc", expected, strict=True):
        assert found.loc[name, "p_best"] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / draws))
    budget = 3 * FLOPS["eq69"].forward_flops(STUDENT[0]) * STUDENT[1]
    planned = plan(
        with_effects,
        STUDENT[0],
        budget,
        scenario="best-case",
        teachers=LISTED,
        crossovers=False,
        teacher_range=False,
        draws=draws,
    ).teachers.set_index("name")
    np.testing.assert_allclose(planned["p_best"], found.loc[planned.index, "p_best"])


def test_a_teacher_has_one_effect_in_a_draw_whatever_is_asked_with_it(with_effects):
    listed = read_teachers(LISTED)
    effects = listed.effects(with_effects)
    assert effects.std(axis=0) == pytest.approx(EFFECT * 2.4, rel=4 / np.sqrt(4000))
    apart = np.corrcoef(effects.T)[np.triu_indices(3, 1)]
    assert np.abs(apart).max() < 4 / np.sqrt(2000)
    turned = read_teachers(LISTED.iloc[[2, 0]])
    np.testing.assert_array_equal(turned.effects(with_effects), effects[:, [2, 0]])
    many = synthetic_posterior(load_card("busbridge2025-plain"), TABLE_6, draws=80)
    draws = many.tree["posterior"].dataset
    with_sd = draws.assign(teacher_sd=draws["scale"])
    many = Posterior(xr.DataTree.from_dict({"posterior": with_sd}), many.card, many.reference, {})
    np.testing.assert_array_equal(listed.effects(many.thin(20)), listed.effects(many)[::4])


def test_two_teachers_of_one_loss_are_two(with_effects):
    twins = read_teachers(pd.DataFrame({"name": ["a", "b"], "loss": [2.3, 2.3]}))
    effects = twins.effects(with_effects)
    assert abs(np.corrcoef(effects.T)[0, 1]) < 4 / np.sqrt(2000)


def test_without_effects_in_the_model_there_are_none(scattered):
    assert (read_teachers(LISTED).effects(scattered) == 0).all()


def test_a_teacher_known_by_size_scatters_as_a_supervised_run(with_effects):
    frame = pd.DataFrame({"loss": [2.3, None], "params": [None, 7e9], "tokens": [None, 1.4e11]})
    listed = read_teachers(frame)
    curve, run = listed.loss_draws(with_effects, 0), listed.run_losses(with_effects, 0)
    np.testing.assert_array_equal(run[:, 0], curve[:, 0])
    assert curve[:, 1].std() < 1e-12
    # a Student t with four degrees of freedom, in nats
    residual = (run[:, 1] - curve[:, 1]) / (NOISE * 2.4)
    assert stats.kstest(residual, stats.t(4).cdf).pvalue > 1e-3
    np.testing.assert_array_equal(run, listed.run_losses(with_effects, 0))
