"""Discrepancies from a law: what each does to a loss, and what seen and new students have."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayes_distill.laws import LAWS, TABLE_6, Reference
from bayes_distill.posterior.discrepancy import (
    ConditionDiscrepancy,
    Discrepancy,
    correlation,
    discrepancies,
)

LAW, REFERENCE = LAWS["distillation"], Reference(5e8, 2e10, 2.4)
COORDINATES = LAW.from_published(TABLE_6, REFERENCE)
SIZES = np.array([1e8, 3e8, 1e9])
GENERATOR = np.random.default_rng(0)
DRAWS = 4000


def loss(teacher, **own):
    return np.asarray(
        LAW.distilled_loss({**COORDINATES, **own}, 2e8, 1e10, np.asarray(teacher), REFERENCE)
    )


def test_a_shift_is_the_same_under_every_teacher():
    teachers = np.linspace(1.8, 4.0, 12)
    found = loss(teachers, shift=0.01) - loss(teachers)
    np.testing.assert_allclose(found, 0.01 * REFERENCE.loss, rtol=1e-9)


def test_a_tilt_shows_under_strong_teachers_and_never_more_than_itself():
    teachers = np.linspace(1.8, 4.0, 12)
    found = (loss(teachers, tilt=0.01) - loss(teachers)) / REFERENCE.loss
    excess = (loss(teachers) - teachers) / REFERENCE.loss
    np.testing.assert_allclose(found, 0.01 * excess / (excess + 0.03), rtol=1e-6, atol=1e-12)
    assert found[0] > 0.0085
    assert found[-1] < 1e-4


def test_a_stretch_goes_on_growing_with_the_excess():
    teachers = np.linspace(1.8, 4.0, 12)
    found = (loss(teachers, stretch=0.01) - loss(teachers)) / REFERENCE.loss
    excess = (loss(teachers) - teachers) / REFERENCE.loss
    np.testing.assert_allclose(found, 0.01 * excess / (excess + 0.3), rtol=1e-6, atol=1e-12)


def test_a_place_moves_the_teacher_at_which_the_gap_opens():
    """As if the student reached another loss alone, and had the same capacity."""
    c = TABLE_6
    alone = c["E"] + (c["A"] / 2e8 ** c["alpha"] + c["B"] / 1e10 ** c["beta"]) ** c["gamma"]
    bracket = (c["A'"] / 2e8 ** c["alpha'"] + c["B'"] / 1e10 ** c["beta'"]) ** c["gamma'"]
    teachers = np.linspace(1.8, 4.0, 12)
    opens_at = alone * np.exp(0.05) * c["d1"]
    suppression = (1 + (teachers / opens_at) ** (1 / c["f1"])) ** (-c["c1"] * c["f1"])
    expected = teachers + teachers ** -c["c0"] * suppression * bracket
    np.testing.assert_allclose(loss(teachers, place=0.05), expected, rtol=1e-9)
    assert np.abs(loss(teachers, place=0.05) - loss(teachers)).max() > 0.01


def size_discrepancy(length: float, conditions: ConditionDiscrepancy | None = None) -> Discrepancy:
    seen = GENERATOR.standard_normal((DRAWS, 3))
    new = GENERATOR.standard_normal(DRAWS)
    return Discrepancy(np.log(SIZES), length, seen, np.full(DRAWS, 2.0), new, conditions)


def test_a_size_that_was_seen_keeps_what_it_has():
    each = size_discrepancy(1.0)
    np.testing.assert_allclose(each.at(SIZES), each.seen, atol=1e-3)


NOISE = 4 / np.sqrt(DRAWS)  # four standard errors of a correlation of nothing


@pytest.mark.parametrize("length", [0.15, 3.0])
def test_new_sizes_correlate_as_the_process_says(length):
    """30M and 20B have nothing in common, 30M and 33M much; with no size seen that is near."""
    each = size_discrepancy(length)
    far = Discrepancy(np.log([1e30]), length, each.seen[:, :1], each.scale, each.new)
    sizes = np.array([3e7, 3.3e7, 4.5e7, 3e8, 2e10])
    found = far.at(sizes)
    assert found.std(axis=0) == pytest.approx(2.0, rel=4 / np.sqrt(2 * DRAWS))
    stated = correlation(np.log(sizes), np.log(sizes), length)
    np.testing.assert_allclose(np.corrcoef(found.T), stated, atol=NOISE + 0.003)
    if length == 0.15:
        assert abs(np.corrcoef(found.T)[0, 4]) < NOISE


def test_given_seen_sizes_new_ones_have_the_mean_and_covariance_of_kriging():
    """With seen sizes fixed, the moments of the conditional distribution in closed form."""
    log_sizes, length, scale = np.log(SIZES), 1.0, 2.0
    seen = np.array([1.0, -2.0, 0.5])
    key = GENERATOR.standard_normal(DRAWS)
    each = Discrepancy(log_sizes, length, np.tile(seen, (DRAWS, 1)), np.full(DRAWS, scale), key)
    sizes = np.array([1.3e8, 5e8, 6e8, 2e9])
    across = correlation(log_sizes, np.log(sizes), length)
    solved = np.linalg.solve(correlation(log_sizes, log_sizes, length), across)
    prior = correlation(np.log(sizes), np.log(sizes), length)
    expected = scale**2 * (prior - across.T @ solved)
    sd = np.sqrt(np.diag(expected))
    found = each.at(sizes)
    # four standard errors of a mean and of a covariance
    np.testing.assert_allclose(found.mean(axis=0), seen @ solved, atol=4 * sd.max() / DRAWS**0.5)
    error = 4 * np.sqrt(np.outer(sd, sd) ** 2 + expected**2) / np.sqrt(DRAWS)
    assert (np.abs(np.cov(found.T) - expected) < error + 0.003 * scale**2).all()


def test_a_size_has_one_discrepancy_in_every_answer_and_after_thinning():
    each = size_discrepancy(0.5)
    alone = each.at(np.array([1e12]))[:, 0]
    among = each.at(np.array([1e9, 3e7, 1e12, 1e12]))
    np.testing.assert_allclose(among[:, 2], alone, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(among[:, 2], among[:, 3])
    thin = (slice(None, None, 5),)
    fewer = Discrepancy(
        each.log_sizes, 0.5, *(part[thin] for part in (each.seen, each.scale, each.new))
    )
    np.testing.assert_allclose(fewer.at(np.array([1e12]))[:, 0], alone[thin], rtol=1e-10)


def test_it_is_a_continuous_function_of_size():
    each = size_discrepancy(0.5)
    sizes = np.geomspace(5e7, 5e9, 2000)
    steps = np.diff(each.at(sizes)[:50], axis=1)
    # the slope of the process has a standard deviation of 2.0 sqrt(3) / 0.5 a unit of log size
    assert np.abs(steps).max() < 6 * 2.0 * np.sqrt(3) / 0.5 * np.log(100) / 2000


def test_between_sizes_it_lies_between_with_some_freedom():
    each = size_discrepancy(3.0)
    between = each.at(np.array([5.5e8]))[:, 0]
    known = np.linalg.lstsq(each.seen, between, rcond=None)
    left = between - each.seen @ known[0]
    assert (known[0][1:] > 0.3).all()
    assert 0 < left.std() < 1.0


def test_a_condition_that_was_seen_keeps_what_it_has_and_a_new_one_draws_its_own():
    points = np.log([[1e8, 2e9], [1e8, 2e10]])
    seen, new = GENERATOR.standard_normal((DRAWS, 2)), GENERATOR.standard_normal(DRAWS)
    special = ConditionDiscrepancy(points, seen, np.full(DRAWS, 0.5), new)
    each = size_discrepancy(1.0, special)
    plain = Discrepancy(each.log_sizes, each.length, each.seen, each.scale, each.new)
    params, tokens = np.full(3, 1e8), np.array([2e9, 2.001e10, 7e9])
    added = each.at(params, tokens) - plain.at(params)
    np.testing.assert_allclose(added[:, 0], seen[:, 0], atol=1e-3)
    np.testing.assert_allclose(added[:, 1], seen[:, 1], atol=0.1)  # tokens within 0.05%
    assert added[:, 2].std() == pytest.approx(0.5, rel=4 / np.sqrt(2 * DRAWS))
    assert np.abs(np.corrcoef(added.T)[2, :2]).max() < NOISE


def test_new_conditions_are_independent_and_each_has_one_number():
    points = np.log([[1e8, 2e9], [1e8, 2e10]])
    key = GENERATOR.standard_normal(DRAWS)
    special = ConditionDiscrepancy(points, np.zeros((DRAWS, 2)), np.full(DRAWS, 0.5), key)
    params = np.array([3e7, 3e7, 2e10, 3e7])
    tokens = np.array([1e9, 3e9, 1e9, 1e9])
    found = special.at(np.log(params), tokens)
    assert found.std(axis=0) == pytest.approx(0.5, rel=4 / np.sqrt(2 * DRAWS))
    apart = np.corrcoef(found[:, :3].T)[np.triu_indices(3, 1)]
    assert np.abs(apart).max() < NOISE
    np.testing.assert_array_equal(found[:, 0], found[:, 3])
    np.testing.assert_array_equal(special.at(np.log(params[1:2]), tokens[1:2])[:, 0], found[:, 1])


def test_what_only_conditions_have_is_read_without_sizes():
    dims = ("chain", "draw")
    place = GENERATOR.standard_normal((2, 5, 2))
    key = GENERATOR.standard_normal((2, 5))
    group = xr.Dataset(
        {
            "condition_place": ((*dims, "condition"), place),
            "condition_place_sd": (dims, np.full((2, 5), 1e-6)),
            "condition_place_new": (dims, key),
        },
        coords={
            "size": SIZES,
            "condition_params": ("condition", [1e8, 1e9]),
            "condition_tokens": ("condition", [2e9, 2e10]),
        },
    )
    found = discrepancies(group, [({"shift": 1.0, "tilt": 1.0}, slice(None))])
    assert set(found) == {"place"}
    at = found["place"].at(np.array([1e9, 3e8]), np.array([2e10, 2e10]))
    np.testing.assert_allclose(at[:, 0], place.reshape(10, 2)[:, 1], atol=1e-3)
    np.testing.assert_allclose(at[:, 1], 0.0, atol=1e-3)


@pytest.mark.parametrize("name", ["shift", "tilt", "stretch", "place"])
def test_a_posterior_of_the_default_card_has_all_four(name):
    from bayes_distill import load_posterior

    posterior = load_posterior("busbridge2025")
    own = posterior.discrepancies[name]
    assert own.seen.shape[0] == posterior.n_draws
    assert (own.conditions is not None) == (name in ("stretch", "place"))
    thin = posterior.thin(50)
    stride = -(-posterior.n_draws // 50)
    at = (np.array([2.5e8, 5.46e8]), np.array([2e10, 1.23e10]))
    np.testing.assert_allclose(thin.discrepancies[name].at(*at), own.at(*at)[::stride])
