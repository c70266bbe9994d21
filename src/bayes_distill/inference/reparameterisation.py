"""Sampling coordinates: those of a law, transformed where they trade off along a curve.

Priors are stated on a law's coordinates; NUTS samples others, in which the posterior is closer to a
normal distribution. With u the unconstrained (log or logit) coordinates:

* Scales of the terms of a formula (`FormulaLaw.sheared`): the values of the terms at the reference
  point are sampled.
* Brackets of the law (`Law.brackets`). A slope times its share is the fall of the bracket at the
  reference student, which runs identify well; slope and share they identify less. So ``log slope +
  log share`` and ``log slope + log (1 - share)`` are sampled.
* Stretches of conditions (a student size on a number of tokens). Runs of a condition identify the
  sum of the law's log capacity (`TeacherLaw.student_bracket`) and the stretch, and the bracket only
  as well as stretches are small: along a ridge that bends as the law does. So stretches are sampled
  with the law's log capacity at their condition added.
* Curved tails (`Law.tail_reach`). Sampled is ``log b - reach exp(-b)``: the logarithm where b is
  large, and where it is small what the other coordinates follow. Chains that come into the tail of
  log b would need far smaller steps.

* Smooth discrepancies, what groups of runs share beside them, and the law that they surround. Runs
  identify the sum of law and discrepancy; in the coordinates of `inference.whitening` their
  posterior is nearly standard normal.

The first three are shears, which change no volume; the others have a Jacobian.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.whitening import (
    at_scales,
    coloured,
    coloured_law,
    is_whitened,
    whitened,
    whitened_law,
)
from bayes_distill.laws.base import Bracket, Reference, TeacherLaw
from bayes_distill.laws.bracket import log_bracket
from bayes_distill.laws.discrepancy import STRETCH_REACH

Sites = dict[str, Array]
STRETCH = "condition_stretch"
_LOGS = np.linspace(-6.0, 6.0, 241)  # where the inverse of a tail is looked up before it is refined


def forward(
    spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]
) -> tuple[Sites, Array]:
    """Unconstrained coordinates of the law from sampled ones.

    With the log of the determinant of the Jacobian.
    """
    if not is_whitened(spec):
        of_law = bent(spec, sites, hyper)
        return of_law, _log_volume(spec, of_law)
    scales = at_scales(spec, sites, hyper)
    sites, of_coordinates = coloured_law(spec, sites, hyper, scales)
    of_law = bent(spec, sites, hyper)
    volume = _log_volume(spec, of_law) + of_coordinates
    of_law, of_discrepancies = coloured(spec, of_law, data, hyper, scales)
    return of_law, volume + of_discrepancies


def bent(spec: ModelSpec, sites: Sites, hyper: dict[str, Any]) -> Sites:
    """The law's unconstrained coordinates from those in which ridges and tails are straight."""
    sites = spec.law.sheared(sites, -1.0)
    of_law = _stretched(spec, _sheared(spec.law.brackets, sites, -1.0), hyper, -1.0)
    tails = _tails(spec, of_law)
    return of_law | {name: _log_of(of_law[name], reach) for name, reach in tails.items()}


def inverse(spec: ModelSpec, sites: Sites, data: Data, hyper: dict[str, Any]) -> Sites:
    """Sampled coordinates from the law's unconstrained ones; inverse of `forward`."""
    if not is_whitened(spec):
        return _straight(spec, sites, hyper)
    scales = at_scales(spec, sites, hyper)
    sites = whitened(spec, sites, data, hyper, scales)
    return whitened_law(spec, _straight(spec, sites, hyper), hyper, scales)


def _straight(spec: ModelSpec, sites: Sites, hyper: dict[str, Any]) -> Sites:
    """Inverse of `bent`."""
    sampled = _sheared(spec.law.brackets, _stretched(spec, sites, hyper, 1.0), 1.0)
    sampled = spec.law.sheared(sampled, 1.0)
    tails = _tails(spec, sampled)
    return sampled | {name: _sampled_of(sampled[name], reach) for name, reach in tails.items()}


def _log_volume(spec: ModelSpec, of_law: Sites) -> Array:
    """Log of the determinant of the Jacobian of `bent`."""
    tails = _tails(spec, of_law)
    logs = [-jnp.log(_slope(of_law[name], reach)) for name, reach in tails.items()]
    return reduce(add, logs) if logs else jnp.zeros(())


def _tails(spec: ModelSpec, sites: Sites) -> Mapping[str, float]:
    """Coordinates with a curved tail that are among the sites, and their reach."""
    return {name: reach for name, reach in spec.law.tail_reach.items() if name in sites}


def _sampled_of(log_value: Any, reach: float) -> Any:
    return log_value - reach * jnp.exp(-jnp.exp(log_value))


def _slope(log_value: Array, reach: float) -> Array:
    """Derivative of `_sampled_of`, 1 to 1 + reach / e."""
    return 1 + reach * jnp.exp(log_value - jnp.exp(log_value))


def _log_of(sampled: Array, reach: float) -> Array:
    """Inverse of `_sampled_of`: looked up, then refined by Newton's method."""
    known = _sampled_of(_LOGS, reach)
    log_value = jnp.interp(sampled, known, _LOGS)
    log_value += sampled - jnp.clip(sampled, known[0], known[-1])  # beyond them it is a shift
    for _ in range(3):  # the last of which carries the derivative
        log_value = jax.lax.stop_gradient(log_value)
        log_value -= (_sampled_of(log_value, reach) - sampled) / _slope(log_value, reach)
    return log_value


def _stretched(spec: ModelSpec, of_law: Sites, hyper: dict[str, Any], sign: float) -> Sites:
    """With the log capacity of every condition added to its stretch, or subtracted."""
    bracket = spec.law.student_bracket if isinstance(spec.law, TeacherLaw) else None
    if f"{STRETCH}_z" not in of_law or bracket is None:
        return of_law
    groups = hyper["groups"]
    log_capacity = log_bracket(
        jnp.exp(of_law[bracket.level]),
        jax.nn.sigmoid(of_law[bracket.share]),
        jnp.exp(of_law[bracket.slope_params]),
        jnp.exp(of_law[bracket.slope_tokens]),
        1.0 if bracket.gamma is None else jnp.exp(of_law[bracket.gamma]),
        groups["condition_params"],
        groups["condition_tokens"],
        Reference(1.0, 1.0, 1.0),
    )
    # a stretch times X / (X + reach) is as much as its reach-th part in the log of X, for small X
    unit = jnp.exp(hyper[f"{STRETCH}_sd"][0])
    added = groups["condition"] * log_capacity * STRETCH_REACH / unit
    return of_law | {f"{STRETCH}_z": of_law[f"{STRETCH}_z"] + sign * added}


def _sheared(brackets: tuple[Bracket, ...], sites: Sites, sign: float) -> Sites:
    """With log shares added to the log slopes of the brackets that are sampled, or subtracted."""
    sheared = dict(sites)
    for bracket in brackets:
        share, params, tokens = bracket.share, bracket.slope_params, bracket.slope_tokens
        if {share, params, tokens} <= set(sites):
            sheared[params] = sites[params] + sign * jax.nn.log_sigmoid(sites[share])
            sheared[tokens] = sites[tokens] + sign * jax.nn.log_sigmoid(-sites[share])
    return sheared
