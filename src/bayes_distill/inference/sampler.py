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
import numpy as np
from numpyro.infer.hmc import hmc

from bayes_distill.inference.density import Hyper, potential
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.start import starting_points

Progress = Callable[[str, int, int], None]
BLOCK = 100
MAX_TREE_DEPTH = 10


@dataclass(frozen=True)
class SamplerSettings:
    """How NUTS runs: numbers of chains, warm-up and kept transitions, and target acceptance."""

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    target_accept: float = 0.9


class Sample(NamedTuple):
    """What a sampling run returns; arrays are (chains, draws, ...)."""

    unconstrained: dict[str, np.ndarray]
    stats: dict[str, np.ndarray]
    seconds: dict[str, float]


@lru_cache(maxsize=32)
def _kernel(
    spec: ModelSpec, warmup: int, target_accept: float
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compiled initialisation and block of transitions."""
    init_kernel, sample_kernel = hmc(potential_fn_gen=partial(potential, spec), algo="NUTS")

    @jax.jit
    def start(keys: jax.Array, z: Any, inverse_mass: jax.Array, data: Data, hyper: Hyper) -> Any:
        def one(key: jax.Array, z: Any) -> Any:
            return init_kernel(
                z,
                num_warmup=warmup,
                step_size=0.5,
                inverse_mass_matrix={tuple(sorted(z)): inverse_mass},
                dense_mass=[tuple(sorted(z))],
                target_accept_prob=target_accept,
                max_tree_depth=MAX_TREE_DEPTH,
                model_args=(data, hyper),
                rng_key=key,
            )

        return jax.vmap(one)(keys, z)

    @partial(jax.jit, static_argnums=3)
    def advance(state: Any, data: Data, hyper: Hyper, steps: int) -> Any:
        def step(state: Any, _: None) -> Any:
            state = jax.vmap(lambda s: sample_kernel(s, (data, hyper)))(state)
            kept = {
                "diverging": state.diverging,
                "n_steps": state.num_steps,
                "acceptance_rate": state.accept_prob,
                "energy": state.energy,
                "lp": -state.potential_energy,
                "step_size": state.adapt_state.step_size,
            }
            return state, (state.z, kept)

        return jax.lax.scan(step, state, None, length=steps)

    return start, advance


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
    report = progress or (lambda *_: None)
    key_start, key_chains = jax.random.split(jax.random.key(seed))
    clock = time.perf_counter()
    report("finding the mode", 0, 1)
    z, inverse_mass = starting_points(spec, data, hyper, settings.chains, key_start)
    start, advance = _kernel(spec, settings.warmup, settings.target_accept)
    state = start(jax.random.split(key_chains, settings.chains), z, inverse_mass, data, hyper)
    jax.block_until_ready(state)
    seconds = {"start": time.perf_counter() - clock}
    for phase, steps in (("warm-up", settings.warmup), ("sampling", settings.draws)):
        clock, kept = time.perf_counter(), []
        for done, size in _blocks(steps):
            state, block = advance(state, data, hyper, size)
            kept.append(jax.device_get(block))
            report(phase, done, steps)
        seconds[phase] = time.perf_counter() - clock
    # (steps, chains, ...) blocks -> (chains, draws, ...)
    draws, stats = jax.tree.map(lambda *b: np.swapaxes(np.concatenate(b), 0, 1), *kept)
    return Sample(draws, stats, seconds)


def _blocks(steps: int) -> list[tuple[int, int]]:
    """Cut `steps` into blocks of one size (so that one program serves), and a rest."""
    sizes = [BLOCK] * (steps // BLOCK) + ([steps % BLOCK] if steps % BLOCK else [])
    return list(zip(np.cumsum(sizes).tolist(), sizes, strict=True))
