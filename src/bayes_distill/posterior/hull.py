"""Where the runs are: how far outside them a point lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from shapely import MultiPoint, get_coordinates, shortest_line
from shapely import points as shapely_points

TOLERANCE = 1e-6  # of a natural logarithm: a run itself must not count as outside


@dataclass(frozen=True)
class Hull:
    """Convex hull of the runs in (log params, log tokens), and the range of teacher losses.

    Parameters
    ----------
    points
        Log sizes and log tokens of the hull's corners, (corners, 2).
    teacher_loss
        Lowest and highest teacher loss, or ``None`` without teachers.
    """

    points: tuple[tuple[float, float], ...]
    teacher_loss: tuple[float, float] | None = None

    @classmethod
    def of(cls, params: np.ndarray, tokens: np.ndarray, teacher_loss: np.ndarray) -> Hull:
        """Hull of runs (rows,); NaN teacher losses are left out."""
        shape = MultiPoint(np.column_stack([np.log(params), np.log(tokens)])).convex_hull
        outline = shape.exterior if shape.geom_type == "Polygon" else shape
        known = teacher_loss[~np.isnan(teacher_loss)]
        return cls(
            tuple((float(x), float(y)) for x, y in outline.coords),
            (float(known.min()), float(known.max())) if known.size else None,
        )

    @cached_property
    def _shape(self) -> Any:
        return MultiPoint(self.points).convex_hull

    def factors(self, params: float, tokens: float) -> tuple[float, float]:
        """How many times larger or smaller than at the nearest point of the hull; 1 inside."""
        x, y = self.factors_of(np.array([params]), np.array([tokens]))[0]
        return float(x), float(y)

    def factors_of(self, params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """`factors` of many, (points,) each: (points, 2)."""
        there = np.log(np.column_stack([params, tokens]))
        ways = shortest_line(self._shape, shapely_points(there))
        away = np.abs(np.diff(get_coordinates(ways).reshape(-1, 2, 2), axis=1)[:, 0])
        return np.where(away > TOLERANCE, np.exp(away), 1.0)

    def teacher_outside(self, teacher_loss: float) -> bool:
        """Whether a teacher is better or worse than every teacher of the runs."""
        if self.teacher_loss is None or np.isnan(teacher_loss):
            return False
        low, high = self.teacher_loss
        return not low * (1 - TOLERANCE) <= teacher_loss <= high * (1 + TOLERANCE)
