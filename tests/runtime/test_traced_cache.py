"""Traced functions that are kept between processes: found again, made again, never wrong."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_distill._runtime import disk_cache as _kept
from bayes_distill._runtime import traced_cache as _stored
from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.laws import LAWS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(_kept, "cache_folder", lambda: tmp_path / "jax")
    return tmp_path / "traced"


def counted():
    """A function of a static factor and a tree of arrays, and how often it was traced."""
    traced = []

    def scaled(factor, tree, shift):
        traced.append(factor)
        return {"sum": factor * (tree["a"] + tree["b"]) + shift, "first": tree["a"]}

    return scaled, traced


TREE = {"a": np.arange(3.0), "b": np.ones(3)}


def test_another_process_does_not_trace_again(folder):
    function, traced = counted()
    first, sums = Stored(function)((2,), TREE, 1.0)
    np.testing.assert_array_equal(first, TREE["a"])  # leaves come by name
    np.testing.assert_array_equal(sums, [3.0, 5.0, 7.0])
    assert traced == [2]
    again = Stored(function)((2,), TREE, 5.0)  # as a new process would have it
    np.testing.assert_array_equal(again[1], [7.0, 9.0, 11.0])
    assert traced == [2]
    assert len(list(folder.iterdir())) == 1


def test_other_static_parts_shapes_and_structures_are_traced_anew(folder):
    function, traced = counted()
    stored = Stored(function)
    stored((2,), TREE, 1.0)
    stored((2,), TREE, 2.0)
    stored((3,), TREE, 1.0)
    stored((2,), {name: np.ones(4) for name in TREE}, 1.0)
    stored((2,), TREE, np.ones(3))
    assert traced == [2, 3, 2, 2]


def test_other_sources_are_traced_anew(folder, monkeypatch):
    function, traced = counted()
    Stored(function)((2,), TREE, 1.0)
    monkeypatch.setattr(_stored, "_made_of", lambda: "other")
    Stored(function)((2,), TREE, 1.0)
    assert traced == [2, 2]


@pytest.mark.parametrize("content", [b"", b"no program", b"\x00" * 500])
def test_a_damaged_file_is_made_again(folder, content):
    function, traced = counted()
    Stored(function)((2,), TREE, 1.0)
    (file,) = folder.iterdir()
    file.write_bytes(content)
    found = Stored(function)((2,), TREE, 1.0)
    np.testing.assert_array_equal(found[1], [3.0, 5.0, 7.0])
    assert traced == [2, 2]


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "traced").write_text("in the way", encoding="utf-8")
    monkeypatch.setattr(_kept, "cache_folder", lambda: tmp_path / "jax")
    function, _ = counted()
    np.testing.assert_array_equal(Stored(function)((2,), TREE, 1.0)[1], [3.0, 5.0, 7.0])


def test_what_the_text_of_does_not_say_all_is_not_kept(folder):
    class Foreign:
        factor = 2.0

    stored = Stored(lambda foreign, x: foreign.factor * x)
    assert float(stored((Foreign(),), 3.0)[0]) == 6.0
    assert not folder.exists()


def test_a_law_is_known_by_its_text(folder):
    texts = {repr(law) for law in LAWS.values()}
    assert len(texts) == len(LAWS)
    stored = Stored(lambda law, c: jnp.asarray(c["floor"]) + len(law.name))
    stored((LAWS["supervised"],), {"floor": 1.0})
    assert len(list(folder.iterdir())) == 1
    assert isinstance(stored((LAWS["supervised"],), {"floor": 1.0})[0], jax.Array)
