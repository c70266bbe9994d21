"""Fewer draws of a posterior, for work whose cost grows with their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayes_distill.laws.smooth_discrepancy import SMOOTH, STUDENT_SMOOTH
from bayes_distill.posterior.discrepancy import Discrepancy, JoinedDiscrepancy
from bayes_distill.posterior.size_offsets import OFFSET, OFFSET_SIZE

CHAIN = "fitted_chain"  # of each draw, where thinning has put all chains into one


def chains_of(group: xr.Dataset) -> np.ndarray:
    """Chain of the fit that each draw of the group ``posterior`` is of, (draws,)."""
    if CHAIN in group.coords:
        return np.asarray(group[CHAIN])
    return np.repeat(np.arange(group.sizes["chain"]), group.sizes["draw"])


def thinned(
    tree: xr.DataTree,
    discrepancies: Mapping[str, Discrepancy | JoinedDiscrepancy],
    stride: int,
    *,
    keep_runs: bool,
) -> xr.DataTree:
    """Every `stride`-th draw of a posterior as one chain, with its runs if `keep_runs`.

    Arrays are views of those in `tree` where that is possible. What runs share comes with the
    runs. Draws of the prior, log densities and statistics of the sampler are dropped.
    """
    group = tree["posterior"].dataset
    wide = (SMOOTH, STUDENT_SMOOTH, OFFSET)
    kept = [name for name in group.data_vars if group[name].ndim == 2 or name in wide]
    draws = _one_chain(group[kept], stride)
    of_sizes: dict[str, Any] = {}
    coords: dict[str, Any] = {CHAIN: ("draw", chains_of(group)[::stride])}
    if OFFSET in group:
        coords[OFFSET_SIZE] = (group[OFFSET].dims[-1], group[OFFSET_SIZE].to_numpy())
    for name, each in discrepancies.items():
        if name in group:  # discrepancies of conditions only are not stored for sizes
            of_sizes[name] = (("chain", "draw", "size"), each.seen[None, ::stride])
        coords["size"] = group["size"].to_numpy()
        if each.conditions is not None:
            seen = each.conditions.seen[None, ::stride]
            of_sizes[f"condition_{name}"] = (("chain", "draw", "condition"), seen)
            for part in ("condition_params", "condition_tokens"):
                coords[part] = ("condition", group[part].to_numpy())
    groups = {"posterior": xr.Dataset({**draws, **of_sizes}, coords=coords)}
    if keep_runs and "effects" in tree.children:
        groups["effects"] = xr.Dataset(_one_chain(tree["effects"].dataset, stride))
    if keep_runs and "runs" in tree.children:
        groups["runs"] = tree["runs"].to_dataset()
    return xr.DataTree.from_dict(groups)


def _one_chain(group: xr.Dataset, stride: int) -> dict[str, Any]:
    """Variables of every `stride`-th draw of a group, chains joined."""
    variables = {}
    for name, variable in group.data_vars.items():
        values = variable.transpose("chain", "draw", ...).to_numpy()
        joined = values.reshape(1, -1, *values.shape[2:])[:, ::stride]
        variables[str(name)] = (("chain", "draw", *variable.dims[2:]), joined)
    return variables
