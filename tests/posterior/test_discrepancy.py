"""Discrepancies from a law: what each does to a loss, and what seen and new students have."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayes_distill.laws import LAWS, TABLE_6, Reference
from bayes_distill.posterior.discrepancy import ConditionDiscrepancy, Discrepancy, discrepancies

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


def test_a_far_size_has_a_discrepancy_of_its_own_the_same_in_every_answer():
    each = size_discrepancy(0.5)
    far = each.at(np.array([1e12]))[:, 0]
    np.testing.assert_allclose(far, 2.0 * each.new, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(each.at(np.array([1e9, 1e12]))[:, 1], far)


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
    np.testing.assert_allclose(added[:, 2], 0.5 * new, atol=1e-3)
    # without tokens: a condition that nobody has seen
    np.testing.assert_allclose((each.at(params) - plain.at(params))[:, 0], 0.5 * new)


def test_what_only_conditions_have_is_read_without_sizes():
    dims = ("chain", "draw")
    place = GENERATOR.standard_normal((2, 5, 2))
    group = xr.Dataset(
        {
            "condition_place": ((*dims, "condition"), place),
            "condition_place_sd": (dims, np.ones((2, 5))),
            "condition_place_new": (dims, np.zeros((2, 5))),
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
