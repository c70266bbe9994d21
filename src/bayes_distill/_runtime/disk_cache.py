"""What takes long to make and is kept between processes: files of the cache, with a checksum."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from bayes_distill._input.files import atomic_path
from bayes_distill._runtime.jax_setup import cache_folder
from bayes_distill.errors import InputError

CHECKSUM = 32  # bytes, ahead of what is kept
MOST = 2**28  # bytes of a kind; what was read longest ago makes room


def place_of(kind: str, name: str) -> Path:
    """Where something of a kind is kept; its name says all that it was made of."""
    return cache_folder().parent / kind / name


def read_kept(path: Path) -> bytes | None:
    """What was kept; ``None`` if nothing was, or it is not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content[CHECKSUM:]).digest() != content[:CHECKSUM]:
        return None
    with suppress(OSError):  # a folder that cannot be written to is read all the same
        os.utime(path)
    return content[CHECKSUM:]


def keep(path: Path, content: bytes) -> None:
    """Keep something, if that is possible: a cache that cannot be written to costs only time."""
    with suppress(OSError, ValueError, InputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)
        _make_room(path.parent)


def _make_room(folder: Path) -> None:
    """Remove what was read longest ago where a folder holds more than it may."""
    known = {path: path.stat() for path in folder.iterdir() if path.is_file()}
    held = sum(file.st_size for file in known.values())
    for path in sorted(known, key=lambda path: known[path].st_mtime_ns):
        if held <= MOST:
            return
        path.unlink(missing_ok=True)  # another process may have been first
        held -= known[path].st_size
