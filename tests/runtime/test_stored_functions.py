"""The traced functions of this package are stored, for every law: their code has a source."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

import bayes_distill.planning.plan  # noqa: F401  so that every traced function is defined
from bayes_distill import plan
from bayes_distill._runtime import disk_cache
from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.predict.optimal_teacher import loss_slope, optimal_teacher
from posteriors import EVERY_LAW, posterior_of_law

SIZES = np.array([3e8, 1e9]), np.array([1e10, 4e10])
TEACHERS = np.array([2.0, 2.4])


def traced_functions() -> list[Stored]:
    ours = [module for name, module in sys.modules.items() if name.startswith("bayes_distill.")]
    return [v for module in ours for v in vars(module).values() if isinstance(v, Stored)]


@pytest.fixture
def traced(tmp_path, monkeypatch) -> Iterator[list[str]]:
    """Names of the functions that are traced, with an empty cache; each program must be stored."""
    monkeypatch.setattr(disk_cache, "cache_folder", lambda: tmp_path / "jax")
    for function in traced_functions():
        monkeypatch.setattr(function, "programs", {})
    names: list[str] = []
    make = Stored._program

    def counted(self, *arguments):
        names.append(self.name)
        return make(self, *arguments)

    monkeypatch.setattr(Stored, "_program", counted)
    yield names
    assert len(list((tmp_path / "traced").iterdir())) == len(names)


def ask_of_losses(law: str) -> None:
    posterior = posterior_of_law(law)
    posterior.supervised_loss(*SIZES)
    if posterior.law.has_teacher:
        loss = posterior.distilled_loss(*SIZES, TEACHERS)
        optimal_teacher(posterior, *SIZES)
        loss_slope(posterior, *SIZES, loss)


@pytest.mark.parametrize("law", EVERY_LAW)
def test_losses_and_best_teachers(traced, law):
    ask_of_losses(law)
    assert traced


@pytest.mark.slow
def test_every_traced_function_of_the_package(traced):
    ask_of_losses("distillation")
    scenarios = ["best-case", "teacher-pretraining-and-inference"]
    budgets = [1e21, 1e30]  # the larger one leaves compute unspent
    plan(posterior_of_law("distillation"), "1B", budgets, scenario=scenarios, draws=20)
    assert set(traced) == {function.name for function in traced_functions()}
