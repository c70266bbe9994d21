"""Files stored between processes, each with a checksum, in folders of a bounded size."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from bayes_distill._input.files import atomic_path
from bayes_distill._runtime.jax_setup import cache_folder
from bayes_distill.errors import InputError

CHECKSUM = 32  # bytes, ahead of the content
LARGEST_FOLDER = 2**28  # bytes of a kind; the files that were read longest ago are removed


def cache_path(kind: str, name: str) -> Path:
    """Where a file of a kind is stored; its name must say all that the content was made of."""
    return cache_folder().parent / kind / name


def read_cached(path: Path) -> bytes | None:
    """Content of a stored file; ``None`` if there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content[CHECKSUM:]).digest() != content[:CHECKSUM]:
        return None
    with suppress(OSError):  # a folder that cannot be written to is read all the same
        os.utime(path)
    return content[CHECKSUM:]


def write_cached(path: Path, content: bytes) -> None:
    """Store a file, if that is possible: a cache that cannot be written to costs only time."""
    with suppress(OSError, ValueError, InputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)
        _remove_oldest(path.parent)


def _remove_oldest(folder: Path) -> None:
    """Remove the files that were read longest ago where a folder is larger than it may be."""
    status = {path: path.stat() for path in folder.iterdir() if path.is_file()}
    total = sum(file.st_size for file in status.values())
    for path in sorted(status, key=lambda path: status[path].st_mtime_ns):
        if total <= LARGEST_FOLDER:
            return
        path.unlink(missing_ok=True)  # another process may have been first
        total -= status[path].st_size
