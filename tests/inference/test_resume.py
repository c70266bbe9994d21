"""A run that was interrupted continues where it stopped, with the draws of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from bayes_distill.inference import checkpoint as checkpoint_module
from bayes_distill.inference.checkpoint import Checkpoint, forget, key_of
from bayes_distill.inference.programs import Programs
from bayes_distill.inference.sampler import Sample, run_chains
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.posterior import load_posterior

SETTINGS = SamplerSettings(chains=3, warmup=960, draws=350)

RUN = "0123456789abcdef" * 2  # names are checksums


def gaussian(mean: jax.Array) -> Any:
    return lambda z: 0.5 * jnp.sum((z["x"] - mean) ** 2 * jnp.array([1.0, 4.0]))


@pytest.fixture(scope="module")
def programs():
    return Programs(gaussian, SETTINGS.window, 0.9)


@pytest.fixture(autouse=True)
def kept_after_every_block(monkeypatch):
    monkeypatch.setattr(checkpoint_module, "EVERY", 0.0)


def draw(programs, checkpoint=None, progress=None) -> Sample:
    z = {"x": np.random.default_rng(0).standard_normal((3, 2))}
    arguments = (jnp.array([1.0, -3.0]),)
    return run_chains(programs, z, np.eye(2), arguments, SETTINGS, 4, progress, checkpoint)


def stop_at(block: int):
    """Progress that interrupts after so many blocks."""
    reports = 0

    def progress(phase: str, done: int, of: int) -> None:
        nonlocal reports
        reports += 1
        if reports == block:
            raise KeyboardInterrupt

    return progress


def same(one: Sample, other: Sample) -> None:
    for mine, theirs in ((one.unconstrained, other.unconstrained), (one.stats, other.stats)):
        assert set(mine) == set(theirs)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])


@pytest.fixture(scope="module")
def uninterrupted(programs):
    """A run, and how many blocks it had: two in a window, five for the step size, four of draws."""
    reports: list[str] = []
    sample = draw(programs, progress=lambda phase, done, of: reports.append(phase))
    windows = (sample.warmup - SETTINGS.tuning) // SETTINGS.window
    assert 1 < windows <= SETTINGS.windows
    assert len(reports) == 2 * windows + 5 + 4
    return sample, len(reports)


# counted from the first, and from the last: in every stage, and where one begins
@pytest.mark.parametrize("block", [1, 2, 3, -11, -10, -9, -7, -6, -5, -4, -3, -1])
def test_a_resumed_run_equals_the_uninterrupted_one(programs, uninterrupted, tmp_path, block):
    sample, blocks = uninterrupted
    block %= blocks
    with pytest.raises(KeyboardInterrupt):
        draw(programs, Checkpoint(tmp_path, RUN), stop_at(block))
    phases: list[tuple[str, int]] = []
    again = draw(
        programs, Checkpoint(tmp_path, RUN), lambda phase, done, of: phases.append((phase, done))
    )
    same(again, sample)
    assert again.warmup == sample.warmup
    assert len(phases) == blocks - block  # nothing was done twice
    assert set(again.seconds) == {"compilation", "warm-up", "sampling"}


def test_a_run_may_be_interrupted_again_and_again(programs, tmp_path):
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            draw(programs, Checkpoint(tmp_path, RUN), stop_at(3))
    same(draw(programs, Checkpoint(tmp_path, RUN)), draw(programs))


def test_a_damaged_file_costs_the_time_and_not_the_answer(programs, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        draw(programs, Checkpoint(tmp_path, RUN), stop_at(5))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:500])
    same(draw(programs, Checkpoint(tmp_path, RUN)), draw(programs))


def test_an_interrupt_writes_what_was_not_written_yet(
    programs, uninterrupted, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoint_module, "EVERY", 1e9)
    with pytest.raises(KeyboardInterrupt):
        draw(programs, Checkpoint(tmp_path, RUN), stop_at(uninterrupted[1] - 2))
    position = Checkpoint(tmp_path, RUN).position()
    assert position is not None
    assert (position.stage, position.done) == (SETTINGS.windows + 1, 200)


def test_the_start_is_found_once(tmp_path):
    first = {"x": np.arange(6.0).reshape(3, 2)}, np.eye(2)
    Checkpoint(tmp_path, RUN).start(lambda: first)
    points, mass = Checkpoint(tmp_path, RUN).start(lambda: pytest.fail("found again"))
    np.testing.assert_array_equal(points["x"], first[0]["x"])
    np.testing.assert_array_equal(mass, first[1])


def test_another_run_has_another_key():
    settings = {"seed": 1, "draws": 100}
    data = {"loss": jnp.arange(3.0)}
    one = key_of("a", settings, data)
    assert one == key_of("a", dict(settings), {"loss": np.arange(3.0)})
    for other in (
        key_of("b", settings, data),
        key_of("a", settings | {"seed": 2}, data),
        key_of("a", settings, {"loss": jnp.arange(3.0) + 1e-12}),
        key_of("a", settings, {"loss2": jnp.arange(3.0)}),
    ):
        assert other != one


def test_a_file_of_another_format_is_never_read(monkeypatch):
    now = key_of("a", {"seed": 1}, {"loss": np.arange(3.0)})
    monkeypatch.setattr(checkpoint_module, "FORMAT", checkpoint_module.FORMAT - 1)
    assert key_of("a", {"seed": 1}, {"loss": np.arange(3.0)}) != now


def test_forgetting_leaves_what_is_not_its_own(tmp_path):
    folder = tmp_path / "kept"
    Checkpoint(folder, RUN).start(lambda: ({"x": np.zeros(2)}, np.eye(2)))
    (folder / "mine.txt").write_text("x", encoding="utf-8")
    forget(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    forget(folder)
    assert not folder.exists()
    forget(folder)


# a shell makes what it runs in the background deaf to SIGINT, and children inherit that; the state
# is written more often than by default, or a fit this small would be over before
FIT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from bayes_distill.inference import checkpoint
checkpoint.EVERY = 0.1
from bayes_distill.cli.main import main
main(sys.argv[1:])
"""


