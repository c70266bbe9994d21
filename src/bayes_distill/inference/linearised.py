"""The law at a mode, for the coordinates that the runs whiten: weights of runs, a linear law.

Under a likelihood with heavy tails a run far off says little, and coordinates that take it at its
word would put discrepancies where no draw is. So runs get the weights of iteratively reweighted
least squares, at a mode that is found with equal weights. All of this shapes coordinates only: any
numbers would give the same posterior.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_distill.inference import reparameterisation
from bayes_distill.inference.density import Hyper, Sites, expected
from bayes_distill.inference.initialisation import Gradient, modes, sites_of
from bayes_distill.inference.linear_effects import effects_at, is_taught
from bayes_distill.inference.model import Data, ModelSpec, OfRows, mean_loss
from bayes_distill.inference.whitening import (
    LAW,
    is_law_whitened,
    with_equations,
    without_discrepancies,
)

NEAR, LEAST, MOST = 1e-3, 0.02, 3.0


def linearised(spec: ModelSpec, data: Data, hyper: Hyper, gradient: Gradient) -> Hyper:
    """Hyperparameters with what is known at a mode in place of what is assumed before."""
    found = modes(spec, data, hyper, 1, 0, gradient)
    sites = sites_of(found.optima[0].x, found.zeros)
    mean, log_scale, parameters = jax.device_get(expected(spec)(sites, data, hyper))
    residual = (np.asarray(data.loss) - mean) / np.exp(log_scale)
    values: dict[str, Any] = jax.device_get(hyper["likelihood"]) | parameters
    likelihood = spec.likelihood(**{name: float(value) for name, value in values.items()})
    residual = np.where(np.abs(residual) < NEAR, NEAR, residual)
    weight = np.clip(-likelihood.slope(residual) / residual, LEAST, MOST)
    linear = {**hyper["linear"], "weight": weight} | _law_at(spec)(sites, data, hyper)
    found_there = with_equations(spec, data, {**hyper, "linear": jax.device_get(linear)})
    return {**found_there, "linear": jax.device_put(found_there["linear"])}


@lru_cache(maxsize=64)
def _law_at(spec: ModelSpec) -> Any:
    """Compiled function of (one draw's sites, data, hyper): the law and its derivatives there."""

    def at(sites: Sites, data: Data, hyper: Hyper) -> dict[str, Any]:
        of_law, _ = reparameterisation.forward(spec, sites, data, hyper)
        zero = jnp.zeros_like(data.loss)

        def loss(point: dict[str, Array]) -> Array:
            values = without_discrepancies(spec, of_law | point, data, hyper)
            return mean_loss(spec, values, data, OfRows(zero, zero, zero))

        values = without_discrepancies(spec, of_law, data, hyper)
        mean = loss({})
        found = {
            "mean": mean,
            "residual": data.loss - mean,
            "effects": effects_at(spec, values, data),
        }
        if is_law_whitened(spec):
            derivative = jax.jacfwd(loss)({LAW: of_law[LAW]})[LAW]
            found["point"] = of_law[LAW]
            found["derivative"] = jnp.where(is_taught(data)[:, None], 0.0, derivative)
        return found

    return jax.jit(at)
