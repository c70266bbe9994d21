"""Table 6 in coordinates, once, and noise around it."""

import numpy as np
import pytest

from bayes_distill.laws import TABLE_6, TABLE_6_AS_PRINTED, Distillation, Reference

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
