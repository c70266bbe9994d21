"""Starting points of chains and the first inverse mass matrix: posterior modes and curvature.

Every chain climbs to a mode from a different draw around the prior, so that a second mode shows as
chains that disagree. The curvature at the best mode is the first mass matrix: warm-up then refines
a good estimate instead of estimating the scales of some fifteen coordinates from nothing.

Second derivatives are differences of first ones: they only shape the first mass matrix, and a
program of second derivatives takes longer to compile than all else here takes to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.optimize import minimize

from bayes_distill._runtime.threads import compile_ahead
from bayes_distill.inference.density import Hyper, Sites, expected, prior_sampler
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.likelihoods import Likelihood

MAX_ITERATIONS = 500
MIN_CURVATURE = 0.05  # in units of the prior's: no direction is wider than 4.5 times the prior
STEP = 1e-4  # of sampling coordinates, which are logarithms and logits
RETRIES, FAR_ABOVE = 8, 20.0
"""New starts of a search that ended nowhere: so far above the best mode, in the log density."""
FAR = 1e12  # the potential where it is not a number

Gradient = Callable[[Mapping[str, Any], tuple[Data, Hyper]], tuple[Any, Sites]]


def site_shapes(spec: ModelSpec, data: Data, hyper: Hyper) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes of all sites of one draw."""
    keys = jax.ShapeDtypeStruct((1, 2), np.uint32)
    draws = jax.eval_shape(prior_sampler(spec), keys, data, hyper)
    return {n: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype) for n, leaf in draws.items()}


class Modes(NamedTuple):
    """Optima of the potential (results of `minimize`), and what they were sought with.

    `zeros` is a point of zeros, `free` (sites,) says what may move, `prior` (sites, sites) is a
    root of the prior's covariance and `centre` (sites,) its mode. `generator` goes on from there.
    """

    optima: list[Any]
    zeros: dict[str, np.ndarray]
    free: np.ndarray
    centre: np.ndarray
    prior: np.ndarray
    generator: np.random.Generator


def modes(
    spec: ModelSpec, data: Data, hyper: Hyper, count: int, seed: int, gradient: Gradient
) -> Modes:
    """Climb to a mode from so many draws around the prior."""
    shapes = site_shapes(spec, data, hyper)
    unseen = data._replace(mask=jax.device_put(np.zeros(data.mask.shape, bool)))
    # scales of effects stay at the median of their prior: effects and their scale have no mode but
    # the one where both vanish
    zeros = {name: np.zeros(leaf.shape) for name, leaf in shapes.items()}
    middle = _vector(zeros | {name: np.asarray(hyper[name][0]) for name in spec.spread_sites})
    free = _vector(
        {n: np.full(leaf.shape, n not in spec.spread_sites) for n, leaf in zeros.items()}
    )

    def mode(x: np.ndarray, runs: Data) -> Any:
        options = {"maxiter": MAX_ITERATIONS, "gtol": 1e-3}
        objective = _objective(gradient, zeros, free, hyper)
        return minimize(objective, x, (runs,), jac=True, method="BFGS", options=options)

    centre = mode(middle, unseen).x
    prior = _root(_prior_curvature(gradient, zeros, unseen, hyper, centre))
    generator = np.random.default_rng([seed, 1])
    optima = []
    for _ in range(count):
        x = centre + 0.5 * prior @ generator.standard_normal(centre.size)
        optima.append(mode(np.where(free, x, centre), data))
    if spec.own_law is not None:  # nobody has seen to it that every start of it leads to a mode
        for place in range(count):
            for _ in range(RETRIES):
                best = min(optimum.fun for optimum in optima)
                if optima[place].success or optima[place].fun < best + FAR_ABOVE:
                    break
                x = centre + 0.5 * prior @ generator.standard_normal(centre.size)
                optima[place] = mode(np.where(free, x, centre), data)
    return Modes(optima, zeros, free, centre, prior, generator)


