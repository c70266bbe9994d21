"""NUTS over several chains, in blocks, with compiled programs that are shared between fits.

A run has stages: those of `warm_up`, then sampling. It can be written to a file as it goes, and
continue from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from bayes_distill._input.progress import Progress
from bayes_distill.inference.checkpoint import Checkpoint, Start, key_of
from bayes_distill.inference.density import Hyper, potential
from bayes_distill.inference.extensions import sample_until_mixed
from bayes_distill.inference.initialisation import site_shapes, starting_points
from bayes_distill.inference.linearised import linearised
from bayes_distill.inference.metric import Metric
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.programs import Programs, chain_keys
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.stage_runner import StageRunner
from bayes_distill.inference.warm_start import WarmStart
from bayes_distill.inference.warm_up import FIRST_STEP, warm_up
from bayes_distill.inference.whitening import is_whitened


class Sample(NamedTuple):
    """What a sampling run returns; arrays are (chains, draws, ...).

    `warmup` is the number of transitions of warm-up that each chain made, `hyper` are the
    hyperparameters that `unconstrained` is to be read with, where they are not those given, and
    `extensions` the rounds of sampling that followed the first, see `sample_until_mixed`.
    """

    unconstrained: dict[str, np.ndarray]
    stats: dict[str, np.ndarray]
    seconds: dict[str, float]
    warmup: int
    hyper: Hyper | None = None
    transitions_per_draw: int = 1
    extensions: int = 0


@lru_cache(maxsize=32)
def _programs(spec: ModelSpec, window: int, target_accept: float) -> Programs:
    return Programs(partial(potential, spec), window, target_accept)


def run_nuts(
    spec: ModelSpec,
    data: Data,
    hyper: Hyper,
    settings: SamplerSettings,
    seed: int,
    progress: Progress | None = None,
    folder: str | Path | None = None,
    warm: WarmStart | None = None,
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
    folder
        Checkpoints: the state is written there as sampling goes on, and a run of the same model,
        data, settings and seed continues from it.
    warm
        Where the sampler of a fit of fewer runs was, to begin there.
    """
    clock = time.perf_counter()
    if progress:
        progress("finding the mode", 0, 1)
    checkpoint = checkpoint_in(folder, repr(spec), settings, seed, (data, hyper))
    data, hyper = arguments = jax.device_put((data, hyper))
    programs = _programs(spec, settings.window, settings.target_accept)
    compiling = programs.ahead(site_shapes(spec, data, hyper), arguments, settings.chains)
    if is_whitened(spec):
        compiling[0].result()
        hyper = linearised(spec, data, hyper, programs.gradient)
        arguments = (data, hyper)

    def start() -> Start:
        compiling[0].result()
        if warm is not None:
            shapes = site_shapes(spec, data, hyper)
            gradient = programs.gradient
            return warm.starting_points(shapes, (data, hyper), settings.chains, gradient, seed)
        return starting_points(spec, data, hyper, settings.chains, seed, programs.gradient)

    z, inverse_mass_matrix = started(checkpoint, start)
    seconds = time.perf_counter() - clock
    wait(compiling)
    sample = run_chains(
        programs, z, inverse_mass_matrix, arguments, settings, seed, progress, checkpoint
    )
    return sample._replace(seconds={"mode": seconds, **sample.seconds}, hyper=hyper)


def checkpoint_in(
    folder: str | Path | None, label: str, settings: SamplerSettings, seed: int, arguments: Any
) -> Checkpoint | None:
    """The checkpoint of a run in a folder of them; ``None`` without a folder."""
    if folder is None:
        return None
    return Checkpoint(folder, key_of(label, {**asdict(settings), "seed": seed}, arguments))


def started(checkpoint: Checkpoint | None, find: Callable[[], Start]) -> Start:
    """The start that `find` returns, or returned before the run was interrupted."""
    return find() if checkpoint is None else checkpoint.start(find)


def run_chains(
    programs: Programs,
    z: Any,
    inverse_mass_matrix: np.ndarray,
    arguments: Any,
    settings: SamplerSettings,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Sample:
    """Warm up and sample from starting points `z` (chains, ...).

    With a `checkpoint` the run continues from the state that was last written there, and writes
    its own as it goes.
    """
    clock = time.perf_counter()
    metric = Metric.first(inverse_mass_matrix, settings.chains)
    keys = chain_keys(seed, 0, settings.chains)
    state = programs.start(keys, z, metric.inverse_mass_matrix, FIRST_STEP, arguments)
    programs.compile(state, arguments)  # timed apart from sampling
    runner = StageRunner(programs, arguments, checkpoint, progress)
    runner.seconds["compilation"] = time.perf_counter() - clock
    state, metric, warmed_up = warm_up(runner, state, metric, settings, seed)
    found = sample_until_mixed(runner, state, metric, settings, seed, warmed_up)
    return Sample(
        found.draws,
        found.stats,
        runner.seconds,
        found.warmup,
        transitions_per_draw=found.transitions_per_draw,
        extensions=found.extensions,
    )


def programs_of(spec: ModelSpec, settings: SamplerSettings) -> Programs:
    """The programs that `run_nuts` runs; compiled already where it has."""
    return _programs(spec, settings.window, settings.target_accept)
