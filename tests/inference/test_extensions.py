"""Sampling goes on where chains disagree, and says what it took."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_distill.inference import checkpoint as checkpoint_module
from bayes_distill.inference.checkpoint import Checkpoint
from bayes_distill.inference.extensions import mixed, thinned
from bayes_distill.inference.programs import Programs
from bayes_distill.inference.sampler import Sample, run_chains
from bayes_distill.inference.settings import SamplerSettings
from interrupts import interrupt_at

RUN = 32 * "0"  # a name as `key_of` makes them
FUNNEL = SamplerSettings(chains=4, warmup=200, draws=400, extensions=2)


def funnel(scale: jax.Array) -> Any:
    """A scale and four effects of it, which are slow to explore."""

    def potential(z: dict[str, jax.Array]) -> jax.Array:
        log_sd, effects = z["log_sd"], z["effects"]
        return 0.5 * (log_sd / scale) ** 2 + jnp.sum(
            0.5 * (effects / jnp.exp(log_sd)) ** 2 + log_sd
        )

    return potential


@pytest.fixture(scope="module")
def programs():
    return Programs(funnel, FUNNEL.window, 0.9)


def draw(programs, settings=FUNNEL, scale=1.5, checkpoint=None, progress=None) -> Sample:
    z = {"log_sd": np.zeros(4), "effects": np.full((4, 4), 0.1)}
    arguments = (jnp.asarray(scale),)
    return run_chains(programs, z, np.eye(5), arguments, settings, 2, progress, checkpoint)


@pytest.fixture(scope="module")
def extended(programs):
    return draw(programs)


def test_a_slow_density_is_sampled_on_and_keeps_as_many_draws(programs, extended):
    once = draw(programs, SamplerSettings(chains=4, warmup=200, draws=400))
    assert not mixed(once.unconstrained, once.stats)
    assert (once.extensions, once.transitions_per_draw) == (0, 1)
    assert extended.extensions > 0
    assert extended.transitions_per_draw == 2**extended.extensions
    assert extended.unconstrained["log_sd"].shape == (4, 400)
    # the rounds before are warm-up now, each with a new step size
    before = sum(400 * 2**i + FUNNEL.tuning for i in range(extended.extensions))
    assert extended.warmup == once.warmup + before


def test_an_easy_density_is_not_sampled_on(programs):
    sample = draw(programs, scale=0.1)
    assert sample.extensions == 0


def test_few_draws_are_not_judged(programs):
    sample = draw(programs, SamplerSettings(chains=4, warmup=200, draws=100, extensions=2))
    assert sample.extensions == 0


@pytest.mark.parametrize("left", [1, 3, 8, 12, 14])
def test_an_extended_run_resumes(programs, extended, tmp_path, monkeypatch, left):
    monkeypatch.setattr(checkpoint_module, "EVERY", 0.0)
    reports: list[str] = []
    draw(programs, progress=lambda phase, done, of: reports.append(phase))
    assert set(reports) == {"warm-up", "sampling", "sampling on"}
    interrupt = interrupt_at(len(reports) - left)
    with pytest.raises(KeyboardInterrupt):
        draw(programs, checkpoint=Checkpoint(tmp_path, RUN), progress=interrupt)
    again = draw(programs, checkpoint=Checkpoint(tmp_path, RUN))
    for name, values in extended.unconstrained.items():
        np.testing.assert_array_equal(again.unconstrained[name], values)
    assert (again.warmup, again.extensions) == (extended.warmup, extended.extensions)


def test_thinned_draws_count_every_divergence():
    draws = {"x": np.arange(6.0)[None]}
    stats = {
        "diverging": np.array([[1, 0, 0, 0, 0, 1]], bool),
        "n_steps": np.full((1, 6), 7),
        "lp": np.arange(6.0)[None],
    }
    kept, of_kept = thinned(draws, stats, 3)
    np.testing.assert_array_equal(kept["x"], [[2, 5]])
    np.testing.assert_array_equal(of_kept["diverging"], [[True, True]])
    np.testing.assert_array_equal(of_kept["n_steps"], [[21, 21]])
    np.testing.assert_array_equal(of_kept["lp"], [[2, 5]])
