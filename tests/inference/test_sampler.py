"""NUTS on a density that is known exactly, and what it reports, repeats and compiles."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_distill.inference.kernel import MAX_TREE_DEPTH
from bayes_distill.inference.programs import Programs
from bayes_distill.inference.sampler import Sample, run_chains
from bayes_distill.inference.settings import SamplerSettings

COVARIANCE = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.3], [0.0, 0.3, 2.0]])
MEAN = np.array([1.0, -2.0, 30.0])
WARMUP = 320
WINDOW = SamplerSettings(warmup=WARMUP).window


def gaussian(mean: jax.Array, precision: jax.Array) -> Any:
    def potential(z: dict[str, jax.Array]) -> jax.Array:
        x = jnp.append(z["pair"], z["single"]) - mean
        return 0.5 * x @ precision @ x

    return potential


@pytest.fixture(scope="module")
def programs():
    return Programs(gaussian, WINDOW, 0.9)


def draw(programs, mean=MEAN, draws=750, seed=0, progress=None, mass=None) -> Sample:
    settings = SamplerSettings(chains=4, warmup=WARMUP, draws=draws)
    mass = np.eye(3) if mass is None else mass
    generator = np.random.default_rng(1)
    z = {
        "pair": mean[:2] + generator.standard_normal((4, 2)),
        "single": mean[2] + generator.standard_normal(4),
    }
    arguments = (jnp.asarray(mean), jnp.asarray(np.linalg.inv(COVARIANCE)))
    return run_chains(programs, z, mass, arguments, settings, seed, progress)


def test_draws_have_the_moments_of_the_density(programs):
    sample = draw(programs)
    assert sample.unconstrained["pair"].shape == (4, 750, 2)
    assert sample.unconstrained["single"].shape == (4, 750)
    flat = np.concatenate(
        [sample.unconstrained["pair"], sample.unconstrained["single"][..., None]], axis=2
    ).reshape(-1, 3)
    deviation = np.sqrt(np.diag(COVARIANCE))
    # 3000 draws of a Gaussian by NUTS are worth some 1500 independent ones, or more
    np.testing.assert_allclose((flat.mean(0) - MEAN) / deviation, 0, atol=4 / np.sqrt(1500))
    np.testing.assert_allclose(np.cov(flat.T), COVARIANCE, atol=0.3)
    np.testing.assert_allclose(np.corrcoef(flat.T)[0, 1], 0.9, atol=0.02)
    assert not sample.stats["diverging"].any()
    assert (sample.stats["n_steps"] < 2**MAX_TREE_DEPTH).all()
    assert sample.stats["acceptance_rate"].mean() == pytest.approx(0.9, abs=0.07)


def test_all_chains_as_one_program_warm_up_and_sample_alike(programs):
    expected = draw(programs, draws=250).unconstrained
    vectorised_sample = draw(Programs(gaussian, WINDOW, 0.9, vectorised=True), draws=250)
    assert vectorised_sample.stats["acceptance_rate"].mean() == pytest.approx(0.9, abs=0.07)
    for name, values in vectorised_sample.unconstrained.items():
        assert values.shape == expected[name].shape
        assert len(np.unique(vectorised_sample.stats["step_size"])) == 1
        np.testing.assert_allclose(values.mean((0, 1)), expected[name].mean((0, 1)), atol=0.4)


def test_log_density_and_energy_are_those_of_the_draws(programs):
    sample = draw(programs, draws=50)
    x = np.concatenate(
        [sample.unconstrained["pair"], sample.unconstrained["single"][..., None]], axis=2
    )
    exact = -0.5 * np.einsum("cdi,ij,cdj->cd", x - MEAN, np.linalg.inv(COVARIANCE), x - MEAN)
    np.testing.assert_allclose(sample.stats["lp"], exact, rtol=1e-9)
    assert (sample.stats["energy"] > -sample.stats["lp"]).all()  # it adds the kinetic part


def test_the_same_seed_gives_the_same_draws_and_another_seed_others(programs):
    first, again, other = (draw(programs, draws=150, seed=seed) for seed in (5, 5, 6))
    for name, values in first.unconstrained.items():
        np.testing.assert_array_equal(values, again.unconstrained[name])
        assert (values != other.unconstrained[name]).mean() > 0.99
    assert len(np.unique(first.unconstrained["single"][:, -1])) == 4  # chains differ too


def test_draws_do_not_depend_on_how_many_are_asked_for(programs):
    long, short = draw(programs, draws=250), draw(programs, draws=50)
    for name, values in short.unconstrained.items():
        np.testing.assert_array_equal(values, long.unconstrained[name][:, :50])


def test_progress_counts_every_transition_of_both_phases(programs):
    reports: list[tuple[str, int, int]] = []
    sample = draw(programs, draws=250, progress=lambda *report: reports.append(report))
    windows = sample.warmup - WARMUP // 4
    assert 0 < windows <= 6 * WINDOW
    assert reports == [
        *(("warm-up", done, WARMUP) for done in range(WINDOW, windows + 1, WINDOW)),
        *(("warm-up", windows + done, WARMUP) for done in (16, 32, 48, 64, 80)),
        ("sampling", 100, 250),
        ("sampling", 200, 250),
        ("sampling", 250, 250),
    ]


def test_warm_up_is_as_long_as_it_takes_to_learn_the_mass_matrix(programs):
    known = np.array([draw(programs, draws=50, seed=i, mass=COVARIANCE).warmup for i in range(5)])
    skewed = COVARIANCE * np.outer([1.0, 1.0, 0.03], [1.0, 1.0, 0.03])
    wrong = np.array([draw(programs, draws=50, seed=i, mass=skewed).warmup for i in range(5)])
    assert np.median(known) <= WARMUP // 4 + 3 * WINDOW  # half of the windows that there are
    assert (wrong > WARMUP // 4 + WINDOW).all()
    assert wrong.mean() > known.mean()
    assert max(known.max(), wrong.max()) <= WARMUP


def test_the_lengths_of_warm_up_add_up():
    for warmup in (100, 150, 250, 300, 1000, 1001):
        settings = SamplerSettings(warmup=warmup)
        assert settings.windows >= 3
        assert settings.window >= 25
        assert settings.windows * settings.window + settings.tuning <= warmup


def test_another_density_and_another_number_of_draws_compile_nothing(programs, compilations):
    draw(programs)
    before = compilations()
    moved = draw(programs, mean=MEAN + 100.0, draws=325)
    assert compilations() == before
    assert moved.unconstrained["single"].mean() == pytest.approx(130, abs=0.5)
    assert set(moved.seconds) == {"compilation", "warm-up", "sampling"}
    draw(Programs(gaussian, WINDOW, 0.8), draws=50)
    assert compilations() > before  # the count can rise: another target is another program
