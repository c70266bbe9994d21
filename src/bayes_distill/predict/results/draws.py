"""Draws of a result: arrays while it is computed, a labelled dataset when somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Samples:
    """Draws of several quantities.

    Parameters
    ----------
    values
        Quantity -> draws (draws, ...); the axes behind the first are the same for all.
    chain
        Chain of the fit that each draw is of, (draws,).
    """

    values: Mapping[str, np.ndarray]
    chain: np.ndarray

    def __getitem__(self, quantity: str) -> np.ndarray:
        """Draws of one quantity."""
        return self.values[quantity]

    def on_grid(self, places: tuple[np.ndarray, ...], sizes: Sequence[int]) -> Samples:
        """Draws (draws, rows) as (draws, *sizes), NaN where the grid has no row.

        `places` are the indices of each row along each axis, arrays (rows,).
        """
        cells: tuple[Any, ...] = (slice(None), *places)
        grids = {}
        for name, draws in self.values.items():
            grids[name] = np.full((len(draws), *sizes), np.nan)
            grids[name][cells] = draws
        return Samples(grids, self.chain)

    def subset(self, rows: np.ndarray) -> Samples:
        """Some of the rows of draws (draws, rows)."""
        return Samples({name: draws[:, rows] for name, draws in self.values.items()}, self.chain)

    def dataset(self, coords: Mapping[str, Any], dims: Sequence[str] = ("point",)) -> xr.Dataset:
        """Quantities over ``sample`` and `dims`, with `coords` as xarray takes them.

        ``sample`` has the levels ``chain`` and ``draw``; ``draw`` counts the draws of each chain
        that are used, so that evenly thinned chains unstack without gaps.

        A command that prints a table has no use for it, and importing xarray takes a while.
        """
        import xarray as xr

        draw = pd.Series(self.chain).groupby(self.chain).cumcount()
        index = pd.MultiIndex.from_arrays([self.chain, draw], names=("chain", "draw"))
        sample = xr.Coordinates.from_pandas_multiindex(index, "sample")
        quantities = {name: (("sample", *dims), value) for name, value in self.values.items()}
        return xr.Dataset(quantities, coords=sample).assign_coords(coords)


def points_of(table: pd.DataFrame, names: Sequence[str]) -> dict[str, tuple[str, np.ndarray]]:
    """Columns of a table as coordinates along ``point``."""
    return {name: ("point", table[name].to_numpy()) for name in names if name in table}


def by_chain(draws: xr.Dataset) -> xr.Dataset:
    """Draws over ``chain`` and ``draw`` instead of ``sample``, as ArviZ takes them.

    Where thinning left chains of different lengths, the last draws of the longer ones are left out.
    """
    shortest = int(draws["chain"].to_series().value_counts().min())
    level = draws.isel(sample=draws["draw"].to_numpy() < shortest)
    return level.unstack("sample")  # noqa: PD010 (a dataset, no frame)
