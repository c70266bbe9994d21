"""How much each run counts in the coordinates that whiten discrepancies.

Under a likelihood with heavy tails a run far off says little, and coordinates that take it at its
word would put discrepancies where no draw is. So runs get the weights of iteratively reweighted
least squares, at a mode that is found with equal weights. They shape coordinates only: any would
give the same posterior.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from bayes_distill.inference.density import Hyper, expected
from bayes_distill.inference.initialisation import Gradient, modes, sites_of
from bayes_distill.inference.model import Data, ModelSpec

NEAR, LEAST, MOST = 1e-3, 0.02, 3.0


def weighed(spec: ModelSpec, data: Data, hyper: Hyper, gradient: Gradient) -> Hyper:
    """Hyperparameters with the weight of every run (rows,) in place of its information."""
    found = modes(spec, data, hyper, 1, 0, gradient)
    sites = sites_of(found.optima[0].x, found.zeros)
    mean, log_scale, parameters = jax.device_get(expected(spec)(sites, data, hyper))
    residual = (np.asarray(data.loss) - mean) / np.exp(log_scale)
    values: dict[str, Any] = jax.device_get(hyper["likelihood"]) | parameters
    likelihood = spec.likelihood(**{name: float(value) for name, value in values.items()})
    residual = np.where(np.abs(residual) < NEAR, NEAR, residual)
    weight = np.clip(-likelihood.slope(residual) / residual, LEAST, MOST)
    return {**hyper, "groups": {**hyper["groups"], "information": jax.device_put(weight)}}
