"""What may be written where: no input and no file of another kind is lost without a word.

Each command and each ``save`` states the kind of file that it writes. A file that is already there
is replaced if it is of that kind, else only with ``overwrite``.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

HEAD = 4096  # bytes that tell most kinds of file


@dataclass(frozen=True)
class Kind:
    """A kind of file that is written.

    Parameters
    ----------
    name
        What people call it.
    endings
        Suffixes of its own, in lower case; a name without a suffix is taken too.
    recognised
        Whether the beginning of a file, and the file, are of this kind.
    """

    name: str
    endings: tuple[str, ...]
    recognised: Callable[[bytes, Path], bool]


def _is_fit(head: bytes, path: Path) -> bool:
    return head.startswith(b"\x89HDF") and _holds(path, b"bayes-distill posterior")


def _is_picture(head: bytes, _: Path) -> bool:
    return head.startswith((b"\x89PNG", b"%PDF-")) or b"<svg" in head


def _is_result(head: bytes, path: Path) -> bool:
    return head.lstrip().startswith(b"{") and all(
        _holds(path, b'"%s"' % name) for name in (b"model", b"verdict", b"notes")
    )


def _is_table(head: bytes, path: Path) -> bool:
    if head.startswith(b"PAR1"):
        return _holds(path, b"tokens") and _holds(path, b"loss")
    first = head.partition(b"\n")[0]
    return all(name in first for name in (b"params", b"tokens", b"loss"))


FIT = Kind("a posterior", (".nc", ".nc4", ".netcdf"), _is_fit)
PAGE = Kind(
    "a report", (".html", ".htm"), lambda head, _: b'"generator" content="bayes-distill' in head
)
PICTURE = Kind("a picture", (".png", ".svg", ".pdf"), _is_picture)
RESULT = Kind("results", (".json",), _is_result)
MAPPING = Kind("a mapping", (".toml",), lambda head, _: b"[columns]" in head or b"[keep]" in head)
TABLE = Kind("a table of runs", (".csv", ".parquet", ".jsonl"), _is_table)


def output_problem(
    target: str | Path,
    kind: Kind,
    inputs: Iterable[object] = (),
    overwrite: bool = False,
) -> str | None:
    """Say why an output must not be written, or ``None`` if it may.

    Parameters
    ----------
    target
        Where it is to go. A link stands for the file that it leads to.
    kind
        What will be written.
    inputs
        What the call reads: paths count, whatever else is among them does not.
    overwrite
        Whether the caller means to replace what is there.
    """
    if overwrite:
        return None
    target, endings = Path(target), kind.endings
    if target.suffix and target.suffix.lower() not in endings:
        own = " or ".join(endings)
        return (
            f"{target} ends in {target.suffix}, and {kind.name} is written, which ends in {own}: "
            "name it so, or give `overwrite=True`"
        )
    for source in inputs:
        if isinstance(source, (str, Path)) and _same(target, Path(source)):
            return f"{target} is an input: name another file, or give `overwrite=True`"
    if not target.exists() or _of_kind(target, kind):
        return None
    return (
        f"{target} exists and is not {kind.name}: name another file, or give `overwrite=True` to "
        "replace it"
    )


def no_file(target: Path) -> str | None:
    """Say so if there is something at `target` that is neither a file nor a folder."""
    try:
        mode = target.stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    return f"{target} is a device or a pipe, and a file is written: name a file"


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, or will."""
    try:
        if os.path.realpath(one) == os.path.realpath(other):
            return other.exists()
        return one.samefile(other)
    except (OSError, ValueError):  # not there, or no path at all
        return False


def _of_kind(path: Path, kind: Kind) -> bool:
    try:
        if path.stat().st_size == 0:
            return True
        with path.open("rb") as file:
            return kind.recognised(file.read(HEAD), path)
    except OSError:
        return False


def _holds(path: Path, text: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text) >= 0
