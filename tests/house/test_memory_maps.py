"""A process that fits table after table stays below the memory maps that Linux allows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from bayes_distill._runtime import memory

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/maps").exists(), reason="memory maps are counted on Linux only"
)


@dataclass
class Program:
    """A compiled program that counts how often it was compiled."""

    compiled: int = 0

    def __post_init__(self) -> None:
        def triple(x: jax.Array) -> jax.Array:
            self.compiled += 1
            return 3 * x

        self.run = jax.jit(triple)
        self.run(jnp.ones(3))


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Program:
    monkeypatch.setattr(memory, "MAP_LIMIT", tmp_path / "limit")
    return Program()


def test_programs_are_dropped_near_the_limit(program: Program, tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("100\n")
    assert memory.drop_programs_near_map_limit()
    program.run(jnp.ones(3))
    assert program.compiled == 2


@pytest.mark.parametrize("limit", ["10000000\n", "no number", None])
def test_programs_are_kept_otherwise(program: Program, tmp_path: Path, limit: str | None) -> None:
    if limit is not None:
        (tmp_path / "limit").write_text(limit)
    assert not memory.drop_programs_near_map_limit()
    program.run(jnp.ones(3))
    assert program.compiled == 1
