"""NUTS over several chains, in blocks, with compiled programs that are shared between fits.

A run has stages: windows of warm-up, each with the mass matrix that the one before gave, a last
one for the step size, and sampling. It can be kept in a file as it goes, and go on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from bayes_distill.inference.adaptation import Metric, converged, refined, tuned, typical
from bayes_distill.inference.checkpoint import (
    Checkpoint,
    Position,
    Start,
    key_of,
    leaves_of,
    state_like,
)
from bayes_distill.inference.density import Hyper, potential
from bayes_distill.inference.initialisation import site_shapes, starting_points
from bayes_distill.inference.kernel import BLOCK, Programs, chain_keys
from bayes_distill.inference.model import Data, ModelSpec

Progress = Callable[[str, int, int], None]
LEAST_WINDOW = 25
BATCHES = 5  # of the last stage of warm-up, between which the step size is set
FIRST_STEP = 0.5


@dataclass(frozen=True)
class SamplerSettings:
    """How NUTS runs: numbers of chains, warm-up transitions and draws, and target acceptance.

    Warm-up is over earlier where less is enough. Of `transitions_per_draw` transitions the last is
    a draw.
    """

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    target_accept: float = 0.9
    transitions_per_draw: int = 1

    @property
    def tuning(self) -> int:
        """Transitions of the last stage of warm-up, which is for the step size."""
        return self.warmup // 4

    @property
    def window(self) -> int:
        """Transitions of a window for the mass matrix."""
        return max(self.warmup // 8, min(LEAST_WINDOW, self.warmup // 4))

    @property
    def windows(self) -> int:
        """Windows at most; the stages after them are for the step size and for sampling."""
        return (self.warmup - self.tuning) // self.window


class Sample(NamedTuple):
    """What a sampling run returns; arrays are (chains, draws, ...).

    `warmup` are the transitions of warm-up that each chain made.
    """

    unconstrained: dict[str, np.ndarray]
    stats: dict[str, np.ndarray]
    seconds: dict[str, float]
    warmup: int


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
        Keep the state there as sampling goes on, and go on from what is kept of the same run.
    """
    clock = time.perf_counter()
    if progress:
        progress("finding the mode", 0, 1)
    checkpoint = checkpoint_in(folder, repr(spec), settings, seed, (data, hyper))
    data, hyper = arguments = jax.device_put((data, hyper))
    programs = _programs(spec, settings.window, settings.target_accept)
    compiling = programs.ahead(site_shapes(spec, data, hyper), arguments, settings.chains)

    def start() -> Start:
        compiling[0].result()
        return starting_points(spec, data, hyper, settings.chains, seed, programs.gradient)

    z, inverse_mass = started(checkpoint, start)
    found = time.perf_counter() - clock
    wait(compiling)
    sample = run_chains(programs, z, inverse_mass, arguments, settings, seed, progress, checkpoint)
    return sample._replace(seconds={"mode": found, **sample.seconds})


def checkpoint_in(
    folder: str | Path | None, label: str, settings: SamplerSettings, seed: int, arguments: Any
) -> Checkpoint | None:
    """The checkpoint of a run in a folder of them; ``None`` without a folder."""
    if folder is None:
        return None
    return Checkpoint(folder, key_of(label, {**asdict(settings), "seed": seed}, arguments))


def started(checkpoint: Checkpoint | None, find: Callable[[], Start]) -> Start:
    """What `find` gives, or gave before the run was interrupted."""
    return find() if checkpoint is None else checkpoint.start(find)


