"""Value of information: by how much runs make the regret of a decision fall.

Before the runs the recipe with the least expected loss is taken, after them that with the least
expected loss given their outcomes. The fall of the expected regret is the difference of their
losses. While a design is made, expected losses given outcomes are normal (`LinearUpdate`), and
their least is averaged over simulated outcomes. A whole design is then judged by draws as truths:
outcomes are simulated from each, a regression that was learned from the other half of the draws
names the recipe, and its loss is that of the draw. So the value is of a rule that could be
followed, and no distribution is assumed for losses of recipes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import ndtri

from bayes_distill.identification.designs.decision import TAIL, Decision
from bayes_distill.identification.designs.linear_update import LinearUpdate, regression

OUTCOMES = 256
SCORES = 3
NEIGHBOURS = 48
RIDGE = 1e-3
LEAST_DRAWS = 20
BLOCK = 2**22  # numbers of one block
AHEAD = 1e-3
"""Weight of what a run tells of the differences of recipes, beside the value that it has alone: of
two runs that have a value only together, the first is found by it."""


class Value(NamedTuple):
    """Fall of the expected regret, and its Monte Carlo error; in the unit of the loss."""

    mean: float
    error: float


class DecisionGains:
    """Gains of candidates for a decision, beside those that were taken.

    Parameters
    ----------
    decision
        Its contrasts are the targets of `update`, side by side.
    update
        Of the candidates.
    seed
        Seed of simulated outcomes.
    """

    def __init__(self, decision: Decision, update: LinearUpdate, seed: int) -> None:
        self.update = update
        self._generator = np.random.default_rng([seed, 8])
        edges = np.cumsum([0, *(each.shape[1] for each in decision.losses)])
        self._parts = [slice(a, b) for a, b in pairwise(edges)]
        means = np.concatenate([each.mean(axis=0) for each in decision.losses])
        self._values = np.tile(means, (OUTCOMES, 1))
        self._best = [p.start + int(means[p].argmin()) for p in self._parts]
        self._chance = np.concatenate(
            [
                np.bincount(each.argmin(axis=1), minlength=each.shape[1]) / len(each)
                for each in decision.losses
            ]
        )
        self._next = self._outcomes()
        self._last = np.zeros(len(update.variance))
        self.taken: list[float] = []

    def __call__(self) -> np.ndarray:
        """Gain (candidates,) of each, with a little of what it tells of differences."""
        self._last = self.falls()
        return self._last + AHEAD * self._contrasts()

    def falls(self) -> np.ndarray:
        """Fall of the expected regret (candidates,), the mean over rows of the plan."""
        shifts = self.update.shifts()
        found = np.zeros(len(shifts))
        for part in self._parts:
            values, mine = self._values[:, part], shifts[:, part]
            before = values.min(axis=1).mean()
            size = max(1, BLOCK // values.size)
            for start in range(0, len(mine), size):
                block = slice(start, start + size)
                after = values + self._next[:, None] * mine[block, None, :]
                found[block] += before - after.min(axis=2).mean(axis=1)
        return np.maximum(found / len(self._parts), 0.0)

    def take(self, candidate: int) -> None:
        """Choose a candidate; `taken` has the falls of the regret by each, in order."""
        self.taken.append(float(self._last[candidate]))
        shift = self.update.take(candidate)
        self._values = self._values + self._next[:, None] * shift
        self._next = self._outcomes()

    def _contrasts(self) -> np.ndarray:
        """Root mean square (candidates,) of what is told of a recipe's loss over the best one's."""
        shifts = self.update.shifts()
        found = np.zeros(len(shifts))
        for part, best in zip(self._parts, self._best, strict=True):
            apart = shifts[:, part] - shifts[:, [best]]
            found += apart**2 @ self._chance[part]
        return np.asarray(np.sqrt(found / len(self._parts)))

    def _outcomes(self) -> np.ndarray:
        """Standard normal outcomes, evenly spaced in probability, in random order."""
        place = (self._generator.permutation(OUTCOMES) + 0.5) / OUTCOMES
        return np.asarray(ndtri(place))


def value_of(decision: Decision, runs: np.ndarray, noise: np.ndarray, seed: int) -> Value:
    """Value of a whole design; `runs` (draws, chosen) and `noise` (chosen,) are of its runs."""
    draws = len(runs)
    if runs.shape[1] == 0 or draws < LEAST_DRAWS:
        return Value(0.0, 0.0)
    generator = np.random.default_rng([seed, 9])
    # by run, so that the first runs of a longer design have the same outcomes
    measured = runs + np.sqrt(noise) * generator.standard_normal(runs.shape[::-1]).T
    ends = np.quantile(runs, [TAIL, 1 - TAIL], axis=0)
    runs, measured = np.clip(runs, *ends), np.clip(measured, *ends)
    halves = np.arange(draws) % 2 == 0
    fall = np.zeros(draws)
    for losses, contrasts in zip(decision.losses, decision.contrasts, strict=True):
        for known in (halves, ~halves):
            scores = _scores(runs[known], noise, contrasts[known], measured)
            told = _local(scores[known], contrasts[known], scores[~known])
            best = int(losses[known].mean(axis=0).argmin())
            truth = losses[~known]
            fall[~known] += truth[:, best] - truth[np.arange(len(truth)), told.argmin(axis=1)]
    fall /= len(decision.losses)
    return Value(float(fall.mean()), float(fall.std(ddof=1) / np.sqrt(draws)))


def _scores(
    runs: np.ndarray, noise: np.ndarray, contrasts: np.ndarray, measured: np.ndarray
) -> np.ndarray:
    """What outcomes `measured` (draws, runs) say of contrasts, in a few numbers (draws, scores).

    They are the principal parts of the linear rule from outcomes to contrasts, each with variance
    one.
    """
    centre, _, weights = regression(runs, noise, contrasts)
    linear = (measured - centre) @ weights
    _, sizes, directions = np.linalg.svd(linear - linear.mean(axis=0), full_matrices=False)
    count = max(1, int((sizes > 1e-6 * max(sizes[0], 1e-300)).sum()))
    scores = linear @ directions[: min(SCORES, count)].T
    return np.asarray((scores - scores.mean(axis=0)) / np.maximum(scores.std(axis=0), 1e-300))


def _local(known: np.ndarray, contrasts: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Mean contrasts (asked, recipes) at scores, from the nearest known: locally linear.

    The regression of nested simulation (Strong et al. 2015), which takes no distribution for
    granted. `known` (draws, scores) are scores with `contrasts` (draws, recipes).
    """
    count = min(NEIGHBOURS, len(known))
    _, places = cKDTree(known).query(asked, k=count)
    places = places.reshape(len(asked), count)
    apart = known[places] - asked[:, None, :]
    ones = np.ones((len(asked), count, 1))
    design = np.concatenate([ones, apart], axis=2)
    squares = np.einsum("aki,akj->aij", design, design)
    squares += np.diag([0.0, *[RIDGE * count] * known.shape[1]])
    # only the value at the point itself is wanted: weights of the neighbours
    first = np.linalg.solve(squares, np.eye(design.shape[2])[None, :, :1])[:, :, 0]
    weights = np.einsum("aki,ai->ak", design, first)
    return np.asarray(np.einsum("ak,akr->ar", weights, contrasts[places]))
