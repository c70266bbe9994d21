"""Writing files whole or not at all, and reading none that has no end."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bayes_distill._input.outputs import Kind, no_file, output_problem
from bayes_distill._input.temporary import temporary_beside
from bayes_distill._input.text import shown
from bayes_distill.errors import InputError

LITTLE = 2**20  # bytes: below, a write that failed did so for want of space


@contextmanager
def atomic_path(
    target: str | Path,
    kind: Kind | None = None,
    *,
    inputs: Iterable[object] = (),
    overwrite: bool = False,
) -> Iterator[Path]:
    """Give a temporary path beside `target` that replaces it when the block ends well.

    Nothing is left behind, and an existing file stays as it was, when the block raises; what a
    killed process left is removed by the next call for the same file. A link is followed: the file
    that it leads to is replaced.

    Parameters
    ----------
    target
        Where the file is to be.
    kind, inputs, overwrite
        As for `outputs.output_problem`; ``None`` for files of the package's own, such as caches.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written to, `target` is a folder or a device, it
        must not be replaced, or the disk is full.
    """
    fault = unwritable(target, kind, inputs=inputs, overwrite=overwrite)
    if fault is not None:
        raise InputError(fault)
    target = Path(target)
    place = Path(os.path.realpath(target))
    try:
        temporary = temporary_beside(place)
    except OSError as error:  # a full disk or a read-only mount
        raise InputError(f"{target} cannot be written: {error.strerror}") from error
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(place)
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) or "HDF error" in str(error):
            raise InputError(f"{target} cannot be written: {_reason(error, place)}") from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _reason(error: Exception, place: Path) -> str:
    """Why writing failed; HDF5 says of a full disk no more than that it failed."""
    strerror = getattr(error, "strerror", None)
    if not strerror or "HDF" in str(strerror):
        with suppress(OSError):
            if shutil.disk_usage(place.parent).free < LITTLE:
                return os.strerror(errno.ENOSPC)
    return str(strerror or error)


def unwritable(
    target: str | Path,
    kind: Kind | None = None,
    *,
    inputs: Iterable[object] = (),
    overwrite: bool = False,
) -> str | None:
    """Say why `target` cannot or must not be written, or ``None``; the rest as in `atomic_path`."""
    target = Path(target)
    try:
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(target.stat().st_mode):
                return f"{target} is a folder: name a file in it"
        place = Path(os.path.realpath(target))
    except (OSError, ValueError) as error:  # a name that is too long, or has a NUL in it
        return f"{target} cannot be written: {getattr(error, 'strerror', None) or error}"
    if not place.parent.is_dir():
        where = place.parent if target.is_symlink() else target.parent
        return f"the folder {where} does not exist: create it first"
    if not os.access(place.parent, os.W_OK):
        where = place.parent if target.is_symlink() else target.parent
        return f"the folder {where} cannot be written to"
    problem = no_file(target)
    if problem is None and kind is not None:
        problem = output_problem(target, kind, inputs, overwrite)
    return problem


def text_of(path: str | Path) -> str:
    """Text of somebody's file.

    Raises
    ------
    OSError
        If it cannot be read, or is a device or a pipe, which may have no end.
    ValueError
        If it is no UTF-8, or its name has a NUL.
    """
    mode = Path(path).stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a device or a pipe", str(path))
    return Path(path).read_text(encoding="utf-8")


def json_of(path: str | Path, *, name: str | None = None, missing: str = "does not exist") -> Any:
    """Plain data of somebody's JSON file.

    Parameters
    ----------
    path
        Where the file is.
    name
        What messages call it; by default `path`.
    missing
        What the message says of a file that is not there.

    Raises
    ------
    InputError
        If it is not there, cannot be read, or is not JSON.
    """
    name = name or str(path)
    try:
        return json.loads(text_of(path))
    except FileNotFoundError:
        raise InputError(f"{name} {missing}") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read as JSON: {reason}") from None


def made_of[Made](content: Any, make: Callable[[Any], Made], name: str | Path) -> Made:
    """What `make` builds from the content of a file.

    Raises
    ------
    InputError
        If the content is not such as was written; the message calls the file `name`.
    """
    try:
        return make(content)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name} is damaged: {shown(str(error), 200)}") from None


def write_text(target: str | Path, kind: Kind, text: str, *, overwrite: bool = False) -> Path:
    """Write a text, whole or not at all; errors are those of `atomic_path`."""
    with atomic_path(target, kind, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
