"""Warm-up of all chains: windows for the inverse mass matrix, then a stage for the step size.

Windows have one length. Each runs with the inverse mass matrix estimated from the draws before it,
shrunk to the matrix before where these are few: a first matrix as good as that of a mode is
refined, never forgotten. The windows end once one of them confirms the matrix that it ran with
(`converged`), or at the last; from a mode that takes few. The last stage sets one step size for
all chains.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from arviz_stats.base import array_stats
from scipy.linalg import eigh

from bayes_distill.inference.metric import Metric, refined
from bayes_distill.inference.programs import BLOCK, chain_keys
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.stage_runner import StageRunner, Stats
from bayes_distill.inference.step_size import geometric_mean, tuned

PHASE = "warm-up"
FIRST_STEP = 0.5
BATCHES = 5  # of the last stage, between which the step size is set
CONFIRMED = 2.0  # ratio of variances along two directions, after a window over before, at most
AGREED = 1.1  # R-hat of the log density, which short windows find too large rather than too small


def warm_up(
    runner: StageRunner, state: Any, metric: Metric, settings: SamplerSettings, seed: int
) -> tuple[Any, Metric, int]:
    """Run the stages of warm-up, or what is left of them after a resume.

    Parameters
    ----------
    runner
        Runs stages; it may continue from a checkpoint.
    state, metric
        Of the start: chains near modes, and the curvature there.
    settings, seed
        Lengths, and the seed of the generators.

    Returns
    -------
    tuple
        State that sampling begins with, metric, and number of transitions that were made.
    """
    programs = runner.programs
    kernel = programs.kernel
    stage, state, metric = runner.resumed(state, metric)
    window, tuning = settings.window, settings.windows

    while stage < tuning:
        state, draws, stats = runner.run(
            stage, state, metric, window, PHASE, stage * window, settings.warmup
        )
        before, metric = metric, refined(metric, draws)
        state = programs.start(
            chain_keys(seed, stage + 1, settings.chains),
            kernel.positions(state),
            metric.inverse_mass_matrix,
            geometric_mean(kernel.step_sizes(state)),
            runner.arguments,
        )
        stage = tuning if converged(before, metric, stats["lp"]) else stage + 1
        if stage == tuning:
            state = kernel.without_adaptation(state)

    done = int(metric.windows) * window
    if stage == tuning:
        state = tune_step_size(runner, tuning, state, metric, settings, PHASE, done)
    return state, metric, done + settings.tuning


def tune_step_size(
    runner: StageRunner,
    stage: int,
    state: Any,
    metric: Metric,
    settings: SamplerSettings,
    phase: str,
    done: int | None = None,
) -> Any:
    """State with the step size at which transitions are accepted at the target rate.

    `done` are the transitions of warm-up before, for progress; by default it is told alone.
    """

    def with_tuned_step_size(state: Any, stats: Stats) -> Any:
        return runner.programs.kernel.with_step_size(state, tuned(stats, settings.target_accept))

    state, _, _ = runner.run(
        stage,
        state,
        metric,
        settings.tuning,
        phase,
        done or 0,
        settings.tuning if done is None else settings.warmup,
        min(max(1, settings.tuning // BATCHES), BLOCK),
        with_tuned_step_size,
    )
    return state


def converged(before: Metric, after: Metric, log_density: np.ndarray) -> bool:
    """Whether a window confirms the metric `before` it, and its chains are in one place.

    `after` is the metric with its draws, `log_density` (chains, draws) theirs.
    """
    ratios = eigh(after.inverse_mass_matrix, before.inverse_mass_matrix, eigvals_only=True)
    return bool(
        ratios[-1] <= CONFIRMED * ratios[0]
        and array_stats.rhat(log_density, chain_axis=0, draw_axis=1) <= AGREED
    )
