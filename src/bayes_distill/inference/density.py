"""The model's density on the real line: potential, prior draws, and back to coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
from jax import Array
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn

from bayes_distill.inference import reparameterisation
from bayes_distill.inference.model import (
    OBSERVED,
    Data,
    ModelSpec,
    likelihood_of,
    mean_loss,
    noise_scale,
    scaling_law_model,
)

Hyper = dict[str, Any]
Sites = dict[str, Array]


def potential(spec: ModelSpec, data: Data, hyper: Hyper) -> Callable[[Sites], Array]:
    """Negative log density of the sites that are sampled: unconstrained and straightened."""
    return lambda sites: _potential(spec, sites, data, hyper)


# compiled here, though only ever called from compiled code: NUTS mentions the potential in many
# places, and a function that is compiled already is traced once for all of them
@partial(jax.jit, static_argnums=0)
def _potential(spec: ModelSpec, sites: Sites, data: Data, hyper: Hyper) -> Array:
    of_law, log_volume = reparameterisation.forward(spec, sites, data, hyper)
    value: Array = potential_energy(partial(scaling_law_model, spec), (data, hyper), {}, of_law)
    return value - log_volume


@lru_cache(maxsize=64)
def gradient_of_all(
    spec: ModelSpec,
) -> Callable[[Mapping[str, Any], tuple[Data, Hyper]], tuple[Any, Sites]]:
    """Compiled function of (one draw's sites, (data, hyper)): the potential, and its gradient."""
    return jax.jit(lambda sites, arguments: jax.value_and_grad(potential(spec, *arguments))(sites))


@lru_cache(maxsize=64)
def potentials(spec: ModelSpec) -> Callable[[Mapping[str, Any], Data, Hyper], Array]:
    """Compiled function of (sites (draws, ...), data, hyper): the potential of each, (draws,)."""

    def one(sites: Sites, data: Data, hyper: Hyper) -> Array:
        return potential(spec, data, hyper)(sites)

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


@lru_cache(maxsize=64)
def prior_sampler(spec: ModelSpec) -> Callable[[Array, Data, Hyper], Sites]:
    """Compiled function of (keys, data, hyper): draws from the prior (keys, ...).

    They are in sampling coordinates, as the potential takes them. Keys are those of JAX, or their
    numbers (keys, 2).
    """
    model = partial(scaling_law_model, spec)

    def one(key: Array, data: Data, hyper: Hyper) -> Sites:
        latent = _sites_of(_prior_trace(spec, key, data, hyper), "sample")
        unconstrained: Sites = unconstrain_fn(model, (data, hyper), {}, latent)
        return reparameterisation.inverse(spec, unconstrained, data, hyper)

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


@lru_cache(maxsize=64)
def prior_values(spec: ModelSpec) -> Callable[[Array, Data, Hyper], Sites]:
    """Compiled function of (keys, data, hyper): all coordinates and scales, from the prior.

    They are what `constrainer` makes of the draws that `prior_sampler` has for these keys, without
    the way through sampling coordinates.
    """

    def one(key: Array, data: Data, hyper: Hyper) -> Sites:
        return _sites_of(_prior_trace(spec, key, data, hyper), "sample", "deterministic")

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def _prior_trace(spec: ModelSpec, key: Array, data: Data, hyper: Hyper) -> Any:
    seeded = numpyro.handlers.seed(partial(scaling_law_model, spec), key)
    return numpyro.handlers.trace(seeded).get_trace(data, hyper)


def _sites_of(trace: Any, *types: str) -> Sites:
    """Values of the sites of these types that are not observed."""
    return {
        name: site["value"]
        for name, site in trace.items()
        if site["type"] in types and not site.get("is_observed", False)
    }


@lru_cache(maxsize=64)
def constrainer(spec: ModelSpec) -> Callable[[Sites, Data, Hyper], Sites]:
    """Compiled function of (sites (draws, ...), data, hyper): all coordinates and scales."""
    model = partial(scaling_law_model, spec)

    def one(sites: Sites, data: Data, hyper: Hyper) -> Sites:
        of_law, _ = reparameterisation.forward(spec, sites, data, hyper)
        values = constrain_fn(model, (data, hyper), {}, of_law, return_deterministic=True)
        return {name: v for name, v in values.items() if name not in OBSERVED}

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


@lru_cache(maxsize=64)
def expected(
    spec: ModelSpec,
) -> Callable[[Mapping[str, Any], Data, Hyper], tuple[Array, Array, Sites]]:
    """Compiled function of (one draw's sites, data, hyper), which are in sampling coordinates.

    Returns the mean loss and the log residual scale of every run (rows,), and the parameters of
    the likelihood that are sampled.
    """

    def location_scale(sites: Sites, data: Data, hyper: Hyper) -> tuple[Array, Array, Sites]:
        of_law, _ = reparameterisation.forward(spec, sites, data, hyper)
        model = partial(scaling_law_model, spec)
        values = constrain_fn(model, (data, hyper), {}, of_law, return_deterministic=True)
        mean = mean_loss(spec, values, data)
        parameters = {name: values[name] for name, _ in spec.parameters}
        return mean, jnp.log(noise_scale(spec, values, mean, data)), parameters

    return jax.jit(location_scale)


@lru_cache(maxsize=64)
def pointwise(spec: ModelSpec) -> Callable[[Sites, Data, Hyper], dict[str, Array]]:
    """Compiled function of (coordinates and scales (draws,), data, hyper), by run.

    Returns `mean` and `scale` (draws, rows) and `log_likelihood` (draws, rows), all in units of
    the reference loss.
    """

    def one(sites: Sites, data: Data, hyper: Hyper) -> dict[str, Any]:
        mean = mean_loss(spec, sites, data)
        scale = noise_scale(spec, sites, mean, data)
        noise = likelihood_of(spec, sites, hyper).distribution(mean, scale)
        return {"mean": mean, "scale": scale, "log_likelihood": noise.log_prob(data.loss)}

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))
