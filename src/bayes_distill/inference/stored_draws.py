"""What a posterior stores of draws of the model: coordinates, discrepancies, offsets, and keys.

Draws are of the posterior or of the prior. Keys are numbers from which what no run was of follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.smooth_rows import all_weights
from bayes_distill.laws.smooth_discrepancy import SMOOTH, STUDENT_SMOOTH, UPWARD, WEIGHTS
from bayes_distill.posterior.size_offsets import OFFSET, OFFSET_SIZE
from bayes_distill.runs.grouping import condition_groups, size_groups


@dataclass(frozen=True)
class StoredDraws:
    """Variables of the group ``posterior``.

    Parameters
    ----------
    sites
        Name -> draws (draws, ...).
    coords, dims
        As ``arviz_base.from_dict`` takes them.
    places
        Coordinates of groups: name -> (dimension, values).
    """

    sites: dict[str, np.ndarray]
    coords: dict[str, np.ndarray]
    dims: dict[str, list[str]]
    places: dict[str, tuple[str, np.ndarray]]

    def with_places(self, group: xr.Dataset) -> xr.Dataset:
        """A group of these variables with the coordinates of its groups."""
        return group.assign_coords(self.places) if self.places else group


def stored_draws(
    spec: ModelSpec,
    data: Data,
    hyper: dict[str, Any],
    frame: pd.DataFrame,
    values: dict[str, np.ndarray],
    generator: np.random.Generator,
) -> StoredDraws:
    """Take what a posterior stores from `values`, all sites of the model (draws, ...).

    `frame` are the runs, in the order of the rows of `data`; `generator` draws keys, and weights
    that no run is about.
    """
    n, draws = len(frame), len(next(iter(values.values())))
    params = frame["params"].to_numpy(float)
    sizes = np.exp(size_groups(params)[1])
    stored = {name: value for name, value in values.items() if value.ndim == 1}
    for name in spec.discrepancies:
        stored[name] = values[name][:, : len(sizes)]
        stored[f"{name}_new"] = generator.standard_normal(draws)
    smooth = _weights(spec, values, hyper, generator)
    stored |= smooth
    places: dict[str, tuple[str, np.ndarray]] = {}
    if spec.size_offset:
        several = np.asarray(data.has_offset[:n]) > 0
        place, first = np.unique(np.asarray(data.offset_size[:n])[several], return_index=True)
        places[OFFSET_SIZE] = ("size_with_offset", params[several][first])
        stored[OFFSET] = values[f"{OFFSET}_z"][:, place]
        stored[f"{OFFSET}_key"] = generator.random(draws)
    conditions = _conditions(frame)
    special = [f"condition_{name}" for name in spec.condition_discrepancies]
    for name in special:
        stored[name] = values[f"{name}_effect"][:, : len(conditions)]
        stored[f"{name}_new"] = generator.standard_normal(draws)
        places["condition_params"] = ("condition", conditions[:, 0])
        places["condition_tokens"] = ("condition", conditions[:, 1])
    dims = {
        **{name: [f"{name}_weight"] for name in smooth},
        OFFSET: ["size_with_offset"],
        **{name: ["size"] for name in spec.discrepancies},
        **{name: ["condition"] for name in special},
    }
    return StoredDraws(stored, {"size": sizes}, dims, places)


def _weights(
    spec: ModelSpec,
    values: dict[str, np.ndarray],
    hyper: dict[str, Any],
    generator: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Weights of smooth discrepancies (draws, weights) as laws take them."""

    def of_site(name: str) -> np.ndarray:
        directions = hyper["groups"][f"{name}_directions"]
        return all_weights(values[f"{name}_z"], directions, values[f"{name}_sd"], generator)

    weights = {}
    if "smooth_up" in spec.smooth:
        both = np.empty((len(values["smooth_up_sd"]), WEIGHTS))
        both[:, UPWARD], both[:, ~UPWARD] = of_site("smooth_up"), of_site("smooth_down")
        weights[SMOOTH] = both
    if STUDENT_SMOOTH in spec.smooth:
        weights[STUDENT_SMOOTH] = of_site(STUDENT_SMOOTH)
    return weights


def _conditions(frame: pd.DataFrame) -> np.ndarray:
    """Size and tokens (conditions, 2) of every condition, in the order of its group."""
    pairs = frame[["params", "tokens"]].to_numpy(float)
    group = condition_groups(pairs[:, 0], pairs[:, 1])
    return np.array([np.median(pairs[group == i], axis=0) for i in range(group.max() + 1)])
