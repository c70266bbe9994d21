"""NUTS as compiled programs: where chains begin, and a block of transitions of all of them.

NumPyro's functional kernel is used instead of its `MCMC` class because the transitions then run
in blocks of our choosing: progress is reported between them, nothing is dispatched op by op, and
data are arguments of the compiled program, so refits of the same shape compile nothing.

On a CPU every chain is a call of the same program, on a thread of its own: a core each, and no
chain waits for the longest tree of the others. That program has branches where one of all chains
computes both sides and selects, and compiles in half the time. On an accelerator, where a small
program leaves most of the device idle, all chains are one program.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import jax
import numpy as np
from numpyro.infer.hmc import hmc

from bayes_distill._runtime.compile_ahead import ahead
from bayes_distill._runtime.threads import on_cores

BLOCK = 100
MAX_TREE_DEPTH = 10


class Programs:
    """NUTS for the potential that `potential_of(*arguments)` gives.

    The arguments (data and hyperparameters) are traced: other arguments of the same shapes
    compile nothing.

    Parameters
    ----------
    potential_of
        Function of the arguments; returns the negative log density of a dict of sites.
    warmup
        Transitions over which the step size is adapted after every start.
    target_accept
        Mean acceptance that the step size is adapted to.
    axes
        As for `vmap`: along which axis of an argument every chain has its own, 0 or ``None``. By
        default all chains share all arguments.
    vectorised
        Whether all chains are one program; by default, unless the device is a CPU.
    """

    def __init__(
        self,
        potential_of: Callable[..., Callable[[Any], jax.Array]],
        warmup: int,
        target_accept: float,
        axes: tuple[int | None, ...] | None = None,
        vectorised: bool | None = None,
    ) -> None:
        self.axes = axes
        self.vectorised = jax.default_backend() != "cpu" if vectorised is None else vectorised

        def gradient(z: Any, arguments: tuple[Any, ...]) -> Any:
            return jax.value_and_grad(potential_of(*arguments))(z)

        def potential_from(arguments: Any, known: Any) -> Callable[[Any], Any]:
            """The potential, or, for the one point where it is known, its tangent there."""
            if known is None:
                return potential_of(*arguments)
            at, value, slope = known

            def tangent(z: Any) -> Any:
                return value + sum(jax.tree.leaves(jax.tree.map(_product, slope, z, at)))

            return tangent

        init_kernel, sample_kernel = hmc(potential_fn_gen=potential_from, algo="NUTS")

        def start(key: Any, z: Any, value: Any, slope: Any, inverse_mass: Any, step: Any) -> Any:
            return init_kernel(
                z,
                num_warmup=warmup,
                step_size=step,
                adapt_mass_matrix=False,  # done between windows, for all chains at once
                inverse_mass_matrix={tuple(sorted(z)): inverse_mass},
                dense_mass=[tuple(sorted(z))],
                target_accept_prob=target_accept,
                max_tree_depth=MAX_TREE_DEPTH,
                model_args=(None, (z, value, slope)),
                rng_key=key,
            )

        def advance(state: Any, arguments: Any, steps: Any) -> Any:
            def body(i: Any, carry: Any) -> Any:
                state = sample_kernel(carry[0], (arguments, None))
                kept = jax.tree.map(lambda all_, new: all_.at[i].set(new), carry[1], _kept(state))
                return state, kept

            def empty(leaf: Any) -> Any:
                return jax.numpy.zeros((BLOCK, *leaf.shape), leaf.dtype)

            nothing = jax.tree.map(empty, _kept(state))
            return jax.lax.fori_loop(0, steps, body, (state, nothing))

        if self.vectorised:
            advance = jax.vmap(advance, in_axes=(0, axes, None), out_axes=(0, 1))
        self._advance = jax.jit(advance)
        self._start = jax.jit(jax.vmap(start, in_axes=(0, 0, 0, 0, None, None)))
        self.gradient = jax.jit(gradient)
        """Potential of one point, a dict of sites, and its gradient, given the arguments."""

    def ahead(self, point: Any, arguments: Any, chains: int) -> list[Future[Any]]:
        """Begin to compile for sites of the shapes of `point`, arguments, and so many chains.

        Compiled are, in this order, what `gradient`, `start` and `advance` call.
        """
        own = self._own(arguments, _without_first)
        sites = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(point))
        z = jax.tree.map(lambda leaf: _shape((chains, *leaf.shape), leaf.dtype), point)
        keys, values = _shape((chains, 2), np.uint32), _shape((chains,), float)
        begin = (keys, z, values, z, _shape((sites, sites), float), _shape((), float))
        state = jax.eval_shape(self._start, *begin)
        one = (jax.tree.map(_without_first, state), own)
        of_advance = (state, arguments) if self.vectorised else one
        gradient = ahead(self.gradient, point, own)
        advance = ahead(self._advance, *of_advance, _shape((), int))  # takes longest, so it begins
        return [gradient, ahead(self._start, *begin), advance]

    def start(
        self, keys: np.ndarray, z: Any, inverse_mass: np.ndarray, step_size: float, arguments: Any
    ) -> Any:
        """State of all chains at `z` (chains, ...), each with a key (chains, 2) of its own."""

        def known(chain: int) -> Any:
            return self.gradient(*self._of_chain(chain, z, arguments))

        values, slopes = _stacked(jax.device_get([known(chain) for chain in range(len(keys))]))
        step = np.asarray(step_size, float)
        state = self._start(keys, jax.device_get(z), values, slopes, inverse_mass, step)
        return state if self.vectorised else jax.device_get(state)

    def advance(self, state: Any, arguments: Any, steps: int) -> tuple[Any, tuple[Any, Any]]:
        """Up to `BLOCK` transitions; the state after, and draws and statistics of every one.

        Draws are (BLOCK, chains, ...), of which the first `steps` are told. One program serves any
        number of steps; call `compile` first.
        """
        number = np.asarray(steps, int)
        if self.vectorised:
            after, kept = self._advance(state, arguments, number)
            return after, jax.device_get(kept)

        def one(chain: int) -> Any:
            own_state, own = self._of_chain(chain, state, arguments)
            return jax.device_get(self._advance(own_state, own, number))

        found = list(on_cores(one, len(jax.tree.leaves(state)[0])))
        return _stacked([after for after, _ in found]), _stacked([kept for _, kept in found], 1)

    def compile(self, state: Any, arguments: Any) -> None:
        """Compile what `advance` calls, where `ahead` has not: no two threads may trace at once."""
        none = np.asarray(0, int)
        own = (state, arguments) if self.vectorised else self._of_chain(0, state, arguments)
        jax.block_until_ready(self._advance(*own, none))

    def _of_chain(self, chain: int, *parts: Any) -> tuple[Any, ...]:
        """What one chain has of trees of all chains, and last its arguments."""

        def own(leaf: Any) -> Any:
            return leaf[chain]

        *trees, arguments = parts
        return (*jax.tree.map(own, tuple(trees)), self._own(arguments, own))

    def _own(self, arguments: tuple[Any, ...], of_chain: Callable[[Any], Any]) -> tuple[Any, ...]:
        axes = self.axes or (None,) * len(arguments)
        return tuple(
            part if axis is None else jax.tree.map(of_chain, part)
            for part, axis in zip(arguments, axes, strict=True)
        )


def chain_keys(seed: int, stage: int, chains: int) -> np.ndarray:
    """Keys (chains, 2) of the generators of chains in one stage; other seeds give others."""
    words = np.random.SeedSequence([seed, stage]).generate_state(2 * chains, np.uint32)
    return words.reshape(chains, 2)


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


def _product(slope: jax.Array, z: jax.Array, at: jax.Array) -> jax.Array:
    return jax.numpy.sum(slope * (z - at))


def _stacked(trees: list[Any], axis: int = 0) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves, axis), *trees)


def _without_first(leaf: Any) -> Any:
    """Shape of what one of several chains has."""
    return _shape(leaf.shape[1:], leaf.dtype)


def _shape(shape: tuple[int, ...], dtype: Any) -> Any:
    return jax.ShapeDtypeStruct(shape, dtype)
