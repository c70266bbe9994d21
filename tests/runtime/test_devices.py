"""Work spread over forced host devices: every one has its part, and the answers are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from bayes_distill._runtime.devices import in_turn, over_draws

DEVICES = 3  # divides neither 1000 draws nor the batches
ASKED = """
import json, sys
import jax, numpy as np
import bayes_distill as bd
from bayes_distill._runtime import traced_cache as _stored

used = {}
call = _stored.Stored.__call__

def watched(self, static, *arrays):
    found = call(self, static, *arrays)
    places = used.setdefault(self.name.rpartition(".")[2], set())
    places.update(d.id for x in found for d in x.devices())
    return found

_stored.Stored.__call__ = watched
ask = dict(params=["198M", "1B", "3B"], tokens=["20B", "60B"], teacher_loss=[2.0, 2.3])
forecast = bd.forecast("busbridge2025", **ask)
risk = bd.risk("busbridge2025", **ask)
plan = bd.plan("busbridge2025", "1B", np.geomspace(1e20, 1e23, 10), draws=400, crossovers=False,
               scenario="teacher-pretraining-and-inference")
numbers = {}
for name, table in (("forecast", forecast.table), ("risk", risk.table), ("plan", plan.table)):
    for column in table.select_dtypes(["number"]):
        numbers[f"{name}.{column}"] = table[column].astype(float).tolist()
json.dump({"devices": len(jax.devices()), "numbers": numbers,
           "used": {k: sorted(v) for k, v in used.items()}}, sys.stdout)
"""


def ask(devices: int) -> dict:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XLA_FLAGS": flags.strip()},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_answers_are_those_of_one_device_and_all_devices_work():
    one, many = ask(1), ask(DEVICES)
    assert (one["devices"], many["devices"]) == (1, DEVICES)
    for name in ("_supervised", "_distilled", "_slope", "_minimise", "_begin", "_continue"):
        assert many["used"][name] == list(range(DEVICES)), name
        assert one["used"][name] == [0]
    assert one["numbers"].keys() == many["numbers"].keys()
    for name, expected in one["numbers"].items():
        # a recipe is searched to 1e-4 in the logarithm of sizes and tokens
        near = 3e-4 if name.startswith("plan.") else 1e-9
        np.testing.assert_allclose(
            many["numbers"][name], expected, rtol=near, atol=1e-7, err_msg=name
        )


class Places(list):
    """Stands for JAX's devices: as many entries as asked, all of them the one there is."""


@pytest.fixture(params=[1, 2, 3, 7])
def places(request, monkeypatch):
    found = Places(jax.devices()[:1] * request.param)
    monkeypatch.setattr(jax, "devices", lambda: found)
    return request.param


@pytest.mark.parametrize("draws", [1, 2, 6, 7, 100])
def test_draws_come_back_in_order_whatever_their_number(places, draws):
    sizes = []

    def program(static, tree, single, shared):
        assert static == ("law",)
        sizes.append(len(tree["a"]))
        return tree["a"] + single, tree["b"] * shared

    tree = {"a": np.arange(draws, dtype=float)[:, None], "b": np.arange(draws, dtype=float)}
    first, second = over_draws(program, ("law",), (tree, np.full((1, 4), 0.5)), (2.0,), draws)
    np.testing.assert_array_equal(first, np.arange(draws)[:, None] + np.full((draws, 4), 0.5))
    np.testing.assert_array_equal(second, 2.0 * np.arange(draws))
    assert len(set(sizes)) == 1  # one program serves every part
    assert len(sizes) == (places if draws >= places else 1)


def test_tasks_are_answered_in_order_and_few_are_ahead(places):
    asked, most = [], 0
    answers = []
    for (answer,) in in_turn(lambda task: asked.append(task) or (task**2,), range(20), ahead=2):
        answers.append(int(answer))
        most = max(most, len(asked) - len(answers))
    assert answers == [task**2 for task in range(20)]
    assert most < 2 * places
