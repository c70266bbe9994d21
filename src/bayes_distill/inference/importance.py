"""Draws from a density by importance sampling, with a proposal that learns from its own draws.

The proposal is a Student t around the mode for coordinates of the law and scales, and normal for
effects given them. Rounds refit centre and spread of the first; all rounds count together
(deterministic mixture weights, Cornuet et al. 2012), and the weights are Pareto-smoothed (Vehtari
et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from arviz_stats.base import array_stats
from scipy.linalg import solve_triangular
from scipy.special import gammaln, logsumexp

FREEDOM = 5.0  # degrees, of the Student t
INFLATED = 1.2  # times the spread of the mode, in the first round
OF_EFFECTS = 1.1  # times the spread of effects: few are normal to the last
RANGE = 600.0  # of log weights that are told apart


class Weighted(NamedTuple):
    """Points (draws, sites) with weights that sum to one, and how far to trust them.

    `pareto_k` is the shape of the tail of the weights, `effective` the effective number of draws.
    """

    points: np.ndarray
    weights: np.ndarray
    pareto_k: float
    effective: float

    def resampled(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """So many points of equal weight, with repeats."""
        picked = generator.choice(len(self.points), count, p=self.weights)
        return np.asarray(self.points[picked])


@dataclass(frozen=True)
class Proposal:
    """Student t of some coordinates, and the others normal given them.

    Parameters
    ----------
    wide
        Which coordinates follow the Student t (sites,).
    centre, root
        Of the Student t: (wide,), and a lower root of its scale matrix (wide, wide).
    origin, slope, other_centre, other_root
        The others are normal around ``other_centre + slope @ (wide - origin)``.
    """

    wide: np.ndarray
    centre: np.ndarray
    root: np.ndarray
    origin: np.ndarray
    slope: np.ndarray
    other_centre: np.ndarray
    other_root: np.ndarray

    @classmethod
    def at(cls, mode: np.ndarray, covariance: np.ndarray, wide: np.ndarray) -> Proposal:
        """From a mode and a covariance (sites, sites) there."""
        inner, across = covariance[np.ix_(wide, wide)], covariance[np.ix_(~wide, wide)]
        slope = np.linalg.solve(inner, across.T).T
        rest = covariance[np.ix_(~wide, ~wide)] - slope @ across.T
        return cls(
            wide,
            mode[wide],
            np.linalg.cholesky(inner) * INFLATED,
            mode[wide],
            slope,
            mode[~wide],
            np.linalg.cholesky(rest) * OF_EFFECTS if rest.size else rest,
        )

    def sample(self, generator: np.random.Generator, count: int) -> np.ndarray:
        """Points (count, sites)."""
        points = np.empty((count, len(self.wide)))
        stretch = np.sqrt(FREEDOM / generator.chisquare(FREEDOM, count))[:, None]
        z = generator.standard_normal((count, len(self.centre))) * stretch
        points[:, self.wide] = self.centre + z @ self.root.T
        noise = generator.standard_normal((count, len(self.other_centre)))
        points[:, ~self.wide] = self._others(points) + noise @ self.other_root.T
        return points

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Log density (points,)."""
        h = len(self.centre)
        z = solve_triangular(self.root, (points[:, self.wide] - self.centre).T, lower=True)
        spread = gammaln((FREEDOM + h) / 2) - gammaln(FREEDOM / 2) - h / 2 * np.log(FREEDOM * np.pi)
        found = spread - (FREEDOM + h) / 2 * np.log1p((z**2).sum(axis=0) / FREEDOM)
        found -= np.log(np.diag(self.root)).sum()
        if len(self.other_centre):
            rest = (points[:, ~self.wide] - self._others(points)).T
            z = solve_triangular(self.other_root, rest, lower=True)
            found -= (z**2).sum(axis=0) / 2 + np.log(np.diag(self.other_root)).sum()
            found -= len(z) / 2 * np.log(2 * np.pi)
        return np.asarray(found)

    def moved(self, points: np.ndarray, weights: np.ndarray, effective: float) -> Proposal:
        """The proposal with centre and spread of weighted points, in so far as these are many."""
        some = points[:, self.wide]
        centre = weights @ some
        apart = some - centre
        trust = effective / (effective + 2 * len(centre))
        spread = trust * (apart * weights[:, None]).T @ apart
        spread += (1 - trust) * self.root @ self.root.T
        return replace(self, centre=centre, root=np.linalg.cholesky(spread))

    def _others(self, points: np.ndarray) -> np.ndarray:
        apart: np.ndarray = points[:, self.wide] - self.origin
        return np.asarray(self.other_centre + apart @ self.slope.T)


def importance_sample(
    log_density: Callable[[np.ndarray], np.ndarray],
    proposal: Proposal,
    generator: np.random.Generator,
    count: int,
    rounds: int,
) -> Weighted:
    """Sample a density that is known up to a factor.

    Parameters
    ----------
    log_density
        Function of points (count, sites), vectorised; what is not a number counts as zero density.
    proposal
        Of the first round.
    generator
        Makes the draws.
    count, rounds
        Points of each round, and number of rounds.
    """
    proposals: list[Proposal] = []
    points, density = np.empty((0, len(proposal.wide))), np.empty(0)
    for step in range(rounds):
        fresh = proposal.sample(generator, count)
        at = log_density(fresh)
        points = np.concatenate([points, fresh])
        density = np.concatenate([density, np.where(np.isfinite(at), at, -np.inf)])
        proposals.append(proposal)
        proposed = logsumexp([each.log_density(points) for each in proposals], axis=0)
        log_weights = density - proposed
        log_weights = np.maximum(log_weights, log_weights.max() - RANGE)
        # as of log likelihoods that are taken away, which have the opposite sign
        smoothed, k = array_stats.psislw(-log_weights)
        weights = np.exp(smoothed - logsumexp(smoothed))
        effective = 1 / float((weights**2).sum())
        if step < rounds - 1:
            proposal = proposal.moved(points, weights, effective)
    return Weighted(points, weights, float(k), effective)
