"""Cut posteriors: distillation runs do not inform the supervised law.

Every chain is conditional on one draw of the supervised posterior, and samples the rest given that
draw (multiple imputation; Plummer 2015). All chains together are draws of
``p(supervised | supervised runs) p(rest | supervised, distillation runs)``: the supervised
coordinates keep the distribution that the supervised runs gave them, and the rest is as uncertain
as that makes it.

The model is that of the two-stage fit, with ``supervised_z`` an argument instead of a site.
"""

from __future__ import annotations

import time
from concurrent.futures import wait
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from bayes_distill._input.progress import Progress
from bayes_distill.inference.density import Hyper, gradient_of_all, potential
from bayes_distill.inference.initialisation import site_shapes, starting_points
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.programs import Programs
from bayes_distill.inference.sampler import Sample, checkpoint_in, run_chains, started
from bayes_distill.inference.settings import SamplerSettings

SUPERVISED = "supervised_z"
STARTS = 4  # modes that are looked for; chains share them


@lru_cache(maxsize=32)
def _programs(spec: ModelSpec, window: int, target_accept: float) -> Programs:
    def conditional(data: Data, hyper: Hyper, z: jax.Array) -> Any:
        joint = potential(spec, data, hyper)
        return lambda sites: joint({**sites, SUPERVISED: z})

    return Programs(conditional, window, target_accept, axes=(None, None, 0))


def sample_cut_posterior(
    spec: ModelSpec,
    data: Data,
    hyper: Hyper,
    numbers: np.ndarray,
    settings: SamplerSettings,
    seed: int,
    progress: Progress | None = None,
    folder: str | Path | None = None,
) -> Sample:
    """Sample the rest of the model given draws of the supervised law.

    Parameters
    ----------
    spec, data, hyper
        The model of the two-stage fit.
    numbers
        Draws of the supervised posterior (chains, 6), in the coordinates of `joint_prior`.
    settings
        As many chains as there are such draws, and their lengths.
    seed, progress, folder
        As for `run_nuts`.

    Returns
    -------
    Sample
        Of all sites, ``supervised_z`` among them: constant in each chain.
    """
    clock = time.perf_counter()
    if progress:
        progress("finding the mode", 0, 1)
    checkpoint = checkpoint_in(folder, f"cut {spec!r}", settings, seed, (data, hyper, numbers))
    joint = hyper["supervised"]
    z = np.linalg.solve(np.asarray(joint["factor"]), (numbers - np.asarray(joint["centre"])).T).T
    data, hyper, z = arguments = jax.device_put((data, hyper, z))
    programs = _programs(spec, settings.window, settings.target_accept)
    shapes = site_shapes(spec, data, hyper)
    rest = {name: shape for name, shape in shapes.items() if name != SUPERVISED}
    compiling = programs.ahead(rest, arguments, len(z))
    start, inverse_mass_matrix = started(
        checkpoint,
        lambda: starting_points(spec, data, hyper, STARTS, seed, gradient_of_all(spec)),
    )
    points = {name: start[name][np.arange(len(z)) % STARTS] for name in rest}
    seconds = time.perf_counter() - clock
    wait(compiling)
    settings = replace(settings, chains=len(z))
    conditional = _conditional_covariance(start, inverse_mass_matrix)
    sample = run_chains(
        programs, points, conditional, arguments, settings, seed, progress, checkpoint
    )
    constant = np.repeat(z[:, None], settings.draws, axis=1)
    return sample._replace(
        unconstrained={**sample.unconstrained, SUPERVISED: constant},
        seconds={"mode": seconds, **sample.seconds},
    )


def _conditional_covariance(start: dict[str, np.ndarray], covariance: np.ndarray) -> np.ndarray:
    """Covariance of the other sites given ``supervised_z``, from that of all of them."""
    labels = {n: np.full(v.shape[1:], n == SUPERVISED, float) for n, v in start.items()}
    rest = np.asarray(ravel_pytree(labels)[0]) == 0
    precision = np.linalg.inv(covariance)
    return np.asarray(np.linalg.inv(precision[np.ix_(rest, rest)]))
