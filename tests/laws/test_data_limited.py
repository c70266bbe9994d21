"""Limits of the data-limited law, and what its authors say of it."""

import numpy as np
import pytest

from bayes_distill.laws import LAWS, MUENNIGHOFF, Reference

LAW, CHINCHILLA = LAWS["data-limited"], LAWS["chinchilla"]
REFERENCE = Reference(params=5e8, tokens=1.5e10, loss=2.4)
COORDINATES = LAW.from_published(MUENNIGHOFF, REFERENCE)


def loss(params, tokens, unique=None, **changes):
    return np.asarray(
        LAW.supervised_loss({**COORDINATES, **changes}, params, tokens, REFERENCE, unique)
    )


def chinchilla(params, tokens):
    return np.asarray(CHINCHILLA.supervised_loss(COORDINATES, params, tokens, REFERENCE))


def fed(tokens):
    """Parameters with which the compute is best spent, by trying."""
    params = np.geomspace(1e6, 1e13, 200_001)
    return params[chinchilla(params, tokens * (best := fed_by(tokens)) / params).argmin()], best


def fed_by(tokens):
    c = MUENNIGHOFF
    ratio = c["alpha"] * c["A"] / (c["beta"] * c["B"]) * tokens ** c["beta"]
    return ratio ** (1 / c["alpha"])


def test_new_tokens_are_chinchillas_as_long_as_they_feed_the_model():
    tokens = np.geomspace(1e9, 1e13, 9)
    tried, best = fed(3e10)
    assert tried == pytest.approx(best, rel=1e-3)
    params = np.array([[0.01], [0.3], [0.999]]) * fed_by(tokens)
    np.testing.assert_allclose(loss(params, tokens), chinchilla(params, tokens), rtol=1e-12)
    for more in (1, 3, 1e6):  # a larger supply of data changes nothing
        np.testing.assert_array_equal(loss(params, tokens, more * tokens), loss(params, tokens))
    # beyond that parameters lose worth, without a step
    assert loss(10 * fed_by(1e10), 1e10) > chinchilla(10 * fed_by(1e10), 1e10) + 0.01
    step = loss(fed_by(1e10) * (1 + 1e-4), 1e10) / chinchilla(fed_by(1e10) * (1 + 1e-4), 1e10)
    assert step == pytest.approx(1, abs=1e-8)


def test_repeats_without_wear_are_chinchillas():
    params, tokens = np.geomspace(1e7, 1e11, 5)[:, None], np.geomspace(1e10, 1e12, 5)
    found = loss(params, tokens, 1e9, repeats_tokens=1e12, repeats_params=1e12)
    np.testing.assert_allclose(found, chinchilla(params, tokens), rtol=1e-6)


def test_endless_training_on_the_same_tokens_saturates():
    unique, params = 1e10, 1e8
    worth = unique * (1 + MUENNIGHOFF["R*_D"])
    assert loss(params, 1e18, unique) == pytest.approx(float(chinchilla(params, worth)), rel=1e-12)
    losses = loss(params, unique * 2.0 ** np.arange(12), unique)
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] > MUENNIGHOFF["E"] + 0.3
    assert losses[3] - losses[5] > 10 * (losses[6] - losses[11])


def test_endless_parameters_on_the_same_tokens_saturate():
    worth = fed_by(1e9) * (1 + MUENNIGHOFF["R*_N"])
    expected = float(chinchilla(worth, 1e9))
    assert loss(1e15, 1e9) == pytest.approx(expected, rel=1e-12)


def test_four_epochs_are_nearly_as_good_as_new_data_and_forty_are_not():
    """What the authors conclude: negligible up to 4 epochs, worthless long after R*_D of them."""
    unique, params = 2.5e10, 1e9

    def gained(once, then):
        """What more epochs bring, as a share of what as many new tokens would have brought."""
        few, many = unique * once, unique * then
        brought = loss(params, few, unique) - loss(params, many, unique)
        return float(brought / (chinchilla(params, few) - chinchilla(params, many)))

    assert params < fed_by(unique)
    assert loss(params, 4 * unique, unique) / chinchilla(params, 4 * unique) - 1 < 0.005
    assert gained(1, 4) > 0.9
    assert gained(40, 80) < 0.25
