"""A likelihood as a NumPyro distribution, for families that NumPyro does not have."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_distill._runtime.numpyro import distributions as dist


class LocationScale(dist.Distribution):
    """``loc + scale * z``, with z of a likelihood.

    Parameters
    ----------
    family
        The class of the likelihood, a `likelihoods.base.Likelihood`.
    loc, scale
        Arrays that broadcast.
    parameters
        Values of the likelihood's parameters, which broadcast with both.
    """

    support = dist.constraints.real
    pytree_data_fields = ("loc", "scale", "parameters")
    pytree_aux_fields = ("family",)

    def __init__(
        self,
        family: type[Any],
        loc: Any,
        scale: Any,
        parameters: dict[str, Any],
        *,
        validate_args: bool | None = None,
    ) -> None:
        self.family, self.parameters = family, parameters
        self.loc, self.scale = loc, scale
        shapes = (jnp.shape(value) for value in (loc, scale, *parameters.values()))
        super().__init__(jnp.broadcast_shapes(*shapes), validate_args=validate_args)

    def log_prob(self, value: Any, intermediates: list[Any] | None = None) -> Array:
        """Log density of values, per unit of the value."""
        del intermediates  # NumPyro's, of transformed distributions
        density: Array = self.family(**self.parameters).log_density(value, self.loc, self.scale)
        return density

    def sample(self, key: Array | None, sample_shape: tuple[int, ...] = ()) -> Array:
        """Draw values by their quantiles, which NumPy works out."""
        assert key is not None
        shape = (*sample_shape, *self.batch_shape)
        uniform = jax.random.uniform(key, shape, jnp.result_type(float))
        names = tuple(self.parameters)

        def quantile(p: Array, *values: Array) -> np.ndarray:
            likelihood = self.family(**dict(zip(names, map(np.asarray, values), strict=True)))
            return np.asarray(likelihood.quantile(np.asarray(p)), uniform.dtype)

        values = (jnp.broadcast_to(jnp.asarray(v, float), shape) for v in self.parameters.values())
        result = jax.ShapeDtypeStruct(shape, uniform.dtype)
        z = jax.pure_callback(quantile, result, uniform, *values, vmap_method="broadcast_all")
        return jnp.asarray(self.loc + self.scale * z)
