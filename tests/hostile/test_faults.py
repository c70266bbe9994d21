"""Writers whose file cannot grow: one line, the old file as it was, nothing left beside it.

`scripts/faults.py` kills real processes at random moments; `tests/inference/test_resume.py` does so
with one fit.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import bayes_distill as bd
from bayes_distill._runtime.disk_cache import read_cached, write_cached
from bayes_distill.errors import InputError
from bayes_distill.inference.checkpoint import Checkpoint
from bayes_distill.parallel import Store
from bayes_distill.runs import chinchilla_design
from bayes_distill.runs.writing import write_runs

LEAST = 1000  # bytes that a file may have: every writer needs more
KEY = "0123456789abcdef" * 2


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow beyond `LEAST` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LEAST, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def save(folder: Path) -> None:
    bd.load_posterior("fit.nc").save(folder / "out.nc")


def table(suffix: str):
    def write(folder: Path) -> None:
        write_runs(
            bd.simulate(LAW, COEFFICIENTS, chinchilla_design(), seed=1), folder / f"out{suffix}"
        )

    return write


def picture(folder: Path) -> None:
    bd.plot("trade-off-pairs", "fit.nc", out=folder / "out.png")


def checkpoint(folder: Path) -> None:
    Checkpoint(folder, KEY).start(lambda: ({"x": np.zeros(500)}, np.eye(30)))


def store(folder: Path) -> None:
    Store(folder, "module.task").write({"task": 1}, list(range(1000)))


LAW = bd.load_card("supervised-plain").scaling_law
COEFFICIENTS = {"E": 1.8, "A": 482.0, "B": 2085.0, "alpha": 0.35, "beta": 0.37}


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no such limit here")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "write", [save, table(".csv"), table(".parquet"), table(".jsonl"), picture, checkpoint, store]
)
def test_a_full_disk_is_one_line_and_costs_no_file(inside, tmp_path, write):
    write(tmp_path)
    (old,) = tmp_path.iterdir()
    before = old.read_bytes()
    if write is checkpoint:
        old.unlink()  # else it is read, not written
    with no_room(), pytest.raises(InputError, match="cannot be written"):
        write(tmp_path)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == ({} if write is checkpoint else {old.name: before})


def test_a_full_disk_costs_a_cache_nothing_but_time(tmp_path):
    with no_room():
        write_cached(tmp_path / "kind" / "name", bytes(10_000))
    assert read_cached(tmp_path / "kind" / "name") is None


@pytest.mark.parametrize("number", range(12))
def test_a_damaged_result_of_a_task_is_not_believed(tmp_path, number):
    kept, task = Store(tmp_path, "module.task"), {"task": 1}
    kept.write(task, [1.5, 2.25])
    assert kept.read(task)["result"] == [1.5, 2.25]
    content = bytearray(kept.path(task).read_bytes())
    generator = np.random.default_rng(number)
    content[generator.integers(len(content))] ^= 1 << int(generator.integers(7))
    kept.path(task).write_bytes(content)
    found = kept.read(task)
    assert found is None or found["result"] == [1.5, 2.25]


@pytest.mark.parametrize("number", range(12))
def test_a_damaged_checkpoint_is_not_believed(tmp_path, number):
    points = {"x": np.arange(3.0)}
    Checkpoint(tmp_path, KEY).start(lambda: (points, np.eye(3)))
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    generator = np.random.default_rng(number)
    content[generator.integers(len(content))] ^= 1 << int(generator.integers(8))
    path.write_bytes(content)
    found, mass = Checkpoint(tmp_path, KEY).start(lambda: (points, np.eye(3)))
    np.testing.assert_array_equal(found["x"], points["x"])
    np.testing.assert_array_equal(mass, np.eye(3))


@pytest.mark.slow
def test_a_fit_whose_write_failed_goes_on_as_if_nothing_had_been(tmp_path):
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [
            sys.executable,
            str(root / "scripts" / "faults.py"),
            "disk",
            "--times",
            "1",
            "--work",
            "fit",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "BAYES_DISTILL_FAULTS_NAMESPACE": "no"},
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert "the answer is the same" in done.stdout
