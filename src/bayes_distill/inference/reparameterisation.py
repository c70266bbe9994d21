"""Sampling coordinates: straightened where the coordinates of a law trade off along a curve.

Priors are stated on a law's coordinates; NUTS moves through others, in which the posterior is
closer to a normal distribution. A slope times its share is the fall of the bracket at the
reference student, which runs know well; slope and share alone they know less. So, with u the
unconstrained (log or logit) coordinates, ``log slope + log share`` and ``log slope +
log (1 - share)`` are sampled. That is a shear: it changes no volume, and no density.

So is the other one. Where a condition (a student size on a number of tokens) has a stretch of its
own, its runs know what law and stretch make of its capacity term together, and share, slopes and
gamma of the law alone only as well as stretches are small: along a ridge that bends as the law
does. So stretches are sampled with the law's log capacity at their condition added.

Where the gap opens late (a large ``bend`` b) runs do not see when. Where it opens early, the other
coordinates make up for it in proportion to exp(-b), so that in log b the posterior has a tail that
curves away, and chains that come there need far smaller steps. So ``log b - BEND_REACH exp(-b)``
is sampled: the logarithm where b is large, and where it is small what the others follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_distill.laws.base import Reference
from bayes_distill.laws.bracket import log_bracket
from bayes_distill.laws.discrepancy import STRETCH_REACH

if TYPE_CHECKING:
    from bayes_distill.inference.model import ModelSpec

Sites = dict[str, Array]
BRACKETS = (
    ("share", "slope_params", "slope_tokens"),
    ("student_share", "student_slope_params", "student_slope_tokens"),
)


CAPACITY = (
    "student_level",
    "student_share",
    "student_slope_params",
    "student_slope_tokens",
    "student_gamma",
)
STRETCH = "condition_stretch"
BEND = "bend"
BEND_REACH = 10.0
_LOG_BENDS = np.linspace(-6.0, 6.0, 241)  # where the inverse is looked up before it is refined


def forward(spec: ModelSpec, sites: Sites, hyper: dict[str, Any]) -> Sites:
    """Unconstrained coordinates of the law from sampled ones."""
    found = _stretched(spec, _sheared(sites, -1.0), hyper, -1.0)
    return found | {BEND: _log_bend(found[BEND])} if BEND in found else found


def inverse(spec: ModelSpec, sites: Sites, hyper: dict[str, Any]) -> Sites:
    """Sampled coordinates from the law's unconstrained ones; inverse of `forward`."""
    found = _sheared(_stretched(spec, sites, hyper, 1.0), 1.0)
    return found | {BEND: _sampled_bend(found[BEND])} if BEND in found else found


def log_volume(of_law: Sites) -> Array:
    """Log of the volume that `forward` makes of a unit's, at what it returned."""
    return -jnp.log(_slope(of_law[BEND])) if BEND in of_law else jnp.zeros(())


def _sampled_bend(log_bend: Any) -> Any:
    return log_bend - BEND_REACH * jnp.exp(-jnp.exp(log_bend))


def _slope(log_bend: Array) -> Array:
    """Derivative of `_sampled_bend`, 1 to 1 + BEND_REACH / e."""
    return 1 + BEND_REACH * jnp.exp(log_bend - jnp.exp(log_bend))


def _log_bend(sampled: Array) -> Array:
    """Inverse of `_sampled_bend`: looked up, then refined by Newton's method."""
    known = _sampled_bend(_LOG_BENDS)
    found = jnp.interp(sampled, known, _LOG_BENDS)
    found += sampled - jnp.clip(sampled, known[0], known[-1])  # beyond them it is a shift
    for _ in range(3):  # the last of which carries the derivative
        found = jax.lax.stop_gradient(found)
        found -= (_sampled_bend(found) - sampled) / _slope(found)
    return found


def _stretched(spec: ModelSpec, of_law: Sites, hyper: dict[str, Any], sign: float) -> Sites:
    """With the log capacity of every condition added to its stretch, or taken away."""
    if STRETCH not in spec.shared or not set(CAPACITY) <= set(of_law):
        return of_law
    level, share, by_params, by_tokens, gamma = (of_law[name] for name in CAPACITY)
    groups = hyper["groups"]
    log_capacity = log_bracket(
        jnp.exp(level),
        jax.nn.sigmoid(share),
        jnp.exp(by_params),
        jnp.exp(by_tokens),
        jnp.exp(gamma),
        groups["condition_params"],
        groups["condition_tokens"],
        Reference(1.0, 1.0, 1.0),
    )
    # a stretch times X / (X + reach) is as much as its reach-th part in the log of X, for small X
    unit = jnp.exp(hyper[f"{STRETCH}_sd"][0])
    added = groups["condition"] * log_capacity * STRETCH_REACH / unit
    return of_law | {f"{STRETCH}_z": of_law[f"{STRETCH}_z"] + sign * added}


def _sheared(sites: Sites, sign: float) -> Sites:
    found = dict(sites)
    for share, params, tokens in BRACKETS:
        if {share, params, tokens} <= set(sites):
            found[params] = sites[params] + sign * jax.nn.log_sigmoid(sites[share])
            found[tokens] = sites[tokens] + sign * jax.nn.log_sigmoid(-sites[share])
    return found
