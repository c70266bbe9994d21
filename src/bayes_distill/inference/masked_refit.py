"""The posterior of a model that sees only some of its runs, from the fit to all of them.

Rows are masked, so that all shapes stay and programs that are compiled already are used. Two ways:

* Importance sampling around the mode (`importance`), in coordinates in which few runs leave a
  posterior that is nearly elliptical (`straightening`). It costs some ten thousand evaluations, at
  once.
* For models with effects of groups that NUTS samples as they are, of which there may be hundreds,
  and where the weights of the first turn out too uneven: a short run of NUTS, from draws of the fit
  and with their covariance as inverse mass matrix.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.optimize import minimize

from bayes_distill._runtime.threads import compile_ahead
from bayes_distill.inference.density import Hyper, potentials
from bayes_distill.inference.importance import Proposal, importance_sample
from bayes_distill.inference.metric import Metric
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.programs import Programs, chain_keys
from bayes_distill.inference.sampler import Sample, programs_of
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.stage_runner import StageRunner
from bayes_distill.inference.step_size import tuned
from bayes_distill.inference.straightening import bent, straight_slope, straightened
from bayes_distill.inference.whitening import is_whitened, with_equations

COUNT, ROUNDS = 2000, 5  # of importance sampling
LEAST_EFFECTIVE, LARGEST_K = 50.0, 1.0  # else the weights are too uneven
TUNING, DRAWS = 16, 8  # parts of the warm-up and draws of the fit that a short run has
LEAST_TUNING, LEAST_DRAWS = 40, 50
BATCHES = 3  # of the tuning, between which the step size is set
STAGE = 1000  # number of its stage, for seeds: the fit has fewer
STEP = 1e-4
FAR = 1e12  # the potential where it is not a number
MIN_CURVATURE = 0.05

Sites = dict[str, np.ndarray]


class Refitted(NamedTuple):
    """Draws (draws, ...) in sampling coordinates, how they were made, and what they are read with.

    Sampling coordinates depend on the runs that the model sees: those of all runs are others.
    """

    sites: Sites
    how: str
    data: Data
    hyper: Hyper


def is_elliptical(spec: ModelSpec) -> bool:
    """Whether effects of the model, if it has any, are whitened: importance sampling will do."""
    return not spec.noisy_teachers and (is_whitened(spec) or not spec.shared)


def compile_refit(spec: ModelSpec, data: Data, hyper: Hyper, sample: Sample) -> Future[Any] | None:
    """Begin to compile what `masked_refit` needs besides the programs of the fit."""
    if not is_elliptical(spec):
        return None
    shapes = {
        name: jax.ShapeDtypeStruct((COUNT, *values.shape[2:]), values.dtype)
        for name, values in sample.unconstrained.items()
    }
    return compile_ahead(potentials(spec), shapes, data, hyper)


def masked_refit(
    spec: ModelSpec,
    data: Data,
    hyper: Hyper,
    mask: np.ndarray,
    sample: Sample,
    settings: SamplerSettings,
    seed: int,
) -> Refitted:
    """Draw from the posterior given some of the runs; as many draws as the fit has.

    Parameters
    ----------
    spec, data, hyper
        The model of all runs.
    mask
        The rows that it may see (rows,), padded as `data` is.
    sample, settings
        Of the fit to all runs.
    seed
        Seed of everything random.
    """
    data = data._replace(mask=mask & np.asarray(data.mask))
    arguments = jax.device_put((data, with_equations(spec, data, hyper)))
    chains, draws = sample.stats["diverging"].shape
    programs = programs_of(spec, settings)
    generator = np.random.default_rng([seed, 4])
    if is_elliptical(spec):
        found = _by_importance(spec, arguments, sample, programs, generator, chains * draws)
        if found is not None:
            return Refitted(found, "importance sampling", *arguments)
    run = _by_nuts(arguments, sample, programs, settings, seed)
    flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in run.items()}
    count = len(next(iter(flat.values())))
    # evenly, each as often as the others: the programs take as many draws as the fit has
    picked = np.arange(chains * draws) * count // (chains * draws)
    return Refitted({n: value[picked] for n, value in flat.items()}, "NUTS", *arguments)


def _by_importance(
    spec: ModelSpec,
    arguments: tuple[Data, Hyper],
    sample: Sample,
    programs: Programs,
    generator: np.random.Generator,
    count: int,
) -> Sites | None:
    """Resampled draws (count, ...); ``None`` if the weights are too uneven."""
    middle = {name: value.mean(axis=(0, 1)) for name, value in sample.unconstrained.items()}
    like = straightened(middle)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        straight = _sites(x[None], like)
        one = {name: value[0] for name, value in bent(straight).items()}
        value, slope = programs.gradient(one, arguments)
        if not np.isfinite(float(value)):
            return FAR, np.zeros_like(x)
        at = {name: each[0] for name, each in straight.items()}
        return float(value), _vector(straight_slope(at, jax.device_get(slope)))

    start = _vector(like)
    mode = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-3}).x
    steps = STEP * np.eye(len(mode))
    curvature = np.stack([objective(mode + s)[1] - objective(mode - s)[1] for s in steps])
    values, vectors = np.linalg.eigh((curvature + curvature.T) / (4 * STEP))
    covariance = (vectors / np.maximum(values, MIN_CURVATURE)) @ vectors.T
    wide = _vector({n: np.full(np.shape(v), not _is_effect(n)) for n, v in like.items()})

    def log_density(x: np.ndarray) -> np.ndarray:
        return -np.asarray(potentials(spec)(bent(_sites(x, like)), *arguments))

    proposal = Proposal.at(mode, covariance, wide.astype(bool))
    try:
        found = importance_sample(log_density, proposal, generator, COUNT, ROUNDS)
    except (ValueError, np.linalg.LinAlgError):  # no tail to smooth: one draw has all the weight
        return None
    if found.effective < LEAST_EFFECTIVE or not found.pareto_k < LARGEST_K:
        return None
    return bent(_sites(found.resampled(count, generator), like))


def _by_nuts(
    arguments: tuple[Data, Hyper],
    sample: Sample,
    programs: Programs,
    settings: SamplerSettings,
    seed: int,
) -> Sites:
    """Draws (chains, draws, ...) of a short run from the last draws of the fit."""
    chains = len(sample.stats["diverging"])
    flat = np.concatenate(
        [np.reshape(leaf, (*leaf.shape[:2], -1)) for leaf in jax.tree.leaves(sample.unconstrained)],
        axis=2,
    )
    covariance = np.cov(flat.reshape(-1, flat.shape[2]).T).reshape(2 * flat.shape[2:])
    # few draws of many effects: a little of the diagonal keeps the matrix positive
    weight = len(flat) * flat.shape[1] / (len(flat) * flat.shape[1] + 2 * len(covariance))
    covariance = weight * covariance + (1 - weight) * np.diag(np.diag(covariance))
    tuning = max(settings.warmup // TUNING, LEAST_TUNING)
    draws = max(settings.draws // DRAWS, LEAST_DRAWS)
    kernel = programs.kernel
    state = programs.start(
        chain_keys(seed, STAGE, chains),
        {name: value[:, -1] for name, value in sample.unconstrained.items()},
        covariance,
        float(np.median(sample.stats["step_size"])),
        arguments,
    )
    programs.compile(state, arguments)
    state = kernel.without_adaptation(state)
    runner, metric = StageRunner(programs, arguments), Metric.first(covariance, chains)

    def with_tuned_step_size(state: Any, stats: dict[str, np.ndarray]) -> Any:
        return kernel.with_step_size(state, tuned(stats, settings.target_accept))

    state, _, _ = runner.run(
        0, state, metric, tuning, "checking", 0, 0, tuning // BATCHES, with_tuned_step_size
    )
    return runner.run(1, state, metric, draws, "checking", 0, 0)[1]


def _is_effect(name: str) -> bool:
    """Whether a site holds effects of single groups or weights, not a coordinate of the law."""
    return name.endswith(("_z", "_error")) and name != "supervised_z"


def _vector(sites: dict[str, Any]) -> np.ndarray:
    """One draw's sites as a vector, in the order of their names."""
    return np.concatenate([np.ravel(sites[name]) for name in sorted(sites)])


def _sites(points: np.ndarray, like: Sites) -> Sites:
    """Sites (draws, ...) from vectors (draws, sites)."""
    sites, begun = {}, 0
    for name in sorted(like):
        shape = np.shape(like[name])
        size = int(np.prod(shape))
        sites[name] = points[:, begun : begun + size].reshape(len(points), *shape)
        begun += size
    return sites
