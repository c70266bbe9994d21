"""Compiled programs: where chains begin, and a block of transitions of all of them.

Transitions run in blocks of our choosing: progress is reported between them, nothing is dispatched
op by op, and data are arguments of the compiled program, so refits of the same shape compile
nothing.

On a CPU every chain is a call of the same program, on a separate thread: a core each, and no
chain waits for the longest tree of the others. That program has branches where one of all chains
computes both sides and selects, and compiles in half the time. On an accelerator, where a small
program leaves most of the device idle, all chains are one program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import jax
import numpy as np

from bayes_distill._runtime.threads import compile_ahead, on_cores
from bayes_distill.inference.kernel import Kernel, NumPyroNuts, Potential

BLOCK = 100


class Programs:
    """NUTS for the potential that `potential_of(*arguments)` returns.

    The arguments (data and hyperparameters) are traced: other arguments of the same shapes
    compile nothing.

    Parameters
    ----------
    potential_of
        Function of the arguments; returns the negative log density of a dict of sites.
    window
        Transitions over which the step size is adapted after every start.
    target_accept
        Mean acceptance that the step size is adapted to.
    axes
        As for `vmap`: along which axis of an argument chains differ, 0 or ``None``. By default all
        chains share all arguments.
    vectorised
        Whether all chains are one program; by default, unless the device is a CPU.
    kernel
        Makes the kernel of the first three parameters.
    """

    def __init__(
        self,
        potential_of: Callable[..., Potential],
        window: int,
        target_accept: float,
        axes: tuple[int | None, ...] | None = None,
        vectorised: bool | None = None,
        kernel: Callable[[Callable[..., Potential], int, float], Kernel] = NumPyroNuts,
    ) -> None:
        self.axes = axes
        self.vectorised = jax.default_backend() != "cpu" if vectorised is None else vectorised
        self.kernel = kernel(potential_of, window, target_accept)
        recorded = self.kernel.recorded

        def gradient(z: Any, arguments: tuple[Any, ...]) -> Any:
            return jax.value_and_grad(potential_of(*arguments))(z)

        def start(*arguments: Any) -> Any:
            return self.kernel.start(*arguments)

        def advance(state: Any, arguments: Any, steps: Any) -> Any:
            transition = self.kernel.transition(state, arguments)

            def body(i: Any, carry: Any) -> Any:
                state = transition(carry[0])
                records = jax.tree.map(
                    lambda all_, new: all_.at[i].set(new), carry[1], recorded(state)
                )
                return state, records

            def empty(leaf: Any) -> Any:
                return jax.numpy.zeros((BLOCK, *leaf.shape), leaf.dtype)

            nothing = jax.tree.map(empty, recorded(state))
            return jax.lax.fori_loop(0, steps, body, (state, nothing))

        if self.vectorised:
            advance = jax.vmap(advance, in_axes=(0, axes, None), out_axes=(0, 1))
        self._advance = jax.jit(advance)
        self._start = jax.jit(jax.vmap(start, in_axes=(0, 0, 0, 0, None, None)))
        self.gradient = jax.jit(gradient)
        """Potential of one point, a dict of sites, and its gradient, given the arguments."""

    def ahead(self, point: Any, arguments: Any, chains: int) -> list[Future[Any]]:
        """Begin to compile for sites of the shapes of `point`, arguments, and so many chains.

        Returned are, in this order, the programs that `gradient`, `start` and `advance` call.
        """
        of_one = self._arguments_of(arguments, _without_first)
        sites = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(point))
        z = jax.tree.map(lambda leaf: _shape((chains, *leaf.shape), leaf.dtype), point)
        keys, values = _shape((chains, 2), np.uint32), _shape((chains,), float)
        begin = (keys, z, values, z, _shape((sites, sites), float), _shape((), float))
        state = jax.eval_shape(self._start, *begin)
        one = (jax.tree.map(_without_first, state), of_one)
        of_advance = (state, arguments) if self.vectorised else one
        gradient = compile_ahead(self.gradient, point, of_one)
        advance = compile_ahead(
            self._advance, *of_advance, _shape((), int)
        )  # takes longest, so it is first
        return [gradient, compile_ahead(self._start, *begin), advance]

    def start(
        self,
        keys: np.ndarray,
        z: Any,
        inverse_mass_matrix: np.ndarray,
        step_size: float,
        arguments: Any,
    ) -> Any:
        """State of all chains at `z` (chains, ...), with one key (chains, 2) for each chain."""

        def at_start(chain: int) -> Any:
            return self.gradient(*self._of_chain(chain, z, arguments))

        values, slopes = _stacked(jax.device_get([at_start(chain) for chain in range(len(keys))]))
        step = np.asarray(step_size, float)
        state = self._start(keys, jax.device_get(z), values, slopes, inverse_mass_matrix, step)
        return state if self.vectorised else jax.device_get(state)

    def advance(self, state: Any, arguments: Any, steps: int) -> tuple[Any, tuple[Any, Any]]:
        """Up to `BLOCK` transitions; the state after, and draws and statistics of every one.

        Draws are (BLOCK, chains, ...), of which the first `steps` are valid. One program serves any
        number of steps; call `compile` first.
        """
        number = np.asarray(steps, int)
        if self.vectorised:
            after, records = self._advance(state, arguments, number)
            return after, jax.device_get(records)

        def one(chain: int) -> Any:
            return jax.device_get(self._advance(*self._of_chain(chain, state, arguments), number))

        results = list(on_cores(one, len(jax.tree.leaves(state)[0])))
        after, records = zip(*results, strict=True)
        return _stacked(after), _stacked(records, 1)

    def compile(self, state: Any, arguments: Any) -> None:
        """Compile what `advance` calls on this thread: no other may trace."""
        none = np.asarray(0, int)
        of_one = (state, arguments) if self.vectorised else self._of_chain(0, state, arguments)
        jax.block_until_ready(self._advance(*of_one, none))

    def _of_chain(self, chain: int, *parts: Any) -> tuple[Any, ...]:
        """One chain's part of trees of all chains, and last of the arguments."""

        def row(leaf: Any) -> Any:
            return leaf[chain]

        *trees, arguments = parts
        return (*jax.tree.map(row, tuple(trees)), self._arguments_of(arguments, row))

    def _arguments_of(
        self, arguments: tuple[Any, ...], of_chain: Callable[[Any], Any]
    ) -> tuple[Any, ...]:
        """Arguments of one chain, of which `of_chain` takes the parts in which chains differ."""
        axes = self.axes or (None,) * len(arguments)
        return tuple(
            part if axis is None else jax.tree.map(of_chain, part)
            for part, axis in zip(arguments, axes, strict=True)
        )


def chain_keys(seed: int, stage: int, chains: int) -> np.ndarray:
    """Keys (chains, 2) of the generators of chains in one stage; other seeds give others."""
    words = np.random.SeedSequence([seed, stage]).generate_state(2 * chains, np.uint32)
    return words.reshape(chains, 2)


def _stacked(trees: Sequence[Any], axis: int = 0) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves, axis), *trees)


def _without_first(leaf: Any) -> Any:
    """Shape of the part of one chain."""
    return _shape(leaf.shape[1:], leaf.dtype)


def _shape(shape: tuple[int, ...], dtype: Any) -> Any:
    return jax.ShapeDtypeStruct(shape, dtype)
