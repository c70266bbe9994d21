"""NUTS over vectorised chains, in blocks, with compiled programs that are shared between fits.

NumPyro's functional kernel is used instead of its `MCMC` class because the transitions then run
in blocks of our choosing: progress is reported between them, nothing is dispatched op by op, and
data are arguments of the compiled program, so refits of the same shape compile nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.hmc import hmc

from bayes_distill.inference.density import Hyper, potential
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.start import starting_points

Progress = Callable[[str, int, int], None]
BLOCK = 100
WINDOWS = 4
FIRST_STEP = 0.5
MAX_TREE_DEPTH = 10


@dataclass(frozen=True)
class SamplerSettings:
    """How NUTS runs: numbers of chains, warm-up transitions and draws, and target acceptance.

    Of `transitions_per_draw` transitions the last is a draw.
    """

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    target_accept: float = 0.9
    transitions_per_draw: int = 1

    @property
    def window(self) -> int:
        """Transitions of one warm-up window; the windows fill the warm-up but for a rest."""
        return self.warmup // WINDOWS


class Sample(NamedTuple):
    """What a sampling run returns; arrays are (chains, draws, ...)."""

    unconstrained: dict[str, np.ndarray]
    stats: dict[str, np.ndarray]
    seconds: dict[str, float]


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


@lru_cache(maxsize=32)
def _programs(spec: ModelSpec, window: int, target_accept: float) -> Programs:
    return nuts_programs(partial(potential, spec), window, target_accept)


def run_nuts(
    spec: ModelSpec,
    data: Data,
    hyper: Hyper,
    settings: SamplerSettings,
    seed: int,
    progress: Progress | None = None,
) -> Sample:
    """Draw from the posterior; the same seed gives the same draws.

    Parameters
    ----------
    spec, data, hyper
        The model, see `bayes_distill.inference.model`.
    settings
        Chains and lengths.
    seed
        Seed of starting points and transitions.
    progress
        Called with (phase, transitions done, transitions in all) after every block.
    """
    key_start, key_chains = jax.random.split(jax.random.key(seed))
    clock = time.perf_counter()
    if progress:
        progress("finding the mode", 0, 1)
    z, inverse_mass = starting_points(spec, data, hyper, settings.chains, key_start)
    found = time.perf_counter() - clock
    programs = _programs(spec, settings.window, settings.target_accept)
    sample = run_chains(programs, z, inverse_mass, (data, hyper), settings, key_chains, progress)
    return sample._replace(seconds={"mode": found, **sample.seconds})


def run_chains(
    programs: Programs,
    z: Any,
    inverse_mass: np.ndarray,
    arguments: Any,
    settings: SamplerSettings,
    key: jax.Array,
    progress: Progress | None = None,
) -> Sample:
    """Warm up and sample from given starting points (chains, ...).

    Warm-up runs in windows of one length. Every window starts with the mass matrix that the draws
    of all chains in the window before give, held by the matrix they were drawn with where they
    are few: a first matrix as good as that of a mode is refined, never forgotten.
    """
    clock = time.perf_counter()
    keys = jax.random.split(key, WINDOWS)
    mass, step_size = jnp.asarray(inverse_mass), jnp.asarray(FIRST_STEP)
    first = jax.random.split(keys[0], settings.chains)
    state = jax.block_until_ready(programs.start(first, z, mass, step_size, arguments))
    # no transition, but the program for all of them: compilation is timed apart from sampling
    jax.block_until_ready(programs.advance(state, arguments, 0))
    seconds = {"compilation": time.perf_counter() - clock}
    clock = time.perf_counter()
    for number in range(WINDOWS):
        state, draws, _ = _advance(
            programs, state, arguments, settings.window, "warm-up",
            number * settings.window, settings.warmup, progress,
        )  # fmt: skip
        if number == WINDOWS - 1:
            state = _one_step_size(state)
            break
        mass = jnp.asarray(_refined(draws, np.asarray(mass)))
        step_size = _typical(state.adapt_state.step_size)
        again = jax.random.split(keys[number + 1], settings.chains)
        state = programs.start(again, state.z, mass, step_size, arguments)
    seconds["warm-up"] = time.perf_counter() - clock
    clock = time.perf_counter()
    steps = settings.draws * settings.transitions_per_draw
    _, draws, stats = _advance(programs, state, arguments, steps, "sampling", 0, steps, progress)
    seconds["sampling"] = time.perf_counter() - clock
    return Sample(*_thinned(draws, stats, settings.transitions_per_draw), seconds)


def _thinned(
    draws: dict[str, np.ndarray], stats: dict[str, np.ndarray], every: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Keep the last of `every` transitions; a divergence and the work of any of them count."""
    if every == 1:
        return draws, stats
    kept = {name: values[:, every - 1 :: every] for name, values in draws.items()}
    told = {name: values[:, every - 1 :: every] for name, values in stats.items()}
    for name in ("diverging", "n_steps"):
        groups = stats[name].reshape(len(stats[name]), -1, every)
        told[name] = groups.any(axis=2) if name == "diverging" else groups.sum(axis=2)
    return kept, told


def _advance(
    programs: Programs,
    state: Any,
    arguments: Any,
    steps: int,
    phase: str,
    before: int,
    of: int,
    progress: Progress | None,
) -> tuple[Any, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Run `steps` transitions in blocks; the state after, and draws and statistics of all."""
    kept = []
    for done in range(0, steps, BLOCK):
        size = min(BLOCK, steps - done)
        state, block = programs.advance(state, arguments, size)
        kept.append(jax.tree.map(lambda leaf, size=size: leaf[:size], jax.device_get(block)))
        if progress:
            progress(phase, before + done + size, of)
    # (steps, chains, ...) blocks -> (chains, draws, ...)
    draws, stats = jax.tree.map(lambda *b: np.swapaxes(np.concatenate(b), 0, 1), *kept)
    return state, draws, stats


def _typical(step_sizes: jax.Array) -> jax.Array:
    """Geometric mean of the chains' step sizes."""
    return jnp.exp(jnp.log(step_sizes).mean())


def _one_step_size(state: Any) -> Any:
    """The same step size for every chain: they move in lock step, and wait for the smallest."""
    own = state.adapt_state.step_size
    adapted = state.adapt_state._replace(step_size=jnp.full_like(own, _typical(own)))
    return state._replace(adapt_state=adapted)


def _refined(draws: dict[str, np.ndarray], before: np.ndarray) -> np.ndarray:
    """Inverse mass matrix (sites, sites) from draws (chains, draws, ...) of a window.

    The covariance within chains of the window's second half. Draws count as many as half of them,
    for they are correlated; the matrix before counts as two draws a site.
    """
    flat = np.concatenate(
        [np.reshape(leaf, (*leaf.shape[:2], -1)) for leaf in jax.tree.leaves(draws)], axis=2
    )
    late = flat[:, flat.shape[1] // 2 :]
    centred = (late - late.mean(axis=1, keepdims=True)).reshape(-1, late.shape[2])
    count = max(len(centred) - late.shape[0], 1)
    weight = 0.5 * count / (0.5 * count + 2 * late.shape[2])
    return np.asarray(weight * (centred.T @ centred) / count + (1 - weight) * before)
