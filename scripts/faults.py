"""Long work under faults: the answer equals the undisturbed one, and no file is lost.

    python scripts/faults.py [kills] [disk] [pairs] [caches] [--times 30] [--seed 0] [--work fit]

``kills``: SIGKILL, SIGTERM and SIGINT at random moments of a fit, a validation and a plan, each
begun again until it ends. ``disk``: the same on a disk with room for 0, 1, 2, ... pages, which
needs Linux and ``unshare``; elsewhere every file that a fit writes fails once. ``pairs``: two
processes with one output and one cold cache. ``caches``: damaged caches, and caches on a full disk.
Each in a folder of its own, with real processes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

# a shell makes what it runs in the background deaf to SIGINT, and children inherit that; the state
# is written more often than by default, or work this small would be over before
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    from bayes_distill.inference import checkpoint
except KeyboardInterrupt:
    sys.exit(130)
checkpoint.EVERY = 0.1
from bayes_distill.cli.main import main
main(sys.argv[1:])
"""
# the number of the write that fails comes first
FULL_DISK = """
import errno, os, sys
from pathlib import Path
from bayes_distill._input import files
left = int(sys.argv.pop(1))
whole = Path.replace
def replace(self, target):
    global left
    if not str(target).endswith((".nc", ".npz")):
        return whole(self, target)
    left -= 1
    if left == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return whole(self, target)
Path.replace = replace
from bayes_distill.inference import checkpoint
checkpoint.EVERY = 0.1
from bayes_distill.cli.main import main
main(sys.argv[1:])
"""
NAMESPACE = "BAYES_DISTILL_FAULTS_NAMESPACE"
PAGE = 4096
SHORT = ["--chains", "2", "--warmup", "100", "--draws", "100", "--seed", "1"]
LONGEST = 600.0
KILLS = 5  # of one place, at most
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
WORK = {
    "fit": ["fit", "runs.csv", "--model", "supervised-plain", *SHORT, "--out", "fit.nc"],
    "validate": ["validate", "runs.csv", "--model", "supervised-plain", "--leave-out", "group",
                 *SHORT, "--resume", "kept", "--out", "validation.json"],
    "plan": ["plan", "busbridge2025-plain", "--params", "1e9,2e9", "--budget",
             ",".join(f"{b}e21" for b in range(1, 101)), "--scenario", "teacher-pretraining",
             "--draws", "50", "--no-crossovers", "--resume", "kept", "--json"],
}  # fmt: skip


def table() -> str:
    """Supervised runs of a known law, in two groups."""
    generator, rows = np.random.default_rng(5), ["params,tokens,loss,group"]
    for i, n in enumerate((1e8, 2e8, 4e8, 8e8, 1.6e9)):
        for j, d in enumerate((4e9, 8e9, 1.6e10, 3.2e10)):
            loss = 1.8 + 482 / n**0.35 + 2085 / d**0.37
            loss *= 1 + 0.003 * generator.standard_normal()
            rows.append(f"{n:g},{d:g},{loss:.5f},{'ab'[(i + j) % 2]}")
    return "\n".join(rows) + "\n"


class Place:
    """A folder with a table and a file of somebody's, and the outcome of work in it."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache
        folder.mkdir()
        (folder / "runs.csv").write_text(table(), encoding="utf-8")
        (folder / "mine.npz").write_bytes(b"my only copy")

    def start(self, arguments: list[str], program: str = PROGRAM) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=self.folder,
            env={**os.environ, "BAYES_DISTILL_CACHE": str(self.cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, arguments: list[str], program: str = PROGRAM) -> tuple[int, str, str]:
        """Run a command to its end: status, stdout, stderr."""
        process = self.start(arguments, program)
        out, err = process.communicate(timeout=LONGEST)
        return process.returncode, out, err

    def check_kept(self) -> None:
        """Fail if a file of the person's is not what it was, or something half-written is left."""
        assert (self.folder / "runs.csv").read_text(encoding="utf-8") == table()
        assert (self.folder / "mine.npz").read_bytes() == b"my only copy"


