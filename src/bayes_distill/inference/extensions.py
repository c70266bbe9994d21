"""Sampling, and more of it while the checks of the draws ask for more.

After a round of sampling whose chains disagree, or have too few effective draws, all its
transitions count as warm-up: they refine the inverse mass matrix, the step size is set anew, and a
round of twice as many transitions follows, of which as many are kept as were asked for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import arviz_base
import arviz_stats
import numpy as np

from bayes_distill.inference.diagnostics import LARGEST_RHAT, LEAST_ESS, worst
from bayes_distill.inference.metric import Metric, refined
from bayes_distill.inference.programs import chain_keys
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.stage_runner import StageRunner, Stats
from bayes_distill.inference.step_size import geometric_mean
from bayes_distill.inference.warm_up import tune_step_size

PHASE = "sampling"
Draws = dict[str, np.ndarray]


class Sampled(NamedTuple):
    """Draws and statistics (chains, draws, ...), and what they took.

    `warmup` counts the transitions of a chain before the first draw, `transitions_per_draw` those
    of one draw, `extensions` the rounds after the first.
    """

    draws: Draws
    stats: Stats
    warmup: int
    transitions_per_draw: int
    extensions: int


def sample_until_mixed(
    runner: StageRunner,
    state: Any,
    metric: Metric,
    settings: SamplerSettings,
    seed: int,
    warmed_up: int,
) -> Sampled:
    """Sample, and go on at most ``settings.extensions`` times; continues from a checkpoint.

    Parameters
    ----------
    runner
        Runs stages; it may continue from a checkpoint.
    state, metric, warmed_up
        Of the end of warm-up: state, inverse mass matrix, and transitions made.
    settings, seed
        Lengths, and the seed of the generators.
    """
    first = settings.windows + 1  # number of the stage that samples
    for extension in range(settings.extensions + 1):
        every = settings.transitions_per_draw * 2**extension
        steps = settings.draws * every
        stage = first + 2 * extension
        if stage >= runner.first_stage:
            state, draws, stats = runner.run(
                stage, state, metric, steps, _phase(extension), 0, steps
            )
            kept = thinned(draws, stats, every)
            if extension == settings.extensions or mixed(*kept):
                break
            metric = refined(metric, draws)._replace(windows=metric.windows)
            state = runner.programs.start(
                chain_keys(seed, stage + 1, settings.chains),
                runner.programs.kernel.positions(state),
                metric.inverse_mass_matrix,
                geometric_mean(runner.programs.kernel.step_sizes(state)),
                runner.arguments,
            )
            state = runner.programs.kernel.without_adaptation(state)
        warmed_up += steps + settings.tuning
        if stage + 1 >= runner.first_stage:
            state = tune_step_size(runner, stage + 1, state, metric, settings, _phase(extension))
    return Sampled(*kept, warmed_up, every, extension)


def mixed(draws: Draws, stats: Stats) -> bool:
    """Whether R-hat and effective draws of all coordinates are what a fit is asked for.

    Too few draws to have so many effective ones are not judged.
    """
    chains, length = stats["diverging"].shape
    if chains * length < 4 * LEAST_ESS:
        return True
    sampled = arviz_base.dict_to_dataset(draws)
    with np.errstate(divide="ignore", invalid="ignore"):  # chains that never moved give NaN
        return (
            worst(arviz_stats.rhat(sampled), largest=True)[0] <= LARGEST_RHAT
            and worst(arviz_stats.ess(sampled), largest=False)[0] >= LEAST_ESS
            and worst(arviz_stats.ess(sampled, method="tail"), largest=False)[0] >= LEAST_ESS
        )


def thinned(draws: Draws, stats: Stats, every: int) -> tuple[Draws, Stats]:
    """The last of `every` transitions; a divergence and the work of any of them count."""
    if every == 1:
        return draws, stats
    last = slice(every - 1, None, every)
    of_last = {name: values[:, last] for name, values in stats.items()}
    for name in ("diverging", "n_steps"):
        groups = stats[name].reshape(len(stats[name]), -1, every)
        of_last[name] = groups.any(axis=2) if name == "diverging" else groups.sum(axis=2)
    return {name: values[:, last] for name, values in draws.items()}, of_last


def _phase(extension: int) -> str:
    return PHASE if extension == 0 else f"{PHASE} on"
