"""The joint prior keeps its word about the losses it implies."""

import jax
import numpy as np
import pytest

from bayes_distill.cards.card import SupervisedPrior
from bayes_distill.inference.joint_prior import constrain, joint_prior, loss_unit_ratio
from bayes_distill.laws import TABLE_6, Reference, Supervised

LAW = Supervised()
HERE = Reference(params=5e8, tokens=2e10, loss=2.4)
FAR = Reference(params=1e10, tokens=1e12, loss=2.0)
# the paper's range, on a grid other than the one that the prior is made with
SIZES, RATIOS = (
    a.ravel() for a in np.meshgrid(np.geomspace(1.43e8, 1.26e10, 9), np.geomspace(10, 1000, 9))
)
TOKENS = SIZES * RATIOS


def table_6_losses():
    bracket = TABLE_6["A"] / SIZES ** TABLE_6["alpha"] + TABLE_6["B"] / TOKENS ** TABLE_6["beta"]
    return TABLE_6["E"] + bracket ** TABLE_6["gamma"]


def losses(built, reference, draws=4000, seed=0):
    """Supervised losses (draws, models) under the prior, in the unit of the reference loss."""
    z = np.random.default_rng(seed).standard_normal((draws, len(built.centre)))

    def of(vector):
        return LAW.supervised_loss(constrain(vector), SIZES, TOKENS, reference)

    return np.asarray(jax.jit(jax.vmap(of))(built.centre + z @ built.factor.T))


def spread(actual):
    """Root mean square over the models of the standard deviation of log losses."""
    return np.sqrt(np.log(actual).var(0).mean())


@pytest.mark.parametrize(
    ("loss_sd", "reference"),
    [
        pytest.param(0.001, HERE, id="0.001"),
        pytest.param(0.001, FAR, id="0.001 at the edge"),
        pytest.param(0.01, HERE, id="0.01"),
        pytest.param(0.05, HERE, id="0.05"),
    ],
)
def test_losses_vary_by_what_the_card_says(loss_sd, reference):
    built = joint_prior(SupervisedPrior(loss_sd=loss_sd), reference, 1.0)
    assert spread(losses(built, reference)) == pytest.approx(loss_sd, rel=0.25)


def test_a_wider_prior_is_wider():
    widths = [
        spread(losses(joint_prior(SupervisedPrior(loss_sd=sd), HERE, 1.0), HERE))
        for sd in (0.001, 0.003, 0.01, 0.03, 0.1)
    ]
    assert (np.diff(widths) > 0).all()


def test_the_named_range_is_where_losses_are_held():
    narrow = SupervisedPrior(params_range=(1e8, 1e9), tokens_per_param_range=(10, 50))
    inside = (SIZES < 1e9) & (RATIOS < 50)
    actual = np.log(losses(joint_prior(narrow, HERE, 1.0), HERE))
    assert actual[:, inside].std(0).max() < 0.5 * actual[:, ~inside].std(0).max()


@pytest.mark.parametrize("reference", [HERE, FAR], ids=["inside", "at the edge"])
@pytest.mark.parametrize("loss_sd", [0.001, 0.01, 0.05])
def test_the_prior_is_centred_on_table_6(loss_sd, reference):
    built = joint_prior(SupervisedPrior(loss_sd=loss_sd), reference, 1.0)
    at_centre = LAW.supervised_loss(constrain(built.centre), SIZES, TOKENS, reference)
    np.testing.assert_allclose(at_centre, table_6_losses(), rtol=1e-12)
    median = np.median(losses(built, reference), 0)
    assert np.abs(np.log(median / table_6_losses())).max() < loss_sd


def test_another_centre_is_used():
    chinchilla = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37, "gamma": 1.0}
    built = joint_prior(SupervisedPrior(centre=chinchilla), HERE, 1.0)
    expected = 1.8 + 480 / SIZES**0.35 + 2100 / TOKENS**0.37
    actual = LAW.supervised_loss(constrain(built.centre), SIZES, TOKENS, HERE)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


@pytest.mark.parametrize("loss_sd", [0.001, 0.02])
def test_the_losses_do_not_depend_on_the_reference(loss_sd):
    prior = SupervisedPrior(loss_sd=loss_sd)
    other = Reference(params=1.5e9, tokens=6e10, loss=2.1)
    one, two = (losses(joint_prior(prior, at, 1.0), at) for at in (HERE, other))
    assert spread(two) == pytest.approx(spread(one), rel=0.1)
    quantiles = [0.1, 0.5, 0.9]
    moved = np.log(np.quantile(two, quantiles, axis=0) / np.quantile(one, quantiles, axis=0))
    assert np.abs(moved).max() < 0.5 * loss_sd


# --- units -----------------------------------------------------------------------------------


def in_unit(ratio):
    return Reference(HERE.params, HERE.tokens, ratio * HERE.loss)


@pytest.mark.parametrize("ratio", [1 / np.log(2), 0.3])
def test_another_unit_moves_the_centre_with_it(ratio):
    built = joint_prior(SupervisedPrior(loss_sd=0.01), in_unit(ratio), ratio)
    assert built.unit_ratio == ratio
    actual = LAW.supervised_loss(constrain(built.centre), SIZES, TOKENS, in_unit(ratio))
    np.testing.assert_allclose(actual, ratio * table_6_losses(), rtol=1e-12)
    nats = joint_prior(SupervisedPrior(loss_sd=0.01), HERE, 1.0)
    np.testing.assert_allclose(built.centre, nats.centre, rtol=1e-12, atol=1e-12)


def test_another_unit_is_uncertain_by_unit_sd():
    prior = SupervisedPrior(loss_sd=0.001, unit_sd=0.05)
    actual = np.log(losses(joint_prior(prior, in_unit(0.3), 0.3), in_unit(0.3)))
    assert actual.std(0).mean() == pytest.approx(0.05, rel=0.05)
    # all losses move together: what is left when their mean is taken away is the shape
    shape = actual - actual.mean(1, keepdims=True)
    assert shape.std(0).max() < 0.005


def test_a_ratio_of_the_same_unit_leaves_the_prior_alone():
    prior = SupervisedPrior(loss_sd=0.01, same_unit_within=0.15)
    plain = joint_prior(prior, HERE, 1.0)
    for ratio in (0.86, 1.14):
        near = joint_prior(prior, HERE, ratio)
        assert near.unit_ratio == 1.0
        np.testing.assert_array_equal(near.centre, plain.centre)
        np.testing.assert_array_equal(near.factor, plain.factor)
    for ratio in (0.84, 1.16):
        other = joint_prior(prior, HERE, ratio)
        assert other.unit_ratio == ratio
        assert not np.allclose(other.centre, plain.centre)


def test_zero_tolerance_takes_every_ratio():
    assert joint_prior(SupervisedPrior(), HERE, 1.01).unit_ratio == 1.01


@pytest.mark.parametrize("ratio", [1.0, 1 / np.log(2), 0.3])
def test_the_ratio_of_units_is_read_off_the_runs(ratio):
    measured = ratio * table_6_losses()
    measured[::7] *= 1.5  # a few bad runs do not move a median
    actual = loss_unit_ratio(SupervisedPrior(), SIZES, TOKENS, measured)
    assert actual == pytest.approx(ratio, rel=1e-6)
