"""The cache of programs is bounded, and several processes may use it at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bayes_distill._runtime import disk_cache
from bayes_distill._runtime.disk_cache import read_cached, write_cached

# compiles programs that no other test does, each some kilobytes, with room for a few of them
FILLS = """
import sys
from bayes_distill._runtime import jax_setup
jax_setup.CACHE_BYTES = 40_000
import jax
jax.config.update("jax_compilation_cache_max_size", jax_setup.CACHE_BYTES)
import numpy as np
for size in range(3, 15):
    print(jax.jit(lambda x: (x * x + size).sum())(np.arange(size)), flush=True)
"""


def started(folder: Path, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "BAYES_DISTILL_CACHE": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_share_a_cache_that_stays_within_its_bound(tmp_path):
    both = [started(tmp_path, FILLS) for _ in range(2)]
    said = [process.communicate() for process in both]
    expected = [sum(i * i + size for i in range(size)) for size in range(3, 15)]
    for out, err in said:
        assert [int(float(line)) for line in out.split()] == expected
        assert err == ""
    held = sum(path.stat().st_size for path in (tmp_path / "jax").glob("*-cache"))
    assert 0 < held <= 40_000


def test_the_bound_is_set_where_the_cache_can_be_written(tmp_path):
    code = (
        "import bayes_distill._runtime.jax_setup, jax\n"
        "print(jax.config.jax_compilation_cache_max_size)"
    )
    assert started(tmp_path, code).communicate() == (f"{2**30}\n", "")
    (tmp_path / "jax").rmdir()
    (tmp_path / "jax").write_text("in the way", encoding="utf-8")
    assert started(tmp_path, code).communicate() == ("-1\n", "")


def test_the_file_that_was_read_longest_ago_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_cache, "LARGEST_FOLDER", 400)
    for number, name in enumerate("abc"):
        write_cached(tmp_path / name, bytes(80))  # and a checksum of 32 bytes
        os.utime(tmp_path / name, (number, number))
    assert read_cached(tmp_path / "a") == bytes(80)
    write_cached(tmp_path / "d", bytes(80))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "d"]


def test_a_file_larger_than_the_folder_may_be_is_not_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_cache, "LARGEST_FOLDER", 50)
    write_cached(tmp_path / "a", bytes(80))
    assert not list(tmp_path.iterdir())
