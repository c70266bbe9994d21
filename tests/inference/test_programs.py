"""Chains on separate threads, or as one program: the same draws, and nothing compiled twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import wait
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_distill._runtime import threads as _threads
from bayes_distill.inference.programs import BLOCK, Programs, chain_keys

CHAINS, STEPS = 3, 8


def banana(centre: jax.Array, bend: jax.Array) -> Any:
    def potential(z: dict[str, jax.Array]) -> jax.Array:
        x, (y, w) = z["x"], z["pair"]
        return 0.5 * ((x - centre) ** 2 + (y - bend * x**2) ** 2 / 0.3 + w**2)

    return potential


ARGUMENTS = (np.asarray(1.0), np.asarray(0.5))
OF_CHAINS = (np.asarray(1.0), np.array([0.1, 0.5, 2.0]))
POINTS = {"x": np.array([0.0, 1.0, 2.0]), "pair": np.arange(6.0).reshape(3, 2)}


@pytest.fixture
def compiled() -> Iterator[list[str]]:
    """Names of the functions that JAX compiles from here on, or reads from its cache."""
    names: list[str] = []

    def listen(event: str, duration: float, fun_name: str = "", **_: str | int) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(fun_name.removeprefix("jit(").removesuffix(")"))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


def run(programs: Programs, arguments: Any = ARGUMENTS, seed: int = 0) -> Any:
    keys = chain_keys(seed, 0, CHAINS)
    state = programs.start(keys, POINTS, np.eye(3), 0.3, arguments)
    programs.compile(state, arguments)
    state, (draws, stats) = programs.advance(state, arguments, STEPS)
    _, (more, _) = programs.advance(state, arguments, STEPS)
    return {n: np.concatenate([v[:STEPS], more[n][:STEPS]]) for n, v in draws.items()}, stats


@pytest.mark.parametrize(("axes", "arguments"), [(None, ARGUMENTS), ((None, 0), OF_CHAINS)])
def test_both_ways_to_run_chains_give_the_same_draws(axes, arguments):
    one_program, threads = (
        run(Programs(banana, 20, 0.8, axes, vectorised), arguments) for vectorised in (True, False)
    )
    assert threads[0]["pair"].shape == (2 * STEPS, CHAINS, 2)
    assert threads[1]["energy"].shape == (BLOCK, CHAINS)
    for name, values in threads[0].items():
        np.testing.assert_allclose(values, one_program[0][name], rtol=1e-6)
        assert len(np.unique(values[-1], axis=0)) == CHAINS
    np.testing.assert_array_equal(threads[1]["n_steps"], one_program[1]["n_steps"])


def test_a_chain_has_its_own_argument_and_no_other():
    each = run(Programs(banana, 20, 0.8, (None, 0), vectorised=False), OF_CHAINS)[0]["pair"]
    for chain, bend in enumerate(OF_CHAINS[1]):
        alone = run(Programs(banana, 20, 0.8, vectorised=False), (OF_CHAINS[0], bend))[0]["pair"]
        np.testing.assert_allclose(each[:, chain], alone[:, chain], rtol=1e-9)


@pytest.mark.parametrize("cores", [1, 2, 64])
def test_draws_do_not_depend_on_the_number_of_cores(cores, monkeypatch):
    programs = Programs(banana, 20, 0.8, vectorised=False)
    expected = run(programs)[0]
    monkeypatch.setattr(_threads.joblib, "cpu_count", lambda: cores)
    for name, values in run(programs)[0].items():
        np.testing.assert_array_equal(values, expected[name])


@pytest.mark.parametrize("vectorised", [True, False])
@pytest.mark.parametrize(("axes", "arguments"), [(None, ARGUMENTS), ((None, 0), OF_CHAINS)])
def test_what_was_compiled_ahead_is_not_compiled_again(vectorised, axes, arguments, compiled):
    programs = Programs(banana, 20, 0.8, axes, vectorised)
    arguments = jax.device_put(arguments)
    point = {n: jax.ShapeDtypeStruct(v.shape[1:], v.dtype) for n, v in POINTS.items()}
    wait(programs.ahead(point, arguments, CHAINS))
    ahead = list(compiled)
    run(programs, arguments)
    ours = ("gradient", "start", "advance")
    assert sorted(name for name in ahead if name in ours) == sorted(ours)
    assert not [name for name in compiled[len(ahead) :] if name in ours]


def test_an_error_in_a_chain_is_told(monkeypatch):
    programs = Programs(banana, 20, 0.8, vectorised=False)
    state = programs.start(chain_keys(0, 0, CHAINS), POINTS, np.eye(3), 0.3, ARGUMENTS)

    def fails(*_: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(programs, "_advance", fails)
    with pytest.raises(RuntimeError, match="out of memory"):
        programs.advance(state, ARGUMENTS, STEPS)


def test_the_gradient_is_that_of_the_potential():
    value, slope = Programs(banana, 20, 0.8).gradient({"x": 2.0, "pair": jnp.ones(2)}, ARGUMENTS)
    assert float(value) == pytest.approx(0.5 * (1 + 1 / 0.3 + 1))
    assert float(slope["x"]) == pytest.approx(1 + (1 - 2) / 0.3 * -2)
    np.testing.assert_allclose(slope["pair"], [-1 / 0.3, 1])


def test_chains_stages_and_seeds_have_keys_of_their_own():
    pairs = [(seed, stage) for seed in range(5) for stage in range(5)]
    keys = [tuple(key) for seed, stage in pairs for key in chain_keys(seed, stage, 7)]
    assert len(set(keys)) == len(keys)
