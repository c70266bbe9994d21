"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayes_distill.errors import InputError


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `target` that replaces it when the block ends well.

    Nothing is left behind, and an existing file stays as it was, when the block raises.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written to, or `target` is a folder.
    """
    target = Path(target)
    fault = unwritable(target)
    if fault is not None:
        raise InputError(fault)
    try:
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem[:40]}-", suffix=target.suffix
        )
    except OSError as error:  # a full disk or a read-only mount
        raise InputError(f"{target} cannot be written: {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def unwritable(target: str | Path) -> str | None:
    """Say why `target` cannot be written, or ``None`` if it can."""
    target = Path(target)
    try:
        if target.is_dir():
            return f"{target} is a folder: name a file in it"
    except OSError as error:  # a name that is too long
        return f"{target} cannot be written: {error.strerror}"
    if not target.parent.is_dir():
        return f"the folder {target.parent} does not exist: create it first"
    if not os.access(target.parent, os.W_OK):
        return f"the folder {target.parent} cannot be written to"
    return None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