def answer(kind: str, place: Place, out: str) -> str:
    """What the work answered, less the time that it took."""
    if kind == "fit":
        from bayes_distill.posterior import Posterior

        tree = Posterior.load(place.folder / "fit.nc").tree
        digest = hashlib.sha256()
        for name, variable in sorted(tree["posterior"].dataset.data_vars.items(), key=str):
            digest.update(f"{name}".encode() + variable.to_numpy().tobytes())
        return digest.hexdigest()
    if kind == "validate":
        content = json.loads((place.folder / "validation.json").read_text(encoding="utf-8"))
    else:
        content = json.loads(out)
    for name in ("seconds", "timing", "notes"):
        content.pop(name, None)
    return json.dumps(content, sort_keys=True)


def kills(root: Path, times: int, seed: int) -> Iterator[str]:
    """Kill each kind of work at random moments; every other fit replaces an older one.

    What is left beside the output is the program's own: half-written files have its names.
    """
    chance = random.Random(seed)
    for kind, arguments in WORK.items():
        whole = Place(root / f"{kind}-whole", root / "cache")
        whole.finish(arguments)  # fills the cache
        shutil.rmtree(whole.folder / "kept", ignore_errors=True)
        begun = time.monotonic()
        status, out, err = whole.finish(arguments)
        assert status in (0, 3), err
        length, expected = time.monotonic() - begun, answer(kind, whole, out)
        killed, begun_anew = 0, 0
        while killed < times:  # a place is begun, killed and begun again, some times over
            place = Place(root / f"{kind}-{begun_anew}", root / "cache")
            old = _older(place) if kind == "fit" and begun_anew % 2 else None
            begun_anew += 1
            for _ in range(min(KILLS, times - killed)):
                process = place.start(arguments)
                try:
                    process.communicate(timeout=chance.uniform(0.1, 0.9) * length)
                except subprocess.TimeoutExpired:
                    process.send_signal(SIGNALS[killed % len(SIGNALS)])
                    _, err = process.communicate(timeout=LONGEST)
                    assert "Traceback" not in err, err
                    killed += process.returncode not in (0, 3)
                place.check_kept()
                if old is not None and (place.folder / "fit.nc").read_bytes() != old:
                    assert answer(kind, place, out) == expected, "neither the old nor the new"
            status, out, err = place.finish(arguments)
            assert status in (0, 3), err
            assert answer(kind, place, out) == expected, f"{kind} after {killed} kills"
            place.check_kept()
            shutil.rmtree(place.folder)
        yield f"{kind}: {killed} killed, the answer is that of {length:.0f} s without"


def _older(place: Place) -> bytes:
    """An output of an earlier fit, in the place of the new one."""
    from bayes_distill.posterior import load_posterior

    path = load_posterior("busbridge2025-plain").save(place.folder / "fit.nc")
    return path.read_bytes()


def disk(root: Path, times: int, seed: int) -> Iterator[str]:
    """Do each kind of work on a disk with room for 0, 1, 2, ... pages more, then with room."""
    del seed
    if not in_namespace():
        yield from writes(root, times)
        return
    for kind, arguments in WORK.items():
        whole = Place(root / f"{kind}-disk-whole", root / "cache")
        _, out, err = whole.finish(arguments)
        expected, failed = answer(kind, whole, out), 0
        full = root / f"{kind}-full"
        full.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full], check=True)
        place = Place(full / "place", root / "cache")
        for number in range(times):
            used = shutil.disk_usage(full).used
            size = used + PAGE * (number if number < 8 else 8 + (number - 8) ** 2)
            room(full, size)
            before = {
                path: path.read_bytes() for path in place.folder.glob("*.*") if path.is_file()
            }
            status, out, err = place.finish(arguments)
            if not refused_for_want_of_space(status, err):
                break
            failed += 1
            after = {path: path.read_bytes() for path in place.folder.glob("*.*") if path.is_file()}
            assert after == before, "a file changed, or a temporary one stays"
        room(full, 2**26)
        status, out, err = place.finish(arguments)
        assert status in (0, 3), err
        assert answer(kind, place, out) == expected
        place.check_kept()
        subprocess.run(["umount", full], check=True)
        yield f"disk: {kind} failed {failed} times for want of space, the answer is the same"
    tiny = root / "tiny"
    tiny.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", tiny], check=True)
    place, kind = Place(root / "tiny-cache", tiny / "cache"), next(iter(WORK))
    status, out, err = place.finish(WORK[kind])
    assert status in (0, 3), err
    assert "Traceback" not in err, err
    subprocess.run(["umount", tiny], check=True)
    yield f"disk: a cache without room costs a {kind} time and no more"


