"""Whether bands hold what they promise: a share of left-out runs, and what may be said of it.

The number of runs inside their bands is compared with a binomial distribution. Runs of one cluster
(a label in the column ``group``, or else a student size) tend to be inside together or outside
together, so they count as fewer than they are: n runs count as

    n / (1 + (m - 1) r),    m = sum of squared sizes of clusters / n,

where r is the intraclass correlation of being inside, estimated by analysis of variance (Kish 1965,
section 5.4; Fleiss 1981, section 8.3). A single cluster has no r; its runs count as they are.
Bands are called too narrow where so few runs inside would have a probability below 5%, and too
wide where so many would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betainc

DOUBT = 0.05
Bands = Literal["too narrow", "as stated", "too wide"]


@dataclass(frozen=True)
class Held:
    """A share of runs inside bands of probability `level`, and how many runs that is worth."""

    share: float
    level: float
    effective: float

    @property
    def p_fewer(self) -> float:
        """Probability of at most so many inside, if bands are as stated."""
        inside = self.share * self.effective
        outside = self.effective - inside
        if outside <= 0:
            return 1.0
        return float(betainc(outside, inside + 1, 1 - self.level))

    @property
    def p_more(self) -> float:
        """Probability of at least so many inside, if bands are as stated."""
        inside = self.share * self.effective
        return (
            1.0 if inside <= 0 else float(betainc(inside, self.effective - inside + 1, self.level))
        )

    @property
    def verdict(self) -> Bands:
        """What may be said of the bands."""
        if self.p_fewer < DOUBT:
            return "too narrow"
        return "too wide" if self.p_more < DOUBT else "as stated"

    def __str__(self) -> str:
        return words(self.share, self.level, self.verdict)


def words(share: float, level: float, verdict: str) -> str:
    """One phrase: ``held 56% of 90%: too narrow``."""
    return f"held {100 * share:.0f}% of {100 * level:g}%: {verdict}"


def held(inside: np.ndarray, clusters: np.ndarray, level: float) -> Held:
    """Judge bands of probability `level` by the runs.

    Parameters
    ----------
    inside
        Whether each run is inside its band, (runs,).
    clusters
        Labels of what runs belong together, (runs,).
    """
    return Held(float(np.mean(inside)), level, effective_runs(inside, clusters))


def effective_runs(inside: np.ndarray, clusters: np.ndarray) -> float:
    """How many independent runs these count as; see the module."""
    place = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    n, sizes = len(place), np.bincount(place)
    if len(sizes) < 2 or len(sizes) == n:
        return float(n)
    value = np.asarray(inside, float)
    means = np.bincount(place, value) / sizes
    between = float((sizes * (means - value.mean()) ** 2).sum() / (len(sizes) - 1))
    within = float(((value - means[place]) ** 2).sum() / (n - len(sizes)))
    usual = (n - (sizes**2).sum() / n) / (len(sizes) - 1)
    total = between + (usual - 1) * within
    r = float(np.clip((between - within) / total, 0.0, 1.0)) if total > 0 else 0.0
    return float(n / (1 + ((sizes**2).sum() / n - 1) * r))
