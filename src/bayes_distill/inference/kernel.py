"""NUTS as compiled programs: initialisation, and a block of transitions of all chains.

NumPyro's functional kernel is used instead of its `MCMC` class because the transitions then run
in blocks of our choosing: progress is reported between them, nothing is dispatched op by op, and
data are arguments of the compiled program, so refits of the same shape compile nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from numpyro.infer.hmc import hmc

BLOCK = 100
MAX_TREE_DEPTH = 10


def _kept(state: Any) -> tuple[Any, dict[str, jax.Array]]:
    """What is kept of a state: positions, and what diagnostics ask for."""
    return state.z, {
        "diverging": state.diverging,
        "n_steps": state.num_steps,
        "acceptance_rate": state.accept_prob,
        "energy": state.energy,
        "lp": -state.potential_energy,
        "step_size": state.adapt_state.step_size,
    }


class Programs(NamedTuple):
    """Compiled parts of NUTS for one model: initialisation, and a block of transitions."""

    start: Callable[..., Any]
    advance: Callable[..., Any]


def nuts_programs(
    potential_of: Callable[..., Callable[[Any], jax.Array]],
    warmup: int,
    target_accept: float,
    axes: tuple[int | None, ...] | None = None,
) -> Programs:
    """Compile NUTS for the potential that `potential_of(*arguments)` gives.

    The arguments (data and hyperparameters) are traced: other arguments of the same shapes
    compile nothing. `axes` says, as for `vmap`, along which axis of an argument every chain has
    its own; by default all chains share all of them.
    """
    init_kernel, sample_kernel = hmc(potential_fn_gen=potential_of, algo="NUTS")

    @jax.jit
    def start(
        keys: jax.Array, z: Any, inverse_mass: jax.Array, step_size: Any, arguments: Any
    ) -> Any:
        def one(key: jax.Array, z: Any, arguments: Any) -> Any:
            return init_kernel(
                z,
                num_warmup=warmup,
                step_size=step_size,
                adapt_mass_matrix=False,  # done between windows, for all chains at once
                inverse_mass_matrix={tuple(sorted(z)): inverse_mass},
                dense_mass=[tuple(sorted(z))],
                target_accept_prob=target_accept,
                max_tree_depth=MAX_TREE_DEPTH,
                model_args=arguments,
                rng_key=key,
            )

        return jax.vmap(one, in_axes=(0, 0, axes))(keys, z, arguments)

    @jax.jit
    def advance(state: Any, arguments: Any, steps: jax.Array) -> Any:
        """Up to `BLOCK` transitions; `steps` is traced, so that one program serves any number."""

        def body(i: jax.Array, carry: Any) -> Any:
            state = jax.vmap(sample_kernel, in_axes=(0, axes))(carry[0], arguments)
            kept = jax.tree.map(lambda all_, new: all_.at[i].set(new), carry[1], _kept(state))
            return state, kept

        empty = jax.tree.map(lambda leaf: jnp.zeros((BLOCK, *leaf.shape), leaf.dtype), _kept(state))
        return jax.lax.fori_loop(0, steps, body, (state, empty))

    return Programs(start, advance)
