"""How sizes depart from a law: a Gaussian process over log size, for seen and for new sizes.

Students of one size share what the law misses about them. Sizes that are close share more of it:
the prior correlation is a Matern 3/2 function of the distance of log sizes. A draw of the
posterior holds the departures of the sizes that were seen, and one standard normal number for
whatever is new; together they make one function of size a draw, so that a forecast, a risk and a
plan speak of the same student.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_distill.laws.departure import NAMES

JITTER = 1e-9


def correlation(first: np.ndarray, second: np.ndarray, length: float) -> np.ndarray:
    """Matern 3/2 correlation (n, m) of log sizes (n,) and (m,) that are `length` apart or so."""
    distance = np.sqrt(3) * np.abs(first[:, None] - second[None, :]) / length
    return np.asarray((1 + distance) * np.exp(-distance))


def factor(log_sizes: np.ndarray, length: float) -> np.ndarray:
    """Lower triangle (n, n) that makes correlated departures of independent normal numbers."""
    return np.linalg.cholesky(_regular(log_sizes, length))


def _regular(log_sizes: np.ndarray, length: float) -> np.ndarray:
    return correlation(log_sizes, log_sizes, length) + JITTER * np.eye(len(log_sizes))


@dataclass(frozen=True)
class SizeDeparture:
    """One kind of departure (``shift`` or ``tilt``), as a function of size in every draw.

    Parameters
    ----------
    log_sizes
        Sizes that were seen (sizes,).
    length
        How far correlations reach, in log size.
    seen
        Departures of those sizes (draws, sizes), in units of the reference loss.
    scale
        Prior standard deviation (draws,).
    new
        Standard normal numbers (draws,) for what the seen sizes do not tell.
    own
        What a student of any size has besides (draws,): a new set-up departs in its own way.
    """

    log_sizes: np.ndarray
    length: float
    seen: np.ndarray
    scale: np.ndarray
    new: np.ndarray
    own: np.ndarray

    def at(self, params: np.ndarray) -> np.ndarray:
        """Departures (draws, points) of students of `params` (points,) parameters."""
        log_params = np.log(np.asarray(params, float))
        across = correlation(self.log_sizes, log_params, self.length)
        weights = np.linalg.solve(_regular(self.log_sizes, self.length), across)
        left = np.sqrt(np.maximum(1 - (across * weights).sum(0), 0.0))
        unseen = np.outer(self.scale * self.new, left) + self.own[:, None]
        return np.asarray(self.seen @ weights + unseen)


def departures(group: xr.Dataset, lengths: dict[str, float]) -> dict[str, SizeDeparture]:
    """Read departures from the ``posterior`` group of a fit; empty where the model has none."""
    found = {}
    for name in NAMES:
        if name not in group:
            continue
        seen = group[name].to_numpy()
        own = np.zeros(seen.shape[0] * seen.shape[1])
        if f"condition_{name}_sd" in group:
            parts = (f"condition_{name}_sd", f"condition_{name}_new")
            own = np.prod([group[part].to_numpy().reshape(-1) for part in parts], axis=0)
        found[name] = SizeDeparture(
            np.log(group["size"].to_numpy()),
            lengths[name],
            seen.reshape(-1, seen.shape[-1]),
            group[f"{name}_sd"].to_numpy().reshape(-1),
            group[f"{name}_new"].to_numpy().reshape(-1),
            own,
        )
    return found
