"""Tests of uniform ranks: one for each quantity, and bands of all ranks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats
from arviz_stats.ecdf_utils import ecdf_pit

BAND_SIMULATIONS = 4000
BAND_SEED = 2022


def uniformity_p_values(pits: np.ndarray) -> np.ndarray:
    """Probability (quantities,) of ranks at least this far from uniform, if they are uniform.

    `pits` (quantities, replicates) lie between 0 and 1. The test is ArviZ's ``pot_c``: pointwise
    tests of the order statistics, joined by Cauchy combination. It sees shifts, and posteriors that
    are too narrow or too wide, better than the test of Kolmogorov and Smirnov does.
    """
    p_values: np.ndarray = np.asarray(array_stats.uniformity_test(pits, method="pot_c")[0], float)
    return p_values


@lru_cache(maxsize=32)
def _band(replicates: int, probability: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, and lower and upper ends of the ECDF there, of a simultaneous band."""
    simulations = max(BAND_SIMULATIONS, int(20 / (1 - probability)))
    generator = np.random.default_rng(BAND_SEED)
    # the ranks themselves do not matter: the band is that of any uniform ones
    x, _, lower, upper = ecdf_pit(
        np.linspace(0, 1, replicates), probability, simulations, rng=generator
    )
    return x, lower, upper


def bands(replicates: int, quantities: int, level: float = 0.95) -> pd.DataFrame:
    """Simultaneous bands of the ECDF of uniform ranks, less the diagonal.

    Säilynoja, Bürkner and Vehtari 2022: the whole curve of right ranks stays within ``lower`` and
    ``upper`` with probability `level`; the curves of all quantities stay within ``lower_all`` and
    ``upper_all`` with that probability or more.
    """
    together = 1 - (1 - level) / quantities
    columns: dict[str, np.ndarray] = {}
    for name, probability in (("", level), ("_all", together)):
        x, lower, upper = _band(replicates, probability)
        columns |= {"x": x, f"lower{name}": lower - x, f"upper{name}": upper - x}
    return pd.DataFrame(columns)
