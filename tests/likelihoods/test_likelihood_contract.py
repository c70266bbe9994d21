"""Every likelihood against numerical integration, and the contract's check against bad ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from bayes_distill.likelihoods import (
    BUILT_IN,
    Contaminated,
    Information,
    Likelihood,
    Normal,
    StudentT,
    check_likelihood,
    parameter,
)

EXAMPLES = [
    Normal(),
    StudentT(),
    StudentT(degrees_of_freedom=1.2),
    StudentT(degrees_of_freedom=40.0),
    Contaminated(contamination=0.1),
    Contaminated(contamination=0.5, mean_excess=0.8, degrees_of_freedom=3.0),
    Contaminated(contamination=0.02, mean_excess=30.0),
]
every_example = pytest.mark.parametrize("likelihood", EXAMPLES, ids=repr)
Z = np.array([-1e3, -30.0, -8.0, -3.0, -1.0, -0.1, 0.0, 0.4, 2.0, 6.0, 25.0, 1e3])


def test_every_built_in_likelihood_is_tested_here():
    assert {type(likelihood) for likelihood in EXAMPLES} == set(BUILT_IN.values())


@every_example
def test_the_contract_holds(likelihood):
    check_likelihood(likelihood)


@pytest.mark.parametrize(
    ("likelihood", "known"),
    [(Normal(), scipy.stats.norm), (StudentT(degrees_of_freedom=4.0), scipy.stats.t(4.0))],
    ids=["normal", "student t"],
)
def test_functions_are_those_of_scipy(likelihood, known):
    p = np.array([1e-300, 1e-9, 0.2, 0.5, 0.9, 1.0])
    for name, pairs in {
        "logpdf": (likelihood.log_prob(Z), known.logpdf(Z)),
        "cdf": (likelihood.cdf(Z), known.cdf(Z)),
        "sf": (likelihood.sf(Z), known.sf(Z)),
        "ppf": (likelihood.quantile(p), known.ppf(p)),
        "logpdf with a scale": (
            likelihood.log_density(2.0 + Z, 2.1, 0.3),
            known.logpdf((2.0 + Z - 2.1) / 0.3) - np.log(0.3),
        ),
    }.items():
        np.testing.assert_allclose(*pairs, rtol=1e-14, err_msg=name)


def test_samples_are_those_of_the_generator_itself():
    """Seeds of earlier versions give the same runs."""
    shape = (7, 3)
    np.testing.assert_array_equal(
        Normal().sample(np.random.default_rng(1), shape),
        np.random.default_rng(1).standard_normal(shape),
    )
    np.testing.assert_array_equal(
        StudentT(degrees_of_freedom=5.0).sample(np.random.default_rng(1), shape),
        np.random.default_rng(1).standard_t(5.0, shape),
    )


@pytest.mark.parametrize("likelihood", EXAMPLES[:4], ids=repr)
def test_information_by_quadrature_is_the_closed_form(likelihood):
    integrated = Likelihood.fisher_information(likelihood)
    np.testing.assert_allclose(integrated, likelihood.fisher_information(), rtol=1e-9, atol=1e-12)


@every_example
def test_the_slope_is_the_derivative_at_any_distance(likelihood):
    """NUTS differentiates the log density with JAX: it must be finite however far a run lies."""
    by_jax = jax.vmap(jax.grad(lambda z: likelihood.log_prob(z)))(jnp.asarray(Z))
    assert np.isfinite(by_jax).all()
    np.testing.assert_allclose(likelihood.slope(Z), by_jax, rtol=1e-9, atol=1e-12)
    distribution = likelihood.distribution(jnp.zeros(()), jnp.ones(()))
    slopes = jax.vmap(jax.grad(distribution.log_prob))(jnp.asarray(Z))
    np.testing.assert_allclose(slopes, by_jax, rtol=1e-9, atol=1e-12)


@every_example
def test_normal_scores_keep_order_and_reach_far_tails(likelihood):
    scores = likelihood.normal_scores(Z)
    assert (np.diff(scores) > 0).all()
    assert np.isfinite(scores[1:-1]).all()
    inside = slice(3, 9)
    np.testing.assert_allclose(
        scipy.stats.norm.cdf(scores[inside]), likelihood.cdf(Z[inside]), rtol=1e-9
    )


def test_normal_scores_of_a_student_t_are_symmetric():
    found = StudentT(degrees_of_freedom=4.0).normal_scores(np.array([-80.0, 0.0, 80.0]))
    assert found[1] == 0
    assert found[2] == -found[0] == pytest.approx(scipy.stats.norm.isf(scipy.stats.t.sf(80, 4)))


def test_parameters_may_differ_from_draw_to_draw():
    shares, excesses = np.array([0.05, 0.3, 0.6]), np.array([2.0, 5.0, 9.0])
    many = Contaminated(contamination=shares[:, None], mean_excess=excesses[:, None])
    p = np.array([0.01, 0.5, 0.99])
    for i, (share, excess) in enumerate(zip(shares, excesses, strict=True)):
        one = Contaminated(contamination=share, mean_excess=excess)
        for name, at in (("log_prob", Z), ("cdf", Z), ("sf", Z), ("slope", Z), ("quantile", p)):
            row = getattr(many, name)(np.broadcast_to(at, (3, at.size)))[i]
            np.testing.assert_allclose(row, getattr(one, name)(at), rtol=1e-12, err_msg=name)
        information = many.map_parameters(np.ravel).fisher_information()
        np.testing.assert_allclose(
            [part[i] for part in information[:2]], one.fisher_information()[:2], rtol=1e-10
        )
    drawn = many.sample(np.random.default_rng(0), (3, 40_000))
    # three standard errors of each mean
    error = 3 * drawn.std(axis=1) / np.sqrt(drawn.shape[1])
    assert (np.abs(drawn.mean(axis=1) - shares * excesses) < error).all()


def test_parameters_that_are_numbers_stay_numbers():
    mixed = Contaminated(contamination=np.array([0.1, 0.2]))
    found = mixed.map_parameters(lambda values: values[:, None])
    assert found.contamination.shape == (2, 1)
    assert found.mean_excess == 5.0


@pytest.mark.parametrize(("share", "excess"), [(0.1, 5.0), (0.4, 2.0)])
def test_moments_of_contaminated_runs(share, excess):
    """Mean c k; variance that of both parts about it."""
    degrees = 8.0
    one = Contaminated(contamination=share, mean_excess=excess, degrees_of_freedom=degrees)
    drawn = one.sample(np.random.default_rng(4), (400_000,))
    mean = share * excess
    second = (1 - share) * degrees / (degrees - 2) + share * (1 + 2 * excess**2)
    assert drawn.mean() == pytest.approx(mean, abs=4 * drawn.std() / np.sqrt(drawn.size))
    assert drawn.var() == pytest.approx(second - mean**2, rel=0.03)


def test_without_contamination_it_is_a_student_t():
    rare = Contaminated(contamination=1e-15)
    np.testing.assert_allclose(
        rare.log_prob(Z[:-1]), StudentT().log_prob(Z[:-1]), rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(rare.fisher_information()[:2], StudentT().fisher_information()[:2])


# --- why it is a mixture ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TwoPiece(Likelihood):
    """A Student t whose upper half is wider (Fernandez and Steel 1998)."""

    name: ClassVar[str] = "two_piece"
    ratio: Any = parameter("upper scale over the lower one", default=1.5)

    def log_prob(self, residual):
        inner = StudentT().log_prob(np.where(residual < 0, residual, residual / self.ratio))
        return np.log(2 / (1 + self.ratio)) + inner

    def cdf(self, residual):
        below = 2 / (1 + self.ratio) * StudentT().cdf(np.minimum(residual, 0.0))
        above = StudentT().cdf(np.maximum(residual, 0.0) / self.ratio) - 0.5
        return below + 2 * self.ratio / (1 + self.ratio) * above


def best_location(likelihood: Likelihood, free: tuple[str, ...]) -> float:
    """Location of the member of a family that is closest to runs of which a quarter is bad."""
    z, step = np.linspace(-12.0, 90.0, 8001, retstep=True)
    runs = Contaminated(contamination=0.25, mean_excess=6.0, degrees_of_freedom=1e6)
    weight = np.exp(runs.log_prob(z)) * step

    def divergence(x):
        location, log_scale, *logs = x
        there = replace(likelihood, **{n: np.exp(v) for n, v in zip(free, logs, strict=True)})
        return -float(weight @ there.log_density(z, location, np.exp(log_scale)))

    start = [0.0, 0.0, *(np.log(getattr(likelihood, name)) for name in free)]
    options = {"xatol": 1e-4, "fatol": 1e-9, "maxiter": 2000}
    return float(
        scipy.optimize.minimize(divergence, start, method="Nelder-Mead", options=options).x[0]
    )


def test_the_curve_stays_that_of_well_tuned_runs():
    """The figures of the docstring: a density that is skewed as a whole moves the curve down."""
    assert best_location(StudentT(), ()) == pytest.approx(0.40, abs=0.01)
    assert best_location(TwoPiece(), ("ratio",)) == pytest.approx(-0.93, abs=0.02)
    mixture = Contaminated(contamination=0.1)
    assert best_location(mixture, ("contamination",)) == pytest.approx(-0.02, abs=0.01)


# --- likelihoods that break the contract -----------------------------------------------------


@dataclass(frozen=True, eq=False)
class Laplace(Likelihood):
    """A good one, of which the next ones each break a part."""

    name: ClassVar[str] = "laplace"

    def log_prob(self, residual):
        return -abs(residual) - np.log(2.0)

    def cdf(self, residual):
        z = np.asarray(residual, float)
        return np.where(z < 0, np.exp(np.minimum(z, 0)) / 2, 1 - np.exp(-np.maximum(z, 0)) / 2)

    def sf(self, residual):
        return self.cdf(-np.asarray(residual))

    def fisher_information(self):
        return Information(1.0, 1.0, 0.0)  # analytic: the quadrature does not see the kink


class HalfTheMass(Laplace):
    def log_prob(self, residual):
        return super().log_prob(residual) - np.log(2.0)


class OtherQuantiles(Laplace):
    def quantile(self, probability):
        return 1.01 * super().quantile(probability)


class OtherSamples(Laplace):
    def sample(self, generator, shape):
        return generator.standard_normal(shape)


class OneSample(Laplace):
    def sample(self, generator, shape):
        return generator.laplace()


class OtherInformation(Laplace):
    def fisher_information(self):
        return Information(1.0, 1.1, 0.0)


class OtherTail(Laplace):
    def sf(self, residual):
        return 0.9 * super().sf(residual)


class OtherDistribution(Laplace):
    def distribution(self, mean, scale):
        return Normal().distribution(mean, scale)


class Undecorated(Laplace):
    width: Any = parameter("its width", default=1.0)


class Nameless(Laplace):
    name = ""


def test_a_likelihood_of_two_functions_keeps_the_contract():
    check_likelihood(Laplace())


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (HalfTheMass, "the density has"),
        (OtherQuantiles, "quantile does not invert cdf"),
        (OtherSamples, "samples do not follow cdf"),
        (OneSample, "samples have shape"),
        (
            OtherInformation,
            r"fisher_information\(\).scale is .* integrating over the density gives",
        ),
        (OtherTail, "cdf and sf do not add up"),
        (OtherDistribution, "the NumPyro distribution has another density"),
        (Undecorated, "width is no parameter: decorate the class"),
        (Nameless, "it has no name"),
    ],
)
def test_what_breaks_the_contract_is_named(broken, fault):
    with pytest.raises(AssertionError, match=fault) as caught:
        check_likelihood(broken())
    assert str(caught.value).startswith(broken.__name__)
