"""Draws of a result as a labelled dataset, made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xarray as xr


def as_dataset(kept: Mapping[str, np.ndarray], table: pd.DataFrame) -> xr.Dataset:
    """Arrays (draws, points) over ``sample`` and ``point``, with the table's students beside them.

    A command that prints a table has no use for it, and making it takes xarray a while.
    """
    import xarray as xr

    return xr.Dataset(
        {name: (("sample", "point"), values) for name, values in kept.items()},
        coords={name: ("point", table[name].to_numpy()) for name in ("params", "tokens")},
    )
