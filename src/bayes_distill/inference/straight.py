"""Sampling coordinates: straightened where the coordinates of a law trade off along a bend.

Priors are stated on a law's coordinates; NUTS moves through others, in which the posterior is
closer to a normal distribution. A slope times its share is the fall of the bracket at the
reference student, which runs know well; slope and share alone they know less. So, with u the
unconstrained (log or logit) coordinates, ``log slope + log share`` and ``log slope +
log (1 - share)`` are sampled. That is a shear: it changes no volume, and no density.
"""

from __future__ import annotations

import jax
from jax import Array

Sites = dict[str, Array]
BRACKETS = (
    ("share", "slope_params", "slope_tokens"),
    ("student_share", "student_slope_params", "student_slope_tokens"),
)


def to_law(sites: Sites) -> Sites:
    """Unconstrained coordinates of the law from sampled ones."""
    return _sheared(sites, -1.0)


def from_law(sites: Sites) -> Sites:
    """Sampled coordinates from the law's unconstrained ones; inverse of `to_law`."""
    return _sheared(sites, 1.0)


def _sheared(sites: Sites, sign: float) -> Sites:
    found = dict(sites)
    for share, params, tokens in BRACKETS:
        if {share, params, tokens} <= set(sites):
            found[params] = sites[params] + sign * jax.nn.log_sigmoid(sites[share])
            found[tokens] = sites[tokens] + sign * jax.nn.log_sigmoid(-sites[share])
    return found
