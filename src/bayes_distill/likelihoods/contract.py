"""The contract of a likelihood, checked by numerical integration: for those of other packages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from bayes_distill.likelihoods.base import Likelihood

PROBABILITIES = (1e-6, 1e-3, 0.05, 0.3, 0.5, 0.8, 0.99, 1 - 1e-6)
PRECISION = 1e-6
SAMPLES, LEAST_P_VALUE = 20_000, 1e-4


def check_likelihood(likelihood: Likelihood, seed: int = 0) -> None:
    """Hold every function of a likelihood against its density.

    The density integrates to one, `cdf` is its integral, `sf` is the rest, `quantile` inverts
    `cdf`, samples follow it, the Fisher information is the expected square of the score, and the
    NumPyro distribution has the same density.

    Parameters
    ----------
    likelihood
        With numbers as parameters.
    seed
        Seed of the samples.

    Raises
    ------
    AssertionError
        Naming everything that does not agree.
    """
    faults = [*_declaration(likelihood)] or [
        *_integrals(likelihood),
        *_inverse(likelihood),
        *_samples(likelihood, seed),
        *_information(likelihood),
        *_distribution(likelihood),
    ]
    if faults:
        raise AssertionError(f"{type(likelihood).__name__}: " + "; ".join(faults))


def _declaration(likelihood: Likelihood) -> Iterator[str]:
    forgotten = [
        name
        for name, value in vars(type(likelihood)).items()
        if isinstance(value, dataclasses.Field)
    ]
    if forgotten:
        yield f"{', '.join(forgotten)} is no parameter: decorate the class with @dataclass"
    if not getattr(likelihood, "name", ""):
        yield "it has no name"


def _density(likelihood: Likelihood, z: float) -> float:
    return float(np.exp(likelihood.log_prob(np.float64(z))))


def _integrals(likelihood: Likelihood) -> Iterator[str]:
    from scipy.integrate import quad

    edges = [-np.inf, *likelihood.quantile(np.array([0.01, 0.2, 0.5, 0.8, 0.99])), np.inf]
    mass = 0.0
    for low, high in pairwise(edges):
        mass += quad(lambda z: _density(likelihood, z), low, high, epsabs=1e-10)[0]
        if abs(mass - float(likelihood.cdf(high))) > PRECISION:
            yield f"the density has {mass:.8f} below {high:g}, and cdf is {likelihood.cdf(high)}"
    z = likelihood.quantile(np.array(PROBABILITIES))
    if np.abs(likelihood.cdf(z) + likelihood.sf(z) - 1).max() > 1e-12:
        yield "cdf and sf do not add up to one"


def _inverse(likelihood: Likelihood) -> Iterator[str]:
    p = np.array(PROBABILITIES)
    off = np.abs(likelihood.cdf(likelihood.quantile(p)) - p) / np.minimum(p, 1 - p)
    if not off.max() < PRECISION:
        yield f"quantile does not invert cdf at probability {p[off.argmax()]:g}"


def _samples(likelihood: Likelihood, seed: int) -> Iterator[str]:
    from scipy.stats import kstest

    drawn = likelihood.sample(np.random.default_rng(seed), (SAMPLES // 10, 10))
    if np.shape(drawn) != (SAMPLES // 10, 10):
        yield f"samples have shape {np.shape(drawn)}, not the one that was requested"
    elif kstest(np.ravel(drawn), likelihood.cdf).pvalue < LEAST_P_VALUE:
        yield "samples do not follow cdf"


def _information(likelihood: Likelihood) -> Iterator[str]:
    from scipy.integrate import quad

    edges = [-np.inf, *likelihood.quantile(np.array([0.01, 0.2, 0.5, 0.8, 0.99])), np.inf]

    def slope(z: float) -> float:
        step = 1e-4 * (1 + abs(z))
        ahead, behind = (float(likelihood.log_prob(np.float64(z + s))) for s in (step, -step))
        return (ahead - behind) / (2 * step)

    def expected(first: int, second: int) -> float:
        def integrand(z: float) -> float:
            score = (-slope(z), -1 - z * slope(z))
            return score[first] * score[second] * _density(likelihood, z)

        return sum(float(quad(integrand, *ends, epsabs=1e-10)[0]) for ends in pairwise(edges))

    stated = likelihood.fisher_information()
    for name, (first, second) in (("location", (0, 0)), ("scale", (1, 1)), ("cross", (0, 1))):
        value, integral = float(getattr(stated, name)), expected(first, second)
        if abs(value - integral) > 1e-5:
            yield (
                f"fisher_information().{name} is {value:.7f}, but integrating over the density "
                f"gives {integral:.7f}"
            )


def _distribution(likelihood: Likelihood) -> Iterator[str]:
    import jax.numpy as jnp

    z = likelihood.quantile(np.array(PROBABILITIES))
    density = likelihood.distribution(jnp.asarray(2.0), jnp.asarray(0.1)).log_prob(
        jnp.asarray(2.0 + 0.1 * z)
    )
    if not np.allclose(density, likelihood.log_prob(z) - np.log(0.1), rtol=1e-6, atol=1e-8):
        yield "the NumPyro distribution has another density than log_prob"