def start_fit(table: Path, out: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        FIT,
        "fit",
        str(table),
        "--model",
        "supervised-plain",
        "--out",
        str(out),
        "--warmup",
        "400",
        "--draws",
        "8000",
        "--json",
        "--quiet",
    ]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def wait_for_draws(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the state of a fit that samples has been written."""
    for _ in range(2400):
        for file in folder.glob("*.npz"):
            position = Checkpoint(folder, file.stem).position()
            if position is not None and position.stage > SamplerSettings(warmup=400).windows:
                return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("no state was kept in two minutes")


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and messages."""
    said = process.communicate()[1]
    return process.returncode, said


@pytest.fixture(scope="module")
def whole(chinchilla, tmp_path_factory):
    """The tree of the fit that was not interrupted."""
    out = tmp_path_factory.mktemp("whole") / "fit.nc"
    assert finish(start_fit(chinchilla.table, out))[0] in (0, 3)
    return load_posterior(out, allow_failed=True).tree


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_fit_that_is_killed_goes_on_and_gives_the_same_draws(chinchilla, whole, tmp_path, how):
    out, unfinished = tmp_path / "fit.nc", tmp_path / "fit.nc.unfinished"
    process = start_fit(chinchilla.table, out)
    wait_for_draws(unfinished, process)
    process.send_signal(how)
    status, said = finish(process)
    assert not out.exists()
    if how == signal.SIGINT:
        assert status == 130
        assert f"what was done is kept in {unfinished}" in said
    assert finish(start_fit(chinchilla.table, out))[0] in (0, 3)
    assert not unfinished.exists()
    resumed = load_posterior(out, allow_failed=True).tree
    for group in ("posterior", "sample_stats"):
        xr.testing.assert_equal(resumed[group].to_dataset(), whole[group].to_dataset())
