"""Code that runs in a block is listed, unless it is known or what Python runs in the background."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from threading import Thread
from types import CodeType
from typing import NamedTuple

import jax
import jax.monitoring
import jax.numpy as jnp
import pytest

from bayes_distill._runtime.executed_code import foreign_code


class Finalized:
    def __del__(self):
        called()


@dataclass(frozen=True)
class Generated:
    number: int


class Pair(NamedTuple):
    one: int
    other: int


def called() -> None:
    nested()


def nested() -> None:
    pass


def listed(foreign: list[CodeType] | None) -> list[str]:
    assert foreign is not None
    return [code.co_name for code in foreign]


def test_what_is_called_is_listed_once_and_what_is_known_is_not():
    with foreign_code({called.__code__}) as foreign:
        called()
        nested()
    assert listed(foreign) == ["nested"]
    with foreign_code(set()) as again:
        called()
    assert listed(again) == ["called", "nested"]


def test_libraries_and_the_methods_that_they_generate_are_known():
    with foreign_code(set()) as foreign:
        jnp.linspace(0.0, 1.0, 7)
        hash(Generated(1))
        Pair(1, 2)
    assert listed(foreign) == []


def test_code_of_no_file_is_listed():
    namespace: dict[str, object] = {"__name__": "some.module"}
    exec("def made():\n    pass", namespace)
    with foreign_code(set()) as foreign:
        namespace["made"]()  # type: ignore[operator]
    assert listed(foreign) == ["made"]


def test_the_garbage_collector_waits():
    with foreign_code(set()):
        assert not gc.isenabled()
        with foreign_code(set()):
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with foreign_code(set()):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_finalizers_imports_and_other_threads_are_not_listed(tmp_path, monkeypatch):
    (tmp_path / "imported_meanwhile.py").write_text("def run():\n    pass\nrun()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    finalized = Finalized()
    with foreign_code(set()) as foreign:
        del finalized
        import imported_meanwhile

        other = Thread(target=nested)
        other.start()
        other.join()
    assert listed(foreign) == []
    with foreign_code(set()) as foreign:
        nested()
        imported_meanwhile.run()
    assert listed(foreign) == ["nested", "run"]


def test_it_says_so_where_there_is_no_room_to_watch():
    free = [number for number in range(6) if sys.monitoring.get_tool(number) is None]
    for number in free:
        sys.monitoring.use_tool_id(number, "taken")
    try:
        with foreign_code(set()) as foreign:
            called()
        assert foreign is None
    finally:
        for number in free:
            sys.monitoring.free_tool_id(number)
    with pytest.raises(ZeroDivisionError), foreign_code(set()):
        1 / 0  # noqa: B018
    assert [number for number in range(6) if sys.monitoring.get_tool(number) is None] == free


def test_listeners_that_time_jax_are_not_listed():
    heard = []

    def listen(event: str, **_: str | int) -> None:
        heard.append(event)

    jax.monitoring.register_event_listener(listen)
    try:
        with foreign_code(set()) as foreign:
            jax.monitoring.record_event("/traced")
    finally:
        jax.monitoring.unregister_event_listener(listen)
    assert heard == ["/traced"]
    assert listed(foreign) == []
