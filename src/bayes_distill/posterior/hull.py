"""Where the runs are: how far outside those of its own kind a point lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from shapely import MultiPoint, get_coordinates, shortest_line
from shapely import points as shapely_points

TOLERANCE = 1e-6  # of a natural logarithm: a run itself must not count as outside
ROUNDING = 5e-4  # of a teacher's loss, in its own unit: three decimals are what people type


@dataclass(frozen=True)
class Hull:
    """Convex hull of the runs in (log params, log tokens), and the range of teacher losses.

    Parameters
    ----------
    points
        Log sizes and log tokens of the hull's corners, (corners, 2).
    teacher_loss
        Lowest and highest teacher loss, or ``None`` without teachers.
    runs
        How many runs it is of; ``None`` where that was not stored.
    """

    points: tuple[tuple[float, float], ...]
    teacher_loss: tuple[float, float] | None = None
    runs: int | None = None

    @classmethod
    def of(cls, params: np.ndarray, tokens: np.ndarray, teacher_loss: np.ndarray) -> Hull:
        """Hull of runs (rows,); NaN teacher losses are left out."""
        shape = MultiPoint(np.column_stack([np.log(params), np.log(tokens)])).convex_hull
        outline = shape.exterior if shape.geom_type == "Polygon" else shape
        known = teacher_loss[~np.isnan(teacher_loss)]
        return cls(
            tuple((float(x), float(y)) for x, y in outline.coords),
            (float(known.min()), float(known.max())) if known.size else None,
            len(params),
        )

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Hull:
        """Hull as `to_json` gives it."""
        teacher = stored["teacher_loss"]
        return cls(
            tuple((float(x), float(y)) for x, y in stored["points"]),
            (float(teacher[0]), float(teacher[1])) if teacher else None,
            stored.get("runs"),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"points": self.points, "teacher_loss": self.teacher_loss, "runs": self.runs}

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
        return not low - ROUNDING <= teacher_loss <= high + ROUNDING


@dataclass(frozen=True)
class Hulls:
    """Hulls of the supervised runs and of the distilled ones; ``None`` where there were none.

    A student that was distilled tells nothing about one that was not, and the other way round.
    """

    supervised: Hull | None
    distilled: Hull | None

    @classmethod
    def of(cls, params: np.ndarray, tokens: np.ndarray, teacher_loss: np.ndarray) -> Hulls:
        """Hulls of runs (rows,); those with a NaN teacher loss are supervised."""
        taught = ~np.isnan(teacher_loss)
        supervised, distilled = (
            Hull.of(params[which], tokens[which], teacher_loss[which]) if which.any() else None
            for which in (~taught, taught)
        )
        return cls(supervised, distilled)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Hulls:
        """Hulls as `to_json` gives them."""
        each = (stored[name] for name in ("supervised", "distilled"))
        return cls(*(None if hull is None else Hull.from_json(hull) for hull in each))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        each = {"supervised": self.supervised, "distilled": self.distilled}
        return {name: None if hull is None else hull.to_json() for name, hull in each.items()}

    def of_kind(self, *, distilled: bool) -> Hull | None:
        """The hull of one kind of run."""
        return self.distilled if distilled else self.supervised

    def where(
        self,
        params: np.ndarray,
        tokens: np.ndarray,
        teacher_loss: np.ndarray,
        distilled: np.ndarray,
    ) -> Place:
        """Where students (points,) lie; `distilled` (points,) says which are by a teacher."""
        factors = np.ones((len(params), 2))
        teacher, untried = np.zeros(len(params), bool), np.zeros(len(params), bool)
        runs = np.zeros(len(params))
        for kind in (False, True):
            which = np.flatnonzero(distilled == kind)
            hull = self.of_kind(distilled=kind)
            untried[which] = hull is None
            # of a kind without runs: how far from those of the other kind
            nearest = hull or self.of_kind(distilled=not kind)
            if which.size and nearest is not None:
                factors[which] = nearest.factors_of(params[which], tokens[which])
            if hull is not None:
                runs[which] = np.nan if hull.runs is None else hull.runs
                teacher[which] = [hull.teacher_outside(loss) for loss in teacher_loss[which]]
        return Place(factors, teacher, untried, runs)


@dataclass(frozen=True, eq=False)
class Place:
    """Where students lie among the runs of their kind.

    Parameters
    ----------
    factors
        `Hull.factors` of each, (points, 2).
    teacher_outside
        Whether its teacher is better or worse than all of the runs, (points,).
    untried
        Whether no run was of its kind, (points,): the prior and the law are all there is.
    runs
        How many runs were of its kind, (points,); NaN where that was not stored.
    """

    factors: np.ndarray
    teacher_outside: np.ndarray
    untried: np.ndarray
    runs: np.ndarray

    @property
    def outside(self) -> np.ndarray:
        """Whether it lies outside the runs of its kind, in any way, (points,)."""
        beyond = (self.factors > 1).any(axis=1)
        return np.asarray(beyond | self.teacher_outside | self.untried)
