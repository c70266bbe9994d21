"""BlackJAX's NUTS kernel under the driver of this package, for the comparison in `kernels.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from numpyro.infer.hmc_util import IntegratorState, warmup_adapter

from bayes_distill.inference.kernel import MAX_TREE_DEPTH, NumPyroNuts


class BlackJaxState(NamedTuple):
    """State of one chain: position, potential and gradient, adaptation, and the last statistics."""

    z: Any
    potential_energy: Any
    gradient: Any
    transitions: Any
    adaptation: Any
    key: Any
    stats: dict[str, Any]


class BlackJaxNuts(NumPyroNuts):
    """BlackJAX's kernel, for the same driver; the metric is built once a block.

    Built in every transition, its Cholesky factor would be computed in each.
    """

    def __init__(self, potential_of: Callable[..., Any], window: int, target_accept: float) -> None:
        import blackjax

        self.potential_of, self.window = potential_of, window
        self.kernel = blackjax.nuts.build_kernel()
        self.dual_averaging = warmup_adapter(
            window, adapt_mass_matrix=False, dense_mass=True, target_accept_prob=target_accept
        )

    def start(
        self, key: Any, z: Any, value: Any, gradient: Any, inverse_mass_matrix: Any, step_size: Any
    ) -> BlackJaxState:
        """State of one chain at `z`, where the potential has this value and gradient."""
        key, key_adaptation = jax.random.split(key)
        here = IntegratorState(z=z, r=None, potential_energy=value, z_grad=gradient)
        adaptation = self.dual_averaging[0](here, key_adaptation, step_size, inverse_mass_matrix)
        zero, none = jax.numpy.zeros(()), jax.numpy.zeros((), int)
        stats = {
            "diverging": jax.numpy.zeros((), bool),
            "n_steps": none,
            "acceptance_rate": zero,
            "energy": zero,
        }
        return BlackJaxState(z, value, gradient, none, adaptation, key, stats)

    def metric(self, adaptation: Any) -> Any:
        """BlackJAX's metric of the dense matrix."""
        from blackjax.mcmc.metrics import gaussian_euclidean

        return gaussian_euclidean(adaptation.inverse_mass_matrix)

    def transition(self, state: BlackJaxState, arguments: Any) -> Callable[[Any], Any]:
        """One transition as a function of the state."""
        from blackjax.mcmc.hmc import HMCState

        potential_here = self.potential_of(*arguments)
        metric = self.metric(state.adaptation)

        def step(state: BlackJaxState) -> BlackJaxState:
            key, key_transition = jax.random.split(state.key)
            minus = partial(jax.tree.map, jax.numpy.negative)
            after, info = self.kernel(
                key_transition,
                HMCState(state.z, -state.potential_energy, minus(state.gradient)),
                lambda z: -potential_here(z),
                state.adaptation.step_size,
                metric,
                MAX_TREE_DEPTH,
            )
            value, gradient = -after.logdensity, minus(after.logdensity_grad)
            there = IntegratorState(after.position, None, value, gradient)
            adaptation = jax.lax.cond(
                state.transitions < self.window,
                lambda: self.dual_averaging[1](
                    state.transitions, info.acceptance_rate, there, state.adaptation
                ),
                lambda: state.adaptation,
            )
            stats = {
                "diverging": info.is_divergent,
                "n_steps": info.num_integration_steps,
                "acceptance_rate": info.acceptance_rate,
                "energy": info.energy,
            }
            return BlackJaxState(
                after.position,
                value,
                gradient,
                state.transitions + 1,
                adaptation,
                key,
                stats,
            )

        return step

    def recorded(self, state: BlackJaxState) -> tuple[Any, dict[str, Any]]:
        """Position after a transition, and its statistics for the diagnostics."""
        step_size = state.adaptation.step_size
        return state.z, {**state.stats, "lp": -state.potential_energy, "step_size": step_size}

    def step_sizes(self, state: BlackJaxState) -> np.ndarray:
        """Step sizes (chains,)."""
        return np.asarray(state.adaptation.step_size)

    def with_step_size(self, state: BlackJaxState, step_size: float) -> BlackJaxState:
        """The state with one step size for all chains."""
        step_sizes = np.full_like(self.step_sizes(state), step_size)
        return state._replace(adaptation=state.adaptation._replace(step_size=step_sizes))

    def without_adaptation(self, state: BlackJaxState) -> BlackJaxState:
        """The state with dual averaging of the step size switched off."""
        return state._replace(transitions=np.full_like(state.transitions, self.window))


class BlackJaxOwnMetric(BlackJaxNuts):
    """The same with a metric of our own, which computes no more than NumPyro's kernel does.

    The Cholesky factor comes from the state, where it is computed once a window, and the velocity
    is one product of matrix and momentum; BlackJAX differentiates the kinetic energy.
    """

    def metric(self, adaptation: Any) -> Any:
        """BlackJAX's metric, with its momenta and the gradient of its kinetic energy replaced."""
        inverse_mass_matrix = adaptation.inverse_mass_matrix

        @jax.custom_vjp
        def energy(flat: Any) -> Any:
            return 0.5 * jax.numpy.dot(inverse_mass_matrix @ flat, flat)

        def forward(flat: Any) -> Any:
            velocity = inverse_mass_matrix @ flat
            return 0.5 * jax.numpy.dot(velocity, flat), velocity

        energy.defvjp(forward, lambda velocity, slope: (slope * velocity,))

        def kinetic_energy(momentum: Any, position: Any = None) -> Any:
            del position
            return energy(ravel_pytree(momentum)[0])

        def sample_momentum(key: Any, position: Any) -> Any:
            flat, unravel = ravel_pytree(position)
            return unravel(adaptation.mass_matrix_sqrt @ jax.random.normal(key, flat.shape))

        return (
            super()
            .metric(adaptation)
            ._replace(kinetic_energy=kinetic_energy, sample_momentum=sample_momentum)
        )
