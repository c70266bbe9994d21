"""Sampling coordinates: straightened where the coordinates of a law trade off along a bend.

Priors are stated on a law's coordinates; NUTS moves through others, in which the posterior is
closer to a normal distribution. With u the unconstrained (log or logit) coordinates:

* a slope times its share is the fall of the bracket at the reference student, which runs know
  well; slope and share alone they know less. Sampled are ``log slope + log share`` and
  ``log slope + log (1 - share)``.
* `bend` is the softplus of ``r = w / f1``. What runs see of it is proportional to ``exp(-r)``, and
  may be nothing. Sampled is v, with ``exp(-r) = 0.03 softplus(v)``: even where runs see the bend,
  and like r where they do not.

The first is a shear, which changes no volume; the second has a derivative, which is returned.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from bayes_distill.laws.softplus import inverse_softplus, log_softplus

Sites = dict[str, Array]
SEEN = 0.03  # exp(-r) that some hundred runs make out
BRACKETS = (
    ("share", "slope_params", "slope_tokens"),
    ("student_share", "student_slope_params", "student_slope_tokens"),
)


def to_law(sites: Sites) -> tuple[Sites, Array]:
    """Unconstrained coordinates of the law from sampled ones, and the log derivative."""
    found, log_derivative = dict(sites), jnp.zeros(())
    for share, params, tokens in BRACKETS:
        if {share, params, tokens} <= set(sites):
            found[params] = sites[params] - jax.nn.log_sigmoid(sites[share])
            found[tokens] = sites[tokens] - jax.nn.log_sigmoid(-sites[share])
    if "bend" in sites:
        v = sites["bend"]
        r = -(jnp.log(SEEN) + log_softplus(v))
        found["bend"] = log_softplus(r)
        log_derivative = (
            jax.nn.log_sigmoid(r) - log_softplus(r) + jax.nn.log_sigmoid(v) - log_softplus(v)
        )
    return found, log_derivative


def from_law(sites: Sites) -> Sites:
    """Sampled coordinates from the law's unconstrained ones; inverse of `to_law`."""
    found = dict(sites)
    for share, params, tokens in BRACKETS:
        if {share, params, tokens} <= set(sites):
            found[params] = sites[params] + jax.nn.log_sigmoid(sites[share])
            found[tokens] = sites[tokens] + jax.nn.log_sigmoid(-sites[share])
    if "bend" in sites:
        r = inverse_softplus(jnp.exp(sites["bend"]))
        found["bend"] = inverse_softplus(jnp.exp(-r) / SEEN)
    return found
