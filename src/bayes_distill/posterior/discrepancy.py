"""How sizes depart from a law: a Gaussian process over log size, for seen and for new sizes.

Students of one size share what the law misses about them. Sizes that are close share more of it:
the prior correlation is a Matern 3/2 function of the distance of log sizes. A draw of the
posterior holds the discrepancies of the sizes that were seen, and a key from which one path of the
process follows (`matern_path`). The path, moved by what is known of the seen sizes, is one function
of size in each draw (pathwise conditioning, Wilson et al. 2020): forecasts, risks and plans are
about the same students, and sizes far apart have independent discrepancies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from bayes_distill.laws.discrepancy import NAMES
from bayes_distill.posterior.keyed_normal import keyed_normal
from bayes_distill.posterior.matern_path import matern_path

JITTER = 1e-9
SAME_CONDITION = 0.05  # of a natural logarithm
CELL_SIZE, CELL_TOKENS = 0.01, 0.02  # of a natural logarithm: new conditions that are one
SIZES = 2**20  # more cells than there are along tokens
ALIKE = 1.0  # of a natural logarithm: sizes further apart share nothing of what is shorter
UNLIKE = 1e-12  # correlation below which a condition has no information about a point


def correlation(first: np.ndarray, second: np.ndarray, length: float) -> np.ndarray:
    """Matern 3/2 correlation (n, m) of log sizes (n,) and (m,) that are `length` apart or so."""
    distance = np.sqrt(3) * np.abs(first[:, None] - second[None, :]) / length
    return np.asarray((1 + distance) * np.exp(-distance))


def factor(log_sizes: np.ndarray, length: float) -> np.ndarray:
    """Lower triangle (n, n) that makes correlated discrepancies of independent normal numbers."""
    return np.linalg.cholesky(_regular(log_sizes, length))


def _regular(log_sizes: np.ndarray, length: float) -> np.ndarray:
    return correlation(log_sizes, log_sizes, length) + JITTER * np.eye(len(log_sizes))


@dataclass(frozen=True)
class Moments:
    """Normal distribution of a discrepancy at some points, in every draw.

    Parameters
    ----------
    mean
        (draws, points).
    scale, alike
        The covariance is `scale` (draws,) squared times `alike` (points, points).
    """

    mean: np.ndarray
    scale: np.ndarray
    alike: np.ndarray


@dataclass(frozen=True)
class Discrepancy:
    """One kind of discrepancy (``shift``, ``tilt``, ...), as a function of the student.

    Parameters
    ----------
    log_sizes
        Sizes that were seen (sizes,).
    length
        How far correlations reach, in log size.
    seen
        Discrepancies of those sizes (draws, sizes), in units of the reference loss; a place is one
        of the loss's logarithm.
    scale
        Prior standard deviation (draws,).
    new
        Numbers (draws,), all different: keys of the part that the seen sizes do not determine.
    conditions
        Discrepancies of conditions besides; ``None`` if there are none.
    """

    log_sizes: np.ndarray
    length: float
    seen: np.ndarray
    scale: np.ndarray
    new: np.ndarray
    conditions: ConditionDiscrepancy | None = None

    def at(self, params: np.ndarray, tokens: np.ndarray | None = None) -> np.ndarray:
        """Discrepancies (draws, points) of students of `params` parameters, `tokens` (points,).

        Without `tokens` those of sizes alone, which all conditions of a size share.
        """
        log_params = np.log(np.asarray(params, float))
        # many points are often of few sizes
        each, place = np.unique(log_params, return_inverse=True)
        weights = self._inverse @ correlation(self.log_sizes, each, self.length)
        path = self.scale[:, None] * matern_path(self.new, each, self.length)
        drawn = (path + self._off_the_path @ weights)[:, place]
        if self.conditions is not None and tokens is not None:
            drawn = drawn + self.conditions.at(log_params, tokens)
        return np.asarray(drawn)

    def shared_at(self, params: np.ndarray) -> np.ndarray:
        """Discrepancies (draws, points) that students of unlike sizes share: smooth in size.

        Zero where the length is short, and what a size has is its own.
        """
        if self.of_own_size:
            return np.zeros((len(self.seen), len(params)))
        return self.at(params)

    def at_new_condition(self, params: np.ndarray) -> np.ndarray:
        """Discrepancies (draws, points) under one condition that nobody has seen.

        That of the condition is the same for all points: common random numbers to compare them by.
        """
        drawn = self.at(params)
        return drawn if self.conditions is None else drawn + self.conditions.unseen[:, None]

    def moments(
        self, params: np.ndarray, tokens: np.ndarray, condition: np.ndarray
    ) -> tuple[Moments, ...]:
        """Distributions of what `at` draws, independent parts: of sizes, and of conditions.

        `condition` (points,) is a number for every condition.
        """
        parts = (self._of_sizes(params),) if self.scale.any() else ()
        if self.conditions is None:
            return parts
        return (*parts, self.conditions.moments(np.log(params), tokens, condition))

    def _of_sizes(self, params: np.ndarray) -> Moments:
        log_params = np.log(np.asarray(params, float))
        across = correlation(self.log_sizes, log_params, self.length)
        weights = self._inverse @ across
        alike = correlation(log_params, log_params, self.length) - across.T @ weights
        return Moments(self.seen @ weights, self.scale, alike)

    @property
    def of_own_size(self) -> bool:
        """Whether sizes that are unlike share next to nothing of it."""
        return self.length < ALIKE

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.inv(_regular(self.log_sizes, self.length))

    @cached_property
    def _off_the_path(self) -> np.ndarray:
        """By how much the sizes that were seen lie off the draw's path (draws, sizes)."""
        path = matern_path(self.new, self.log_sizes, self.length)
        return np.asarray(self.seen - self.scale[:, None] * path)


