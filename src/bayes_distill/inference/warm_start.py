"""Where the sampler of an earlier fit was: a start, and a metric, for a fit of more runs.

The numbers only say where chains begin and which steps they try: any would give the same posterior.
So it does no harm that coordinates which the runs whiten, or count from their medians, mean
something a little different where there are more runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import xarray as xr

from bayes_distill.inference.density import Hyper
from bayes_distill.inference.initialisation import FAR, Gradient, sites_of
from bayes_distill.inference.model import Data
from bayes_distill.posterior import Posterior

GROUP = "sampler"
"""Name of the group of a posterior that holds it."""
MOST_SITES = 400
"""A larger matrix is not stored."""
HALVINGS = 20


@dataclass(frozen=True, eq=False)
class WarmStart:
    """A start from an earlier fit.

    Parameters
    ----------
    labels
        Sampling coordinates by name, ``site`` or ``site[3]``.
    mean, covariance
        Of their draws, (sites,) and (sites, sites).
    last
        The last draw of every chain, (chains, sites).
    """

    labels: tuple[str, ...]
    mean: np.ndarray
    covariance: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, posterior: Posterior) -> WarmStart | None:
        """What a fit stored; ``None`` for an older file, and a fit with too many sites."""
        if GROUP not in posterior.tree.children:
            return None
        group = posterior.tree[GROUP].dataset
        found = cls(
            tuple(map(str, group["site"].to_numpy())),
            *(group[name].to_numpy() for name in ("mean", "covariance", "last")),
        )
        sound = all(np.isfinite(v).all() for v in (found.mean, found.covariance, found.last))
        return found if sound else None

    @classmethod
    def of_draws(cls, unconstrained: Mapping[str, np.ndarray]) -> WarmStart | None:
        """From the draws of a sampler, each (chains, draws, ...)."""
        names = sorted(unconstrained)
        flat = [np.reshape(v := unconstrained[n], (*v.shape[:2], -1)) for n in names]
        each = np.concatenate(flat, axis=2)
        if each.shape[2] > MOST_SITES or each.shape[1] < 2:
            return None
        shapes = {name: unconstrained[name].shape[2:] for name in names}
        joined = each.reshape(-1, each.shape[2])
        covariance = np.cov(joined.T).reshape(each.shape[2], each.shape[2])
        return cls(_labels(shapes), joined.mean(axis=0), covariance, each[:, -1])

    def to_dataset(self) -> xr.Dataset:
        """The group of a posterior that holds it."""
        return xr.Dataset(
            {
                "mean": ("site", self.mean),
                "covariance": (("site", "other_site"), self.covariance),
                "last": (("of_chain", "site"), self.last),
            },
            coords={"site": list(self.labels)},
        )

    def starting_points(
        self,
        shapes: Mapping[str, jax.ShapeDtypeStruct],
        arguments: tuple[Data, Hyper],
        chains: int,
        gradient: Gradient,
        seed: int,
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Starting points (chains, ...) and an inverse mass matrix (sites, sites) of a new model.

        Sites that the earlier fit did not have begin at zero with variance one: they are effects
        of new groups, in units of their scale.
        """
        labels = _labels({name: shape.shape for name, shape in shapes.items()})
        place = {label: i for i, label in enumerate(self.labels)}
        here = np.array([i for i, label in enumerate(labels) if label in place], int)
        there = np.array([place[labels[i]] for i in here], int)
        mean, matrix = np.zeros(len(labels)), np.eye(len(labels))
        mean[here] = self.mean[there]
        matrix[np.ix_(here, here)] = self.covariance[np.ix_(there, there)]
        zeros = {name: np.zeros(shape.shape) for name, shape in shapes.items()}
        generator = np.random.default_rng([seed, 3])
        points = []
        for chain in range(chains):
            point = mean.copy()
            if chain < len(self.last):
                point[here] = self.last[chain, there]
            else:
                point = generator.multivariate_normal(mean, matrix, method="eigh")
            for _ in range(HALVINGS):
                value, _slope = gradient(sites_of(point, zeros), arguments)
                if np.isfinite(value) and float(value) < FAR:
                    break
                point = (point + mean) / 2
            points.append(sites_of(point, zeros))
        return jax.tree.map(lambda *leaves: np.stack(leaves), *points), matrix


def _labels(shapes: Mapping[str, Any]) -> tuple[str, ...]:
    """Labels of all numbers of all sites, in the order of sampling coordinates."""
    found = []
    for name in sorted(shapes):
        shape = tuple(shapes[name])
        count = int(np.prod(shape))
        found += [name] if not shape else [f"{name}[{i}]" for i in range(count)]
    return tuple(found)
