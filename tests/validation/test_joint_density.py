"""Joint densities of left-out runs, against closed forms, and how many draws they rest on."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bayes_distill.cards import load_card
from bayes_distill.laws import TABLE_6
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.discrepancy import correlation
from bayes_distill.predict.points import Points, of_frame
from bayes_distill.validation import joint_density
from bayes_distill.validation.joint_density import joint_log_density
from bayes_distill.validation.refit import score
from bayes_distill.validation.scores import joint_log_predictive
from posteriors import REFERENCE

DRAWS = 400
SPREAD = {
    "teacher_sd": 0.0012,
    "condition_sd": 0.0015,
    "shift_sd": 0.004,
    "condition_stretch_sd": 0.006,
}
SCALE, LENGTH = 0.0005, 0.15
SEEN = np.array([1e8, 3e8])
NEW = 6e8  # far from both, by the length
TEACHERS, TOKENS = (1.95, 2.05, 2.2, 2.4), (6e9, 1.2e10, 2.4e10, 6e10)
L0 = REFERENCE.loss


def fitted(family="normal"):
    """A posterior of one law in all draws, whose sizes, conditions and teachers share something."""
    card = load_card("busbridge2025")
    likelihood = card.likelihood.model_copy(update={"family": family})
    card = card.model_copy(update={"likelihood": likelihood})
    coefficients = {**TABLE_6, "G": 0.01, "X_G": 0.05}
    middle = card.scaling_law.from_published(coefficients, REFERENCE)
    generator, dims = np.random.default_rng(0), ("chain", "draw")
    values = {name: (dims, np.full((1, DRAWS), float(v))) for name, v in middle.items()}
    values |= {name: (dims, np.full((1, DRAWS), v)) for name, v in SPREAD.items()}
    values["scale"] = (dims, np.full((1, DRAWS), SCALE))
    for name in ("shift", "condition_stretch"):
        values[f"{name}_new"] = (dims, generator.standard_normal((1, DRAWS)))
    values["shift"] = ((*dims, "size"), np.tile([0.002, -0.003], (1, DRAWS, 1)))
    values["condition_stretch"] = ((*dims, "condition"), np.zeros((1, DRAWS, 1)))
    coords = {"size": SEEN, "condition_params": ("condition", [1e8])}
    coords["condition_tokens"] = ("condition", [2e9])
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(values, coords=coords)})
    return Posterior(tree, card, REFERENCE, {})


@pytest.fixture(scope="module")
def posterior():
    return fitted()


@pytest.fixture(scope="module")
def points():
    teacher, tokens = (grid.ravel() for grid in np.meshgrid(TEACHERS, TOKENS))
    return of_frame(
        pd.DataFrame({"params": NEW, "tokens": tokens, "teacher_loss": teacher, "loss": 1.0})
    )


def by_hand(posterior, points: Points):
    """Mean and covariance of the runs without noise, of the law and the numbers above."""
    law, coordinates = posterior.law, {k: v[0] for k, v in posterior.coordinates.items()}

    def loss(**own):
        return np.asarray(
            law.distilled_loss(
                {**coordinates, **own}, points.params, points.tokens, points.teacher_loss, REFERENCE
            )
        )

    across = correlation(np.log(SEEN), np.log([NEW]), LENGTH)
    solved = np.linalg.solve(correlation(np.log(SEEN), np.log(SEEN), LENGTH), across)[:, 0]
    left = 1 - across[:, 0] @ solved
    mean = loss() + L0 * (solved @ [0.002, -0.003])
    same_teacher = points.teacher_loss[:, None] == points.teacher_loss
    same_condition = points.tokens[:, None] == points.tokens
    stretch = (loss(stretch=0.01) - loss()) / (0.01 * L0)  # the law is linear in it
    covariance = (
        SPREAD["shift_sd"] ** 2 * left
        + SPREAD["teacher_sd"] ** 2 * same_teacher
        + SPREAD["condition_sd"] ** 2 * same_condition
        + SPREAD["condition_stretch_sd"] ** 2 * np.outer(stretch, stretch) * same_condition
    )
    return mean, L0**2 * covariance


@pytest.fixture(scope="module")
def losses(posterior, points):
    mean, covariance = by_hand(posterior, points)
    generator = np.random.default_rng(3)
    return generator.multivariate_normal(mean, covariance) + L0 * SCALE * generator.standard_normal(
        len(points)
    )


def test_with_normal_noise_it_is_the_closed_form(posterior, points, losses):
    mean, covariance = by_hand(posterior, points)
    exact = stats.multivariate_normal(mean, covariance + (L0 * SCALE) ** 2 * np.eye(len(points)))
    teacher = points.teacher_draws(posterior)
    found = joint_log_density(posterior, points, losses, teacher)
    np.testing.assert_allclose(found, exact.logpdf(losses), rtol=1e-6)


def test_it_rests_on_all_draws_where_drawn_effects_rest_on_a_few(posterior, points, losses):
    """By one set of effects a draw, the density is 50 nats and more too low here."""
    teacher = points.teacher_draws(posterior)
    total, draws = joint_log_predictive(joint_log_density(posterior, points, losses, teacher))
    assert draws == pytest.approx(DRAWS)
    drawn = joint_density._with_drawn_effects(posterior, points, losses, teacher, 0)
    low, few = joint_log_predictive(drawn)
    assert few < 5
    assert low < total - 50


def test_scores_of_a_refit_are_those(posterior, points, losses):
    frame = pd.DataFrame(
        {
            "params": points.params,
            "tokens": points.tokens,
            "teacher_loss": points.teacher_loss,
            "loss": losses,
        }
    )
    found = score(posterior, frame, levels=(0.9,))
    expected = joint_log_density(posterior, points, losses, points.teacher_draws(posterior))
    assert found["joint_lpd"] == pytest.approx(expected[0], rel=1e-6)
    assert found["joint_draws"] == pytest.approx(DRAWS)


def test_student_t_noise_of_many_degrees_of_freedom_is_nearly_normal(points, losses):
    """The closed form again, by the other way: with 4 degrees of freedom it is another density."""
    mean, covariance = by_hand(fitted(), points)
    exact = stats.multivariate_normal(mean, covariance + (L0 * SCALE) ** 2 * np.eye(len(points)))
    student = fitted("student_t")
    nearly = student.card.likelihood.model_copy(update={"degrees_of_freedom": 1e4})
    teacher = points.teacher_draws(student)
    found = {}
    for name, likelihood in (("nearly", nearly), ("t", student.card.likelihood)):
        card = student.card.model_copy(update={"likelihood": likelihood})
        one = Posterior(student.tree, card, REFERENCE, {})
        found[name] = joint_log_predictive(joint_log_density(one, points, losses, teacher))
    assert found["nearly"][0] == pytest.approx(exact.logpdf(losses), abs=0.1)
    assert found["nearly"][1] > 0.5 * DRAWS
    assert abs(found["t"][0] - found["nearly"][0]) > 0.2
    assert found["t"][1] > 0.2 * DRAWS


def test_runs_that_share_nothing_have_the_product_of_their_densities(scattered, points):
    teacher = points.teacher_draws(scattered)
    mean = scattered.distilled_loss(points.params, points.tokens, teacher)
    losses = mean[17] + 0.002
    apart = scattered.log_density(losses, mean, points.distilled).sum(axis=1)
    found = joint_log_density(scattered, points, losses, teacher)
    np.testing.assert_allclose(found, apart, rtol=1e-10)


def test_large_groups_take_fewer_draws(posterior, points, losses, monkeypatch):
    teacher = points.teacher_draws(posterior)
    whole = joint_log_density(posterior, points, losses, teacher)
    monkeypatch.setattr(joint_density, "WORK", DRAWS * len(points) ** 3 // 7 + 1)
    fewer = joint_log_density(posterior, points, losses, teacher)
    assert len(fewer) == len(whole[::7])
    np.testing.assert_allclose(fewer, whole[::7], rtol=1e-9)
