"""Table 6 in coordinates, once, and noise around it."""

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayes_distill.cards import load_card
from bayes_distill.laws import TABLE_6, TABLE_6_AS_PRINTED
from bayes_distill.posterior import Posterior, load_posterior

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from planner_against_slsqp import LAW, REFERENCE, coordinates_of, perturbed


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
