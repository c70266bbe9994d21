"""Straight coordinates: inverse, volume, gradient, and that they are those of the joint prior."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from bayes_distill.inference.joint_prior import unconstrain
from bayes_distill.inference.straightening import bent, is_bent, straight_slope, straightened

NAMES = ("floor", "gamma", "level", "share", "slope_params", "slope_tokens", "supervised_scale")


def some_sites(draws=5, *, gamma=True):
    generator = np.random.default_rng(0)
    return {n: generator.normal(-1, 0.5, draws) for n in NAMES if gamma or n != "gamma"}


@pytest.mark.parametrize("gamma", [True, False])
def test_bent_undoes_straightened(gamma):
    sites = some_sites(gamma=gamma)
    there = straightened(sites)
    assert any(not np.allclose(there[n], sites[n]) for n in ("floor", "level"))
    for name, value in bent(there).items():
        np.testing.assert_allclose(value, sites[name], atol=1e-12)


def test_no_volume_changes():
    sites = {name: value[0] for name, value in some_sites(1).items()}
    point = np.array([sites[n] for n in NAMES])

    def mapped(x):
        found = straightened(dict(zip(NAMES, x, strict=True)))
        return np.array([found[n] for n in NAMES])

    step = 1e-6 * np.eye(len(NAMES))
    jacobian = np.stack([(mapped(point + s) - mapped(point - s)) / 2e-6 for s in step])
    assert np.linalg.det(jacobian) == pytest.approx(1, abs=1e-6)


def test_gradients_follow_the_chain_rule():
    at = straightened({name: value[0] for name, value in some_sites(1).items()})
    weights = dict(zip(NAMES, np.random.default_rng(1).normal(size=len(NAMES)), strict=True))

    def value(sites):
        return sum(weights[n] * sites[n] ** 2 for n in NAMES)

    sampled = bent(at)
    found = straight_slope(at, {n: 2 * weights[n] * sampled[n] for n in NAMES})
    for name in NAMES:
        up, down = ({**at, name: at[name] + s} for s in (1e-6, -1e-6))
        expected = (value(bent(up)) - value(bent(down))) / 2e-6
        assert found[name] == pytest.approx(expected, abs=1e-6), name


def test_they_are_the_numbers_of_the_joint_prior():
    """Sampled are logs and log odds, and log slopes with the log share of their term."""
    sites = some_sites()
    share = 1 / (1 + np.exp(-sites["share"]))
    law = {
        "floor": np.exp(sites["floor"]),
        "level": np.exp(sites["level"]),
        "share": share,
        "slope_params": np.exp(sites["slope_params"]) / share,
        "slope_tokens": np.exp(sites["slope_tokens"]) / (1 - share),
        "gamma": np.exp(sites["gamma"]),
    }
    there, joint = straightened(sites), unconstrain(law)
    np.testing.assert_allclose(there["floor"], joint[:, 0], atol=1e-12)
    np.testing.assert_allclose(there["level"], -joint[:, 1], atol=1e-12)
    # the joint prior has the fall of the bracket, without its outer exponent
    for place, name in ((3, "slope_params"), (4, "slope_tokens")):
        np.testing.assert_allclose(there[name] - there["gamma"], joint[:, place], atol=1e-12)


def test_other_sites_stay_as_they_are():
    sites = {"supervised_z": np.ones((3, 6)), "level": np.ones(3)}
    assert not is_bent(sites)
    assert jax.tree.all(jax.tree.map(np.array_equal, straightened(sites), sites))
    assert straight_slope(sites, sites) == sites
