"""NUTS by NumPyro's functional kernel, for a driver that adapts between blocks of transitions.

`numpyro.infer.hmc.hmc` is written for NumPyro's `MCMC` class, which adapts within one call. The
driver (`warm_up`, `sampler`) sets inverse mass matrix and step size itself, for all chains, between
compiled blocks. With this kernel that takes some workarounds, all of them in this file:

* a state is made anew for every window, for the matrix and its Cholesky factor are part of it, and
  before any transition is traced, for the kernel remembers the settings of the start;
* the matrix is a dict of one block, named after all sites, with adaptation of it switched off;
* value and gradient at the start are passed as a `ParamInfo`: the program of the start would
  otherwise compile the model a second time;
* a step size is set by writing into the state of the adaptation;
* dual averaging is switched off by counting transitions as those after warm-up. The length of a
  window and the target acceptance are constants of the compiled program, and dual averaging starts
  anew a tenth before the end of a window, where NumPyro would have a new matrix.

BlackJAX's kernel takes both as arguments. Under this driver it draws as well, at the same speed for
few sites and slower for many (`benchmarks/kernels.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import jax
import numpy as np
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo

MAX_TREE_DEPTH = 10

Potential = Callable[[Any], jax.Array]


class Kernel(Protocol):
    """Transitions of one chain, and what the driver reads and sets between blocks.

    `start`, `transition` and `recorded` are traced; the other methods take states of all chains.
    """

    def start(
        self, key: Any, z: Any, value: Any, gradient: Any, inverse_mass_matrix: Any, step_size: Any
    ) -> Any:
        """State of one chain at `z`, where the potential has this value and gradient."""

    def transition(self, state: Any, arguments: Any) -> Callable[[Any], Any]:
        """One transition as a function of the state, for a block that begins with `state`."""

    def recorded(self, state: Any) -> tuple[Any, dict[str, jax.Array]]:
        """Position after a transition, and its statistics for the diagnostics."""

    def positions(self, state: Any) -> Any:
        """Positions (chains, ...)."""

    def step_sizes(self, state: Any) -> np.ndarray:
        """Step sizes (chains,)."""

    def with_step_size(self, state: Any, step_size: float) -> Any:
        """The state with one step size for all chains."""

    def without_adaptation(self, state: Any) -> Any:
        """The state with dual averaging of the step size switched off."""


class NumPyroNuts:
    """NumPyro's kernel for the potential that `potential_of(*arguments)` returns.

    Parameters
    ----------
    potential_of
        Function of the arguments; returns the negative log density of a dict of sites.
    window
        Transitions over which dual averaging adapts the step size after every start.
    target_accept
        Mean acceptance that the step size is adapted to.
    """

    def __init__(
        self, potential_of: Callable[..., Potential], window: int, target_accept: float
    ) -> None:
        self.window, self.target_accept = window, target_accept

        def potential_from(arguments: Any) -> Potential:
            return lambda z: potential_of(*arguments)(z)

        self._init, self._sample = hmc(potential_fn_gen=potential_from, algo="NUTS")

    def start(
        self, key: Any, z: Any, value: Any, gradient: Any, inverse_mass_matrix: Any, step_size: Any
    ) -> Any:
        """State of one chain at `z`, where the potential has this value and gradient."""
        sites = tuple(sorted(z))
        return self._init(
            ParamInfo(z, value, gradient),
            num_warmup=self.window,
            step_size=step_size,
            adapt_mass_matrix=False,  # estimated between windows, from all chains
            inverse_mass_matrix={sites: inverse_mass_matrix},
            dense_mass=[sites],
            target_accept_prob=self.target_accept,
            max_tree_depth=MAX_TREE_DEPTH,
            model_args=(None,),  # the potential is not evaluated
            rng_key=key,
        )

    def transition(self, state: Any, arguments: Any) -> Callable[[Any], Any]:
        """One transition as a function of the state."""
        del state
        return lambda state: self._sample(state, (arguments,))

    def recorded(self, state: Any) -> tuple[Any, dict[str, jax.Array]]:
        """Position after a transition, and its statistics for the diagnostics."""
        return state.z, {
            "diverging": state.diverging,
            "n_steps": state.num_steps,
            "acceptance_rate": state.accept_prob,
            "energy": state.energy,
            "lp": -state.potential_energy,
            "step_size": state.adapt_state.step_size,
        }

    def positions(self, state: Any) -> Any:
        """Positions (chains, ...)."""
        return state.z

    def step_sizes(self, state: Any) -> np.ndarray:
        """Step sizes (chains,)."""
        return np.asarray(state.adapt_state.step_size)

    def with_step_size(self, state: Any, step_size: float) -> Any:
        """The state with one step size for all chains: none is slower, or less exact."""
        step_sizes = np.full_like(self.step_sizes(state), step_size)
        return state._replace(adapt_state=state.adapt_state._replace(step_size=step_sizes))

    def without_adaptation(self, state: Any) -> Any:
        """The state with dual averaging of the step size switched off."""
        return state._replace(i=np.full_like(state.i, self.window))