def starting_points(
    spec: ModelSpec, data: Data, hyper: Hyper, chains: int, seed: int, gradient: Gradient
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Unconstrained starting points (chains, ...) and an inverse mass matrix (sites, sites).

    `gradient` gives the potential of one point, with its gradient there.
    """
    compiling = compile_ahead(expected(spec), site_shapes(spec, data, hyper), data, hyper)
    unseen = data._replace(mask=jax.device_put(np.zeros(data.mask.shape, bool)))
    optima, zeros, free, centre, prior, generator = modes(spec, data, hyper, chains, seed, gradient)
    best = min(optima, key=lambda optimum: optimum.fun).x
    compiling.result()

    def mean_and_scale(x: np.ndarray) -> np.ndarray:
        mean, log_scale, _ = expected(spec)(sites_of(x, zeros), data, hyper)
        return np.concatenate([mean, log_scale])

    parameters = hyper["likelihood"] | expected(spec)(sites_of(best, zeros), data, hyper)[2]
    known = _prior_curvature(gradient, zeros, unseen, hyper, best) + _information(
        spec.likelihood(**{name: float(value) for name, value in parameters.items()}),
        mean_and_scale(best),
        _derivative(mean_and_scale, best),
        np.asarray(data.mask),
    )
    root = prior @ _root(prior.T @ known @ prior, MIN_CURVATURE)
    objective = _objective(gradient, zeros, free, hyper)
    points = []
    for optimum in optima:
        step = root @ generator.standard_normal(centre.size)
        while objective(optimum.x + step, data)[0] >= FAR:
            step = step / 2
        points.append(sites_of(optimum.x + step, zeros))
    return jax.tree.map(lambda *leaves: np.stack(leaves), *points), root @ root.T


def _potential(
    gradient: Gradient, zeros: Mapping[str, np.ndarray], hyper: Hyper
) -> Callable[[np.ndarray, Data], tuple[float, np.ndarray]]:
    """The potential as a function of a vector and of runs, with its slope."""

    def potential(x: np.ndarray, runs: Data) -> tuple[float, np.ndarray]:
        value, slope = gradient(sites_of(x, zeros), (runs, hyper))
        return float(value), _vector(slope)

    return potential


def _objective(
    gradient: Gradient, zeros: Mapping[str, np.ndarray], free: np.ndarray, hyper: Hyper
) -> Callable[[np.ndarray, Data], tuple[float, np.ndarray]]:
    """The same for a search that moves what is `free`."""
    potential = _potential(gradient, zeros, hyper)

    def objective(x: np.ndarray, runs: Data) -> tuple[float, np.ndarray]:
        value, slope = potential(x, runs)
        if not np.isfinite(value):
            return FAR, np.zeros_like(x)
        return value, np.where(free, slope, 0.0)

    return objective


def _prior_curvature(
    gradient: Gradient, zeros: Mapping[str, np.ndarray], unseen: Data, hyper: Hyper, x: np.ndarray
) -> np.ndarray:
    """Curvature (sites, sites) of the prior at a point; `unseen` are runs that are masked."""
    potential = _potential(gradient, zeros, hyper)
    return _derivative(lambda y: potential(y, unseen)[1], x)


def _information(
    likelihood: Likelihood, at: np.ndarray, derivative: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Expected (Fisher) information (sites, sites) of the runs, through their means and scales.

    Unlike the curvature of a Student t it does not depend on which runs happen to lie far off,
    and it is positive. `at` holds means and log scales of the runs, `derivative` (2 rows, sites)
    theirs; `mask` marks real rows.
    """
    information = likelihood.fisher_information()
    of_mean, of_log_scale = np.split(derivative, 2)
    log_scale = np.split(at, 2)[1][:, None]
    a = np.where(mask[:, None], of_mean * np.exp(-log_scale), 0.0)
    b = np.where(mask[:, None], of_log_scale, 0.0)
    symmetric = np.asarray(information.location * a.T @ a + information.scale * b.T @ b)
    if not information.cross:
        return symmetric
    return np.asarray(symmetric + information.cross * (a.T @ b + b.T @ a))


def _derivative(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Derivatives (values, sites) of a function of a vector, by central differences."""
    columns = [function(x + step) - function(x - step) for step in STEP * np.eye(x.size)]
    return np.stack(columns, axis=1) / (2 * STEP)


def _root(curvature: np.ndarray, least: float = 1e-8) -> np.ndarray:
    """A root R of the covariance R R' of a normal distribution whose log density curves so."""
    eigenvalues, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    return np.asarray(vectors / np.sqrt(np.maximum(np.abs(eigenvalues), least)))


def _vector(sites: Mapping[str, Any]) -> np.ndarray:
    """One draw's sites as a vector, in the order of `ravel_pytree`."""
    return np.concatenate([np.ravel(sites[name]) for name in sorted(sites)])


def sites_of(vector: np.ndarray, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inverse of `_vector`."""
    sites, begun = {}, 0
    for name in sorted(like):
        leaf = like[name]
        sites[name] = vector[begun : begun + leaf.size].reshape(leaf.shape)
        begun += leaf.size
    return sites
