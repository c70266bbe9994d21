"""Likelihoods by name: built-ins, entry points, dotted paths; what cannot be had is refused."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from bayes_distill._runtime import by_name
from bayes_distill.errors import InputError
from bayes_distill.likelihoods import (
    BUILT_IN,
    ENTRY_POINTS,
    Contaminated,
    Normal,
    StudentT,
    likelihood_named,
    likelihood_names,
)

MODULE = """
import pathlib
from dataclasses import dataclass
from typing import ClassVar
from bayes_distill.likelihoods import Likelihood, Normal

pathlib.Path("imported").touch()

class Mine(Normal):
    name = "mine"

class Half(Likelihood):
    name = "half"
    def cdf(self, residual):
        return residual

number = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that is on the path, and leaves a file where it is imported."""
    (tmp_path / "house_likelihoods.py").write_text(MODULE)
    (tmp_path / "broken_likelihoods.py").write_text("raise RuntimeError('not today')\n")
    (tmp_path / "lacking_likelihoods.py").write_text("import no_such_house\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield "house_likelihoods"
    sys.modules.pop("house_likelihoods", None)


def test_built_in_names():
    assert {n: likelihood_named(n) for n in BUILT_IN} == {
        "student_t": StudentT,
        "normal": Normal,
        "contaminated": Contaminated,
    }


def test_a_dotted_path_is_imported(module):
    found = likelihood_named(f"{module}:Mine")
    assert found.__module__ == module
    assert issubclass(found, Normal)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("{}:Other", "the module house_likelihoods has no Other"),
        ("{}:number", "not a subclass of bayes_distill.likelihoods.Likelihood"),
        ("{}:pathlib", "not a subclass"),
        ("{}:Half", "does not define log_prob"),
        ("no_such_house:Mine", "was not found: there is no module no_such_house here.*PYTHONPATH"),
        ("no_such_house.deep:Mine", "was not found: there is no module no_such_house here"),
        ("broken_likelihoods:Mine", "was found, but .* fails with RuntimeError: not today"),
        ("lacking_likelihoods:Mine", "was found, but .* fails with .*'no_such_house'"),
    ],
)
def test_paths_that_lead_to_no_likelihood_are_refused(module, name, problem):
    with pytest.raises(InputError, match=problem):
        likelihood_named(name.format(module))


@pytest.mark.parametrize(
    "name",
    [
        "laplace",
        "",
        "{}",
        "{}.Mine",
        "{}:Mine()",
        "{}:Mine.name",
        "{}:Mine;1",
        ":Mine",
        "{}:",
        ".{}:Mine",
    ],
)
def test_what_is_neither_name_nor_path_is_refused_without_importing_anything(
    module, name, tmp_path
):
    with pytest.raises(InputError, match="is not known: use student_t, normal, contaminated"):
        likelihood_named(name.format(module))
    assert not (tmp_path / "imported").exists()
    assert module not in sys.modules


def test_entry_points_of_installed_packages(module, monkeypatch):
    points = [
        EntryPoint("mine", f"{module}:Mine", ENTRY_POINTS),
        EntryPoint("gone", "no_such_house:Mine", ENTRY_POINTS),
        EntryPoint("normal", f"{module}:Mine", ENTRY_POINTS),
    ]

    def entry_points(group, name=None):
        return [p for p in points if p.group == group and name in (None, p.name)]

    monkeypatch.setattr(by_name, "entry_points", entry_points)
    assert likelihood_named("mine").__module__ == module
    assert likelihood_names() == [*BUILT_IN, "gone", "mine"]
    assert likelihood_named("normal") is Normal  # no package takes a built-in name
    with pytest.raises(InputError, match="gone is a likelihood of an installed package whose"):
        likelihood_named("gone")
    with pytest.raises(InputError, match=r"use student_t, normal, contaminated, gone, mine, or"):
        likelihood_named("theirs")