@dataclass(frozen=True)
class ConditionDiscrepancy:
    """Discrepancies of a size on a number of tokens, besides those of the size, in every draw.

    A condition within some 5% of one of the runs shares its discrepancy. Others are independent,
    and one where sizes lie within 1% and tokens within 2% of each other (in one cell of a grid).
    `log_points` is (conditions, 2): log sizes and log tokens; the rest is as in `Discrepancy`.
    """

    log_points: np.ndarray
    seen: np.ndarray
    scale: np.ndarray
    new: np.ndarray

    def at(self, log_params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Discrepancies (draws, points)."""
        labels = self._labels(log_params, tokens)
        drawn = self._new(labels)
        near, weights, remaining = self._given(log_params, tokens)
        if near.any():  # most points are like no condition that was seen
            drawn[:, near] = self.seen @ weights + drawn[:, near] * remaining
        return drawn

    def moments(self, log_params: np.ndarray, tokens: np.ndarray, condition: np.ndarray) -> Moments:
        """Distribution of what `at` draws; `condition` (points,) says which points are of one."""
        mean, sd = np.zeros((len(self.seen), len(log_params))), np.ones(len(log_params))
        near, weights, remaining = self._given(log_params, tokens)
        mean[:, near], sd[near] = self.seen @ weights, remaining
        same = condition[:, None] == condition
        return Moments(mean, self.scale, same * np.outer(sd, sd))

    def _labels(self, log_params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """A number (points,) for every condition."""
        log_tokens = np.log(np.broadcast_to(tokens, log_params.shape))
        sizes = np.round(log_params / CELL_SIZE) * SIZES
        return np.asarray(sizes + np.round(log_tokens / CELL_TOKENS))

    def _given(
        self, log_params: np.ndarray, tokens: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which points (points,) are near conditions that were seen.

        With the weights (conditions, near points) of these, and the standard deviations (near
        points,) of what they leave open, relative to the scale.
        """
        log_tokens = np.log(np.broadcast_to(tokens, log_params.shape))
        across = self._alike(np.column_stack([log_params, log_tokens]))
        near = across.max(axis=0, initial=0.0) > UNLIKE
        weights = self._inverse @ across[:, near]
        left = 1 - (across[:, near] * weights).sum(axis=0)
        return near, weights, np.sqrt(np.maximum(left, 0.0))

    @property
    def unseen(self) -> np.ndarray:
        """Discrepancy (draws,) of a condition unlike any that has a size and tokens."""
        return self._new(np.full(1, -1.0))[:, 0]

    def _new(self, labels: np.ndarray) -> np.ndarray:
        """Independent discrepancies (draws, points) of new conditions with these labels."""
        each, place = np.unique(labels, return_inverse=True)
        return np.asarray((self.scale[:, None] * keyed_normal(self.new, each))[:, place])

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.inv(self._alike(self.log_points) + JITTER * np.eye(len(self.log_points)))

    def _alike(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(
            correlation(self.log_points[:, 0], points[:, 0], SAME_CONDITION)
            * correlation(self.log_points[:, 1], points[:, 1], SAME_CONDITION)
        )


@dataclass(frozen=True)
class JoinedDiscrepancy:
    """One kind of discrepancy where draws follow several models, the draws of each in one piece."""

    pieces: tuple[Discrepancy, ...]

    @property
    def of_own_size(self) -> bool:
        """Whether it is so in one of the models, as `Discrepancy.of_own_size`."""
        return any(piece.of_own_size for piece in self.pieces)

    @property
    def seen(self) -> np.ndarray:
        """Discrepancies of the sizes that were seen (draws, sizes)."""
        return np.concatenate([piece.seen for piece in self.pieces])

    @property
    def conditions(self) -> ConditionDiscrepancy | None:
        """Discrepancies of conditions, of all draws; ``None`` if there are none."""
        parts = [piece.conditions for piece in self.pieces]
        if parts[0] is None:
            return None
        present = [part for part in parts if part is not None]
        columns = ([getattr(each, name) for each in present] for name in ("seen", "scale", "new"))
        return ConditionDiscrepancy(parts[0].log_points, *(np.concatenate(c) for c in columns))

    def at(self, params: np.ndarray, tokens: np.ndarray | None = None) -> np.ndarray:
        """Discrepancies (draws, points) of students, as `Discrepancy.at` gives them."""
        return np.concatenate([piece.at(params, tokens) for piece in self.pieces])

    def shared_at(self, params: np.ndarray) -> np.ndarray:
        """Discrepancies (draws, points), as `Discrepancy.shared_at` gives them."""
        return np.concatenate([piece.shared_at(params) for piece in self.pieces])

    def at_new_condition(self, params: np.ndarray) -> np.ndarray:
        """Discrepancies (draws, points), as `Discrepancy.at_new_condition` gives them."""
        return np.concatenate([piece.at_new_condition(params) for piece in self.pieces])


def discrepancies(
    group: xr.Dataset, models: Sequence[tuple[Mapping[str, float], slice]]
) -> dict[str, Discrepancy | JoinedDiscrepancy]:
    """Read discrepancies from the ``posterior`` group of a fit; empty where the model has none.

    `models` holds the lengths (name of a discrepancy -> length) of each model, and which draws
    follow it: one for a fit, several for a stack. A model without a length has no discrepancies of
    that kind; its draws hold zeros.
    """
    by_name: dict[str, Discrepancy | JoinedDiscrepancy] = {}
    for name in NAMES:
        if name not in group and f"condition_{name}" not in group:
            continue
        log_sizes = np.log(group["size"].to_numpy())
        of_sizes = _parts(group, name) if name in group else _nothing(group, len(log_sizes))
        points, of_conditions = None, None
        if f"condition_{name}" in group:
            columns = [group[f"condition_{part}"].to_numpy() for part in ("params", "tokens")]
            points = np.log(np.column_stack(columns))
            of_conditions = _parts(group, f"condition_{name}")
        pieces = []
        for lengths, rows in models:
            conditions = None
            if points is not None and of_conditions is not None:
                seen, scale, new = (part[rows] for part in of_conditions)
                conditions = ConditionDiscrepancy(points, seen, scale, new)
            seen, scale, new = (part[rows] for part in of_sizes)
            length = lengths.get(name, 1.0)
            pieces.append(Discrepancy(log_sizes, length, seen, scale, new, conditions))
        by_name[name] = pieces[0] if len(pieces) == 1 else JoinedDiscrepancy(tuple(pieces))
    return by_name


def _nothing(group: xr.Dataset, sizes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`_parts` where only conditions have discrepancies."""
    draws = group.sizes["chain"] * group.sizes["draw"]
    return np.zeros((draws, sizes)), np.zeros(draws), np.zeros(draws)


def _parts(group: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values at the levels (draws, levels), scale and key (draws,), chains joined."""
    seen = group[name].to_numpy()
    scale, new = (group[f"{name}_{part}"].to_numpy().reshape(-1) for part in ("sd", "new"))
    return seen.reshape(-1, seen.shape[-1]), scale, new
