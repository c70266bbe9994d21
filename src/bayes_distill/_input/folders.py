"""Folders that hold the state of unfinished work: nothing of anybody else's is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from bayes_distill.errors import Fault, InputError

OWN = re.compile(r"(?:\w+-)?[0-9a-f]{32}\.(?:npz|json)")
# as `temporary.temporary_beside` names them; earlier versions without machine and process
HALF_WRITTEN = re.compile(r"\.(?:\w+-)?[0-9a-f]{1,40}-(?:[0-9a-f]{6}-\d+-)?\w{8}\.(?:npz|json)")
"""A file that was being written when its process was killed."""
MOST_NAMED = 3


def folder_problem(folder: str | Path) -> str | None:
    """Say why a folder cannot keep unfinished work, or ``None``: it need not be there yet."""
    folder = Path(folder)
    try:
        if folder.is_symlink():
            return f"{folder} is a link: name a folder"
        if not os.path.lexists(folder):
            return None
        if not folder.is_dir():
            return f"{folder} cannot be made a folder: it is a file"
        foreign = sorted(each.name for each in folder.iterdir() if not _own(each))
    except (OSError, ValueError) as error:
        return f"{folder} cannot be used: {getattr(error, 'strerror', None) or error}"
    if not foreign:
        return None
    more = len(foreign) - MOST_NAMED
    named = ", ".join(foreign[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return (
        f"{folder} holds files that are not of unfinished work ({named}): name an empty folder, or "
        "move them"
    )


def own_folder(folder: str | Path) -> Path:
    """Make a folder for unfinished work, unless it is there.

    Raises
    ------
    InputError
        If it cannot be made or written to, is a link, or holds files of another kind.
    """
    problem = folder_problem(folder)
    if problem is None:
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            problem = f"{folder} cannot be made a folder: {reason}"
    if problem is None and not os.access(folder, os.W_OK):
        problem = f"{folder} cannot be written to"
    if problem is not None:
        raise InputError(Fault(problem, column="resume"))
    return Path(folder)


def states_in(folder: str | Path) -> Iterator[Path]:
    """Files of unfinished work in a folder, half-written ones too; none in one that is a link."""
    if not Path(folder).is_symlink() and Path(folder).is_dir():
        yield from [each for each in Path(folder).iterdir() if _own(each)]


def _own(path: Path) -> bool:
    named = OWN.fullmatch(path.name) or HALF_WRITTEN.fullmatch(path.name)
    return named is not None and path.is_file() and not path.is_symlink()
