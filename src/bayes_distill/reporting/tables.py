"""Tables of numbers on regular grids, as the page stores and interpolates them.

The page holds no law: it holds what `forecast`, `capacity_gap` and `plan` returned at the nodes of
a grid, and reads between them with cubic splines. `Table.at` does the same sums as
``assets/interpolation.js``, so that the error of what is shown can be measured while building.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 65534  # values of a field are stored as whole steps from its lowest to its highest
MISSING = 65535


@dataclass(frozen=True)
class Axis:
    """Nodes evenly spaced on the logarithm."""

    name: str
    low: float
    high: float
    count: int

    @property
    def nodes(self) -> Floats:
        """The nodes, (count,)."""
        nodes: Floats = np.geomspace(self.low, self.high, self.count).astype(np.float64)
        nodes[0], nodes[-1] = self.low, self.high
        return nodes

    def place(self, values: Floats) -> Floats:
        """Where values lie, in nodes from the first; clipped to the axis."""
        span = np.log(self.high / self.low)
        share: Floats = np.clip(np.log(values / self.low) / span, 0.0, 1.0)
        return share * (self.count - 1)


@dataclass(frozen=True)
class Field:
    """One number a node.

    Parameters
    ----------
    values
        Of the shape of the table's axes; NaN where something is not determined.
    log
        Whether logarithms are interpolated.
    low, high
        Bounds that no value passes, such as 0 and 1 for a share; what is interpolated is clipped.
    """

    values: Floats
    log: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def scaled(self) -> Floats:
        """What is interpolated."""
        return np.log(self.values) if self.log else self.values

    def stored(self) -> tuple[NDArray[np.uint16], float, float]:
        """Whole steps, and the values (on the interpolated scale) of the first and the last one."""
        scaled = self.scaled
        known = np.isfinite(scaled)
        low, high = (
            (float(scaled[known].min()), float(scaled[known].max())) if known.any() else (0, 0)
        )
        width = (high - low) or 1.0
        steps = np.where(known, np.rint((np.where(known, scaled, low) - low) / width * STEPS), 0)
        return np.where(known, steps, MISSING).astype(np.uint16), low, low + width

    def rounded(self) -> Floats:
        """What the page reads back, on the interpolated scale."""
        steps, low, high = self.stored()
        return np.where(steps == MISSING, np.nan, low + (high - low) * (steps / STEPS))


@dataclass(frozen=True)
class Table:
    """Fields on one grid.

    Parameters
    ----------
    axes
        Axes of the grid, slowest first.
    fields
        Fields by name.
    """

    axes: tuple[Axis, ...]
    fields: Mapping[str, Field]

    def packed(self) -> dict[str, Any]:
        """Plain data for the page: the fields' steps one after another, little-endian, base64."""
        described, pieces = [], []
        for name, field in self.fields.items():
            steps, low, high = field.stored()
            described.append(
                {
                    "name": name,
                    "log": field.log,
                    "from": low,
                    "to": high,
                    "low": field.low,
                    "high": field.high,
                }
            )
            pieces.append(steps.astype("<u2").tobytes())
        return {
            "axes": [
                {"name": a.name, "low": a.low, "high": a.high, "count": a.count} for a in self.axes
            ],
            "fields": described,
            "steps": base64.b64encode(b"".join(pieces)).decode("ascii"),
        }

    def at(self, points: Mapping[str, Floats], names: Iterable[str]) -> dict[str, Floats]:
        """Interpolate fields at points (points,), given by the names of the axes."""
        weights = [_weights(axis.place(points[axis.name]), axis.count) for axis in self.axes]
        found = {}
        for name in names:
            field = self.fields[name]
            values = field.rounded()
            total = np.zeros(len(weights[0][0]))
            for corner in np.ndindex(*(4,) * len(self.axes)):
                where = tuple(index[:, c] for (index, _), c in zip(weights, corner, strict=True))
                weight = np.prod(
                    [w[:, c] for (_, w), c in zip(weights, corner, strict=True)], axis=0
                )
                # a node that does not count must not spread its NaN
                total += np.where(weight == 0, 0.0, weight * values[where])
            plain = np.exp(total) if field.log else total
            found[name] = np.clip(plain, field.low, field.high)
        return found


def _weights(place: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Nodes and weights (points, 4) of a Catmull-Rom spline; beyond the ends lies a parabola."""
    first = np.clip(np.floor(place).astype(np.int64), 0, count - 2)
    t = place - first
    w = np.stack(
        [
            0.5 * (-t + 2 * t**2 - t**3),
            0.5 * (2 - 5 * t**2 + 3 * t**3),
            0.5 * (t + 4 * t**2 - 3 * t**3),
            0.5 * (-(t**2) + t**3),
        ],
        axis=1,
    )
    start, end = first == 0, first == count - 2
    w[start] += w[start, :1] * np.array([0.0, 3.0, -3.0, 1.0])
    w[start, 0] = 0.0
    w[end] += w[end, 3:] * np.array([1.0, -3.0, 3.0, 0.0])
    w[end, 3] = 0.0
    nodes = np.clip(first[:, None] + np.arange(-1, 3), 0, count - 1)
    return nodes, w
