"""Table 6 in coordinates, once, and noise around it."""

import numpy as np
import pytest
import xarray as xr

from bayes_distill.cards import load_card
from bayes_distill.laws import TABLE_6, TABLE_6_AS_PRINTED, Distillation, Reference
from bayes_distill.posterior import Posterior, load_posterior

LAW = Distillation()
REFERENCE = Reference(1e9, 2e10, 2.3)


def coordinates_of(table):
    return {k: np.asarray(v) for k, v in LAW.from_published(table, REFERENCE).items()}


def perturbed(table, draws, spread=0.03, seed=0):
    rng = np.random.default_rng(seed)
    out = {}
    for coordinate in LAW.coordinates:
        value = coordinates_of(table)[coordinate.name]
        noise = spread * rng.standard_normal(draws)
        if coordinate.support == "unit":
            out[coordinate.name] = 1 / (1 + (1 - value) / value * np.exp(-noise))
        else:
            out[coordinate.name] = value * np.exp(noise)
    return out


@pytest.fixture(scope="session")
def law():
    return LAW


@pytest.fixture(scope="session")
def reference():
    return REFERENCE


@pytest.fixture(scope="session")
def table_6():
    return coordinates_of(TABLE_6)


@pytest.fixture(scope="session")
def as_printed():
    return coordinates_of(TABLE_6_AS_PRINTED)


@pytest.fixture(scope="session")
def draws():
    return perturbed(TABLE_6, 40)


def posterior_of(draws, **info):
    """A posterior that was made up, not sampled."""
    count = len(next(iter(draws.values())))
    values = {**draws, "scale": np.full(count, 0.001)}
    group = xr.Dataset({name: (("chain", "draw"), v[None]) for name, v in values.items()})
    tree = xr.DataTree.from_dict({"posterior": group})
    return Posterior(tree, load_card("busbridge2025-plain"), REFERENCE, info)


@pytest.fixture(scope="session")
def posterior():
    """128 draws, a few percent around table 6."""
    return posterior_of(perturbed(TABLE_6, 128))


@pytest.fixture(scope="session")
def many():
    """More draws than a recipe is first searched with."""
    return posterior_of(perturbed(TABLE_6, 600, seed=1))


@pytest.fixture(scope="session")
def point():
    """Table 6 as a posterior with one draw."""
    return load_posterior("busbridge2025-table6-repaired")
