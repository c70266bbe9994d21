"""The smooth discrepancy of a law: nothing at the reference, a random walk of exponents away."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from bayes_distill.laws import LAWS, Reference
from bayes_distill.laws.smooth_discrepancy import (
    EDGES,
    LOG_DISCREPANCY,
    SMOOTH,
    STUDENT_SMOOTH,
    STUDENT_WEIGHTS,
    WEIGHTS,
    basis,
    student_basis,
)

CHINCHILLA = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
AT = Reference(params=1e9, tokens=2e10, loss=2.5)


def weights(count: int, seed: int = 0, draws: int = 4000) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((draws, count))


def test_value_and_slopes_are_zero_at_the_reference():
    assert np.all(basis(0.0, 0.0) == 0)
    for slope in jax.jacfwd(basis, argnums=(0, 1))(0.0, 0.0):
        np.testing.assert_allclose(slope, 0, atol=1e-15)
    # at the typical law's loss of the reference model a teacher is of middling strength
    assert np.all(student_basis(0.0, 0.0, 0.0) == 0)


@pytest.mark.parametrize("distance", EDGES[1:])
def test_one_direction_has_the_variance_of_an_integrated_wiener_process(distance):
    # of the four directions the first two are blind to a step along the other; at an edge of the
    # pieces the variance of the piecewise constant process is a sum over whole pieces
    along = np.asarray(basis(distance, 0.0))[: WEIGHTS // 4]
    exact = distance**3 / 3
    assert (along**2).sum() == pytest.approx(exact, rel=0.26 if distance < 1 else 0.1)


def test_a_draw_is_one_smooth_function_of_the_point():
    w = weights(WEIGHTS, draws=1)[0]
    x = np.linspace(-8, 8, 4001)
    value = np.asarray(basis(x, 0.3 * x)) @ w
    slope = np.gradient(value, x)
    assert np.abs(np.diff(slope)).max() < 0.05  # no kink, though the second derivative jumps


@pytest.mark.parametrize("name", LAWS)
def test_every_law_multiplies_its_supervised_loss(name):
    law = LAWS[name]
    generator = np.random.default_rng(1)
    c = {each.name: generator.uniform(0.2, 0.6, 3)[:, None] for each in law.coordinates}
    n, d = np.array([1e8, 1e9, 3e10, 1e9]), np.array([1e9, 2e10, 1e12, 1e13])
    w = 0.01 * weights(WEIGHTS, draws=3)
    plain = law.supervised_loss(c, n, d, AT)
    delta = w @ np.asarray(basis(np.log(n / AT.params), np.log(d / AT.tokens))).T
    for given in ({SMOOTH: w[:, None, :]}, {LOG_DISCREPANCY: delta}):
        found = law.supervised_loss({**c, **given}, n, d, AT)
        np.testing.assert_allclose(found, plain * np.exp(delta), rtol=1e-12)
    assert np.abs(delta[:, 1]).max() == 0
    assert np.abs(delta[:, 2]).min() > 1e-3


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.has_teacher])
def test_the_excess_of_a_student_has_one_of_its_own(name):
    law = LAWS[name]
    generator = np.random.default_rng(2)
    c = {each.name: generator.uniform(0.2, 0.6, 3)[:, None] for each in law.coordinates}
    n, d, t = np.array([1e8, 1e9]), np.array([1e9, 2e10]), np.array([2.9, 2.1])
    w = 0.01 * weights(STUDENT_WEIGHTS, draws=3)
    at = student_basis(np.log(n / AT.params), np.log(d / AT.tokens), np.log(t / AT.loss))
    plain = law.log_excess_loss(c, n, d, t, AT)
    found = law.log_excess_loss({**c, STUDENT_SMOOTH: w[:, None, :]}, n, d, t, AT)
    np.testing.assert_allclose(found - plain, w @ np.asarray(at).T, atol=1e-12)


def test_a_wrong_law_of_the_student_alone_moves_where_the_gap_opens():
    law = LAWS["distillation"]
    generator = np.random.default_rng(3)
    c = {each.name: generator.uniform(0.2, 0.6) for each in law.coordinates}
    plain = law.distilled_loss(c, 1e8, 1e9, 2.2, AT)
    assert law.distilled_loss({**c, LOG_DISCREPANCY: 0.05}, 1e8, 1e9, 2.2, AT) != plain
