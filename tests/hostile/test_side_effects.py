"""What a command touches besides its output: no network, no other file, no setting of JAX's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayes_distill.cli.interrupts import tell_again

# what is opened for writing, removed, renamed, connected to or started is printed on stderr
WATCHED = r"""
import os, sys
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        mode, flags = arguments[1], arguments[2] or 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or set(mode or "") & set("wxa+"):
            sys.stderr.write(f"TOUCHED {os.fsdecode(arguments[0])}\n")
    elif event in ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link"):
        sys.stderr.write(f"TOUCHED {os.fsdecode(arguments[0])}\n")
    elif event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "os.system",
                   "subprocess.Popen", "os.exec", "os.posix_spawn", "urllib.Request"):
        sys.stderr.write(f"FOREIGN {event} {arguments}\n")
sys.addaudithook(watch)
from bayes_distill.cli import main
main()
"""


def process(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        ("forecast fit.nc --params 1e9 --tokens 2e10 --teacher-loss 2.1", ""),
        (
            "plan fit.nc --params 1e9 --budget 1e21 --scenario teacher-pretraining "
            "--no-crossovers",
            "",
        ),
        ("report supervised.nc --out {out}/new.html", "new"),
    ],
    ids=["forecast", "plan", "report"],
)  # fmt: skip
def test_nothing_else_is_touched(inside, tmp_path, arguments, own):
    cache = os.environ.get("BAYES_DISTILL_CACHE", str(tmp_path / "cache"))
    typed = arguments.format(out=tmp_path).split()
    done = process(WATCHED, *typed, BAYES_DISTILL_CACHE=cache, MPLCONFIGDIR=str(tmp_path / "mpl"))
    assert done.returncode == 0, done.stderr
    foreign = [line for line in done.stderr.splitlines() if "FOREIGN" in line]
    # matplotlib lists the fonts of the machine, once for its own cache
    assert [line for line in foreign if "'fc-list'" not in line] == []
    touched = [line.split(" ", 1)[1] for line in done.stderr.splitlines() if "TOUCHED" in line]
    allowed = (cache, str(tmp_path), "/dev/null", "/proc/self", "/dev/shm")
    assert [path for path in touched if not path.startswith(allowed)] == []
    if own:
        text = (tmp_path / "new.html").read_text(encoding="utf-8")
        assert str(inside) not in text
        assert str(tmp_path) not in text


def test_float32_by_force_is_refused_clearly():
    done = process("import bayes_distill as bd; bd.load_card('joint')", JAX_ENABLE_X64="0")
    assert "JAX_ENABLE_X64 forbids float64" in done.stderr.splitlines()[-1]
    done = process("from bayes_distill.cli import main; main()", "models", "show", "joint",
                   JAX_ENABLE_X64="0")  # fmt: skip
    assert done.returncode == 0, done.stderr


SWITCHED = """
import bayes_distill as bd, jax, jax.numpy as jnp
print(jnp.zeros(1).dtype)
card = bd.load_card("joint")
print(jnp.zeros(1).dtype, jnp.zeros(1, jnp.float32).dtype)
with jax.enable_x64(False):
    print(jnp.zeros(1).dtype)
    for call in (bd.load_card, bd.load_posterior, lambda _: bd.fit("runs.csv", model=card)):
        try:
            call("joint")
        except bd.BayesDistillError as error:
            print(error)
bd.load_card("joint")
"""


def test_first_use_switches_float64_on_and_a_block_of_float32_is_refused():
    done = process(SWITCHED)
    assert done.returncode == 0, done.stderr
    imported, used, inside, *refused = done.stdout.splitlines()
    assert (imported, used, inside) == ("float32", "float64 float32", "float32")
    assert [line[:28] for line in refused] == ["JAX computes in float32 here"] * 3


def test_an_interrupt_inside_a_finaliser_is_not_lost(monkeypatch):
    class Odd:
        def __del__(self):
            raise KeyboardInterrupt

    def work():
        Odd()
        time.sleep(20)

    monkeypatch.setattr(sys, "unraisablehook", tell_again)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        signal.signal(signal.SIGINT, before)


RUN = "from bayes_distill.cli import main; main()"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("close", ["> /dev/full", ">&-", "| head -c 1"])
def test_streams_that_take_nothing(close):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -c "{RUN}" datasets list {close}'],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if "head" not in close:
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")


def test_an_ascii_stream_gets_escapes():
    done = process(RUN, "models", "list", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("limit", [6 * 10**8, 3 * 10**9])
def test_too_little_address_space_is_told_in_one_line(limit):
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit})); {RUN}"
    done = process(code, "forecast", "joint", "--params", "1e9", "--tokens", "2e10")
    assert done.returncode == 2
    assert done.stderr.startswith("error: the address space of this process is limited to ")
    assert done.stderr.count("\n") == 1
    assert process(code, "--help").returncode == 0
