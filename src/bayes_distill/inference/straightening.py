"""Coordinates of a supervised law in which few runs leave a posterior that is nearly elliptical.

NUTS samples logs of floor and level, and log slopes sheared by the share. Where runs hardly tell
the floor, these follow each other along a bent ridge, which a normal distribution at a mode misses.
Straight coordinates are the log loss at the reference, T = log(floor + level), the log odds of the
level, q = log(level / floor), and the logs of the local slopes of the log loss: of the sampled ones
log(level / (floor + level)) more, and log gamma where that is sampled. These are the numbers of
`joint_prior`; a card with such a prior needs no straightening. No volume changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

FLOOR, LEVEL, GAMMA = "floor", "level", "gamma"
SLOPES = ("slope_params", "slope_tokens")

Sites = dict[str, np.ndarray]


def is_bent(sites: Mapping[str, np.ndarray]) -> bool:
    """Whether the sites are those of a supervised law with priors of their own."""
    return {FLOOR, LEVEL, *SLOPES} <= set(sites)


def straightened(sites: Mapping[str, np.ndarray]) -> Sites:
    """Straight coordinates (draws, ...) from sampled ones."""
    found = dict(sites)
    if not is_bent(sites):
        return found
    total = np.logaddexp(sites[FLOOR], sites[LEVEL])
    found |= {FLOOR: total, LEVEL: sites[LEVEL] - sites[FLOOR]}
    for name in SLOPES:
        found[name] = sites[name] + sites[LEVEL] - total + sites.get(GAMMA, 0.0)
    return found


def bent(straight: Mapping[str, np.ndarray]) -> Sites:
    """Sampled coordinates from straight ones; inverse of `straightened`."""
    found = dict(straight)
    if not is_bent(straight):
        return found
    total, odds = straight[FLOOR], straight[LEVEL]
    floor = total - np.logaddexp(0.0, odds)
    found |= {FLOOR: floor, LEVEL: floor + odds}
    for name in SLOPES:
        found[name] = straight[name] - (floor + odds - total) - straight.get(GAMMA, 0.0)
    return found


def straight_slope(straight: Mapping[str, np.ndarray], slope: Mapping[str, np.ndarray]) -> Sites:
    """Gradient along straight coordinates from that along sampled ones, at one point."""
    found = dict(slope)
    if not is_bent(straight):
        return found
    share = 1 / (1 + np.exp(-straight[LEVEL]))
    of_slopes = sum(slope[name] for name in SLOPES)
    found[FLOOR] = slope[FLOOR] + slope[LEVEL]
    found[LEVEL] = (1 - share) * (slope[LEVEL] - of_slopes) - share * slope[FLOOR]
    if GAMMA in straight:
        found[GAMMA] = slope[GAMMA] - of_slopes
    return found