def in_namespace() -> bool:
    """Whether this process may mount disks of its own, which vanish with it."""
    return os.environ.get(NAMESPACE) == "yes"


def refused_for_want_of_space(status: int, err: str) -> bool:
    """Whether work failed on a full disk, as it should; fail if it did in any other way."""
    assert "Traceback" not in err, err
    if status in (0, 3):
        return False
    assert status == 2, err
    assert "No space left on device" in err, err
    return True


def room(folder: Path, size: int) -> None:
    """Give a disk of memory another size, in bytes."""
    subprocess.run(["mount", "-o", f"remount,size={max(size, PAGE)}", folder], check=True)


def writes(root: Path, times: int) -> Iterator[str]:
    """Let every file that a fit writes fail once."""
    whole = Place(root / "disk-whole", root / "cache")
    _, out, err = whole.finish(WORK["fit"])
    expected = answer("fit", whole, out)
    place, failed = Place(root / "disk", root / "cache"), 0
    for number in range(1, times + 1):
        status, out, err = place.finish([str(number), *WORK["fit"]], FULL_DISK)
        if not refused_for_want_of_space(status, err):
            break
        failed += 1
        assert not (place.folder / "fit.nc").exists()
        assert not list(place.folder.glob(".fit*")), "a temporary file stays"
    status, out, err = place.finish(WORK["fit"])
    assert answer("fit", place, out) == expected
    place.check_kept()
    yield f"disk: {failed} writes failed, the answer is the same"


def pairs(root: Path, times: int, seed: int) -> Iterator[str]:
    """Run two processes with one output, one folder of unfinished work and one cold cache."""
    del times, seed
    for kind, arguments in WORK.items():
        whole = Place(root / f"{kind}-pair-whole", root / "cache")
        _, out, _ = whole.finish(arguments)
        expected = answer(kind, whole, out)
        place = Place(root / f"{kind}-pair", root / f"cold-{kind}")
        for process in [place.start(arguments) for _ in range(2)]:
            out, err = process.communicate(timeout=LONGEST)
            assert process.returncode in (0, 3), err
            assert "Traceback" not in err, err
            assert answer(kind, place, out) == expected
        place.check_kept()
        yield f"pairs: two processes of one {kind}, and one cold cache: one answer"


def caches(root: Path, times: int, seed: int) -> Iterator[str]:
    """Damage every file of the cache and of unfinished work."""
    del times
    chance = random.Random(seed)
    for kind in WORK:
        place = Place(root / f"{kind}-caches", root / f"cache-{kind}")
        status, out, err = place.finish(WORK[kind])
        assert status in (0, 3), err
        expected = answer(kind, place, out)
        damaged = 0
        for folder in (root / f"cache-{kind}", place.folder / "kept"):
            for path in (p for p in folder.rglob("*") if p.is_file() and p.stat().st_size):
                content = bytearray(path.read_bytes())
                if damaged % 2:
                    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
                else:
                    content = content[: chance.randrange(len(content))]
                path.write_bytes(content)
                damaged += 1
        status, out, err = place.finish(WORK[kind])
        assert status in (0, 3), err
        assert "Traceback" not in err, err
        assert answer(kind, place, out) == expected
        place.check_kept()
        yield f"caches: {damaged} files damaged, the answer of {kind} is the same"


KINDS = {"kills": kills, "disk": disk, "pairs": pairs, "caches": caches}


def main() -> None:
    """Run the kinds that are named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", choices=list(WORK), action="append", help="all by default")
    options = parser.parse_args()
    for kind in set(WORK) - set(options.work or WORK):
        del WORK[kind]
    alone = shutil.which("unshare")
    if alone and NAMESPACE not in os.environ and "disk" in (options.kinds or KINDS):
        tried = subprocess.run([alone, "-rm", "true"], check=False, capture_output=True)
        os.environ[NAMESPACE] = "no" if tried.returncode else "yes"
        if not tried.returncode:
            os.execv(alone, [alone, "-rm", sys.executable, *sys.argv])
    for kind in options.kinds or KINDS:
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            for line in KINDS[kind](Path(folder), options.times, options.seed):
                print(line, flush=True)


if __name__ == "__main__":
    main()
