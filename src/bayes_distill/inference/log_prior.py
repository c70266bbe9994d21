"""Log prior density of every sampled site, draw by draw: the group ``log_prior``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import jax
import numpyro

from bayes_distill.inference.density import Hyper, Sites
from bayes_distill.inference.model import Data, ModelSpec, scaling_law_model


@lru_cache(maxsize=64)
def log_prior(spec: ModelSpec) -> Callable[[Sites, Data, Hyper], Sites]:
    """Compiled function of (sites (draws, ...), data, hyper): log prior density by site (draws,).

    Densities are of the sites as the model samples them, on their natural scale; those of a vector
    are summed, so that there is one number a draw. Sites that the model does not sample
    (deterministic ones) may be among the arguments and are ignored.
    """
    model = partial(scaling_law_model, spec)

    def one(sites: Sites, data: Data, hyper: Hyper) -> Sites:
        at = numpyro.handlers.substitute(model, data=sites)
        trace = numpyro.handlers.trace(at).get_trace(data, hyper)
        return {
            name: site["fn"].log_prob(site["value"]).sum()
            for name, site in trace.items()
            if site["type"] == "sample" and not site["is_observed"]
        }

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))