def run_chains(
    programs: Programs,
    z: Any,
    inverse_mass: np.ndarray,
    arguments: Any,
    settings: SamplerSettings,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Sample:
    """Warm up and sample from given starting points (chains, ...).

    Warm-up runs in windows of one length, each with the mass matrix that the draws before it give,
    held by the one before where they are few: a first matrix as good as that of a mode is refined,
    never forgotten. The windows end once one confirms the matrix it ran with. The last stage of
    warm-up is for the step size alone, one for all chains.

    With a `checkpoint` the run goes on from where it was last kept, and is kept as it goes.
    """
    clock = time.perf_counter()
    metric, chains = Metric.first(inverse_mass, settings.chains), settings.chains
    state = programs.start(chain_keys(seed, 0, chains), z, metric.mass, FIRST_STEP, arguments)
    programs.compile(state, arguments)  # timed apart from sampling
    run = _Run(programs, arguments, checkpoint, progress)
    run.seconds["compilation"] = time.perf_counter() - clock
    stage, state, metric = run.resumed(state, metric)
    window, tuning, sampling = settings.window, settings.windows, settings.windows + 1

    while stage < tuning:
        done = stage * window
        state, draws, stats = run.stage(
            stage, state, metric, window, "warm-up", done, settings.warmup
        )
        before, metric = metric, refined(metric, draws)
        step_size = typical(state.adapt_state.step_size)
        keys = chain_keys(seed, stage + 1, chains)
        state = programs.start(keys, state.z, metric.mass, step_size, arguments)
        stage = tuning if converged(before, metric, stats["lp"]) else stage + 1
        if stage == tuning:
            state = state._replace(i=np.full_like(state.i, window))  # adapts no more by itself
    warmed = int(metric.windows) * window
    if stage == tuning:
        state, _, _ = run.stage(
            tuning,
            state,
            metric,
            settings.tuning,
            "warm-up",
            warmed,
            settings.warmup,
            min(max(1, settings.tuning // BATCHES), BLOCK),
            lambda state, stats: _moving_by(state, tuned(stats, settings.target_accept)),
        )
    steps = settings.draws * settings.transitions_per_draw
    _, draws, stats = run.stage(sampling, state, metric, steps, "sampling", 0, steps)
    kept = _thinned(draws, stats, settings.transitions_per_draw)
    return Sample(*kept, run.seconds, warmed + settings.tuning)


class _Run:
    """The stages of one run, kept as they go where there is a checkpoint."""

    def __init__(
        self,
        programs: Programs,
        arguments: Any,
        checkpoint: Checkpoint | None,
        progress: Progress | None,
    ) -> None:
        self.programs, self.arguments = programs, arguments
        self.checkpoint, self.progress = checkpoint, progress
        self.position = None if checkpoint is None else checkpoint.position()
        self.seconds: dict[str, float] = {} if self.position is None else self.position.seconds

    def resumed(self, state: Any, metric: Metric) -> tuple[int, Any, Metric]:
        """Number of the stage to begin with, and its state and metric."""
        if self.position is None:
            return 0, state, metric
        at = self.position
        return at.stage, state_like(state, at.state), at.metric

    def stage(
        self,
        number: int,
        state: Any,
        metric: Metric,
        steps: int,
        phase: str,
        before: int,
        of: int,
        every: int = BLOCK,
        between: Callable[[Any, dict[str, np.ndarray]], Any] | None = None,
    ) -> tuple[Any, dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Run `steps` transitions in blocks; the state after, and draws and statistics of all.

        `between` is called after every block of `every` with the state and all statistics so far
        (transitions, chains), and gives the state to go on from.
        """
        clock, spent = time.perf_counter(), self.seconds.get(phase, 0.0)
        kept, begun = [], 0
        if self.position is not None:  # of this stage: the loop begins with it
            kept, begun = [(self.position.draws, self.position.stats)], self.position.done
            self.position = None
        try:
            for done in range(begun, steps, every):
                size = min(every, steps - done)
                state, block = self.programs.advance(state, self.arguments, size)
                kept.append(jax.tree.map(lambda leaf, size=size: leaf[:size], block))
                if between is not None:
                    told = [stats for _, stats in kept]
                    state = between(state, jax.tree.map(lambda *b: np.concatenate(b), *told))
                self.seconds[phase] = spent + time.perf_counter() - clock
                self._keep(number, done + size, state, metric, kept)
                if self.progress:
                    self.progress(phase, before + done + size, of)
        except BaseException:  # an interrupt too: what was done is not lost
            if self.checkpoint is not None:
                self.checkpoint.flush()
            raise
        self.seconds.setdefault(phase, spent)
        # (steps, chains, ...) blocks -> (chains, draws, ...)
        draws, stats = jax.tree.map(lambda *b: np.swapaxes(np.concatenate(b), 0, 1), *kept)
        return state, draws, stats

    def _keep(self, number: int, done: int, state: Any, metric: Metric, kept: list[Any]) -> None:
        if self.checkpoint is None:
            return
        seconds, blocks = dict(self.seconds), list(kept)

        def position() -> Position:
            draws, stats = jax.tree.map(lambda *b: np.concatenate(b), *blocks)
            return Position(number, done, leaves_of(state), metric, draws, stats, seconds)

        self.checkpoint.keep(position)


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


def _moving_by(state: Any, step_size: float) -> Any:
    """The same step size for every chain: none is slower than the others, or less exact."""
    own = np.asarray(state.adapt_state.step_size)
    adapted = state.adapt_state._replace(step_size=np.full_like(own, step_size))
    return state._replace(adapt_state=adapted)
