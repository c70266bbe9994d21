"""How sizes depart from a law: a Gaussian process over log size, for seen and for new sizes.

Students of one size share what the law misses about them. Sizes that are close share more of it:
the prior correlation is a Matern 3/2 function of the distance of log sizes. A draw of the
posterior holds the departures of the sizes that were seen, and one standard normal number for
whatever is new; together they make one function of size a draw, so that a forecast, a risk and a
plan speak of the same student.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """

    log_sizes: np.ndarray
    length: float
    seen: np.ndarray
    scale: np.ndarray
    new: np.ndarray

    def at(self, params: np.ndarray) -> np.ndarray:
        """Departures (draws, points) of students of `params` (points,) parameters."""
        log_params = np.log(np.asarray(params, float))
        across = correlation(self.log_sizes, log_params, self.length)
        weights = np.linalg.solve(_regular(self.log_sizes, self.length), across)
        left = np.sqrt(np.maximum(1 - (across * weights).sum(0), 0.0))
        return np.asarray(self.seen @ weights + np.outer(self.scale * self.new, left))


@dataclass(frozen=True)
class JoinedDeparture:
    """One kind of departure where draws follow several models, the draws of each in one piece."""

    pieces: tuple[SizeDeparture, ...]

    @property
    def seen(self) -> np.ndarray:
        """Departures of the sizes that were seen (draws, sizes)."""
        return np.concatenate([piece.seen for piece in self.pieces])

    def at(self, params: np.ndarray) -> np.ndarray:
        """Departures (draws, points) of students of `params` (points,) parameters."""
        return np.concatenate([piece.at(params) for piece in self.pieces])


Departure = SizeDeparture | JoinedDeparture


def departures(
    group: xr.Dataset, models: Sequence[tuple[Mapping[str, float], slice]]
) -> dict[str, Departure]:
    """Read departures from the ``posterior`` group of a fit; empty where the model has none.

    `models` holds the lengths (name of a departure -> length) of each model, and which draws
    follow it: one for a fit, several for a stack. A model without a length has no departures of
    that kind; its draws hold zeros.
    """
    found: dict[str, Departure] = {}
    for name in NAMES:
        if name not in group:
            continue
        log_sizes, seen = np.log(group["size"].to_numpy()), group[name].to_numpy()
        seen = seen.reshape(-1, seen.shape[-1])
        scale, new = (group[f"{name}_{k}"].to_numpy().reshape(-1) for k in ("sd", "new"))
        pieces = tuple(
            SizeDeparture(log_sizes, lengths.get(name, 1.0), seen[rows], scale[rows], new[rows])
            for lengths, rows in models
        )
        found[name] = pieces[0] if len(pieces) == 1 else JoinedDeparture(pieces)
    return found
