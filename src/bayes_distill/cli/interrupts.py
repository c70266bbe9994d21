"""What a command says when it is interrupted and part of its work is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayes_distill.errors import InterruptedFitError


@contextmanager
def kept_in(folder: str | Path | None, files: str = "*.json") -> Iterator[None]:
    """Work whose finished parts are stored in a folder, as `files`; ``None`` if they are not.

    Raises
    ------
    InterruptedFitError
        In place of a `KeyboardInterrupt`, saying how to go on, if any part is there.
    """
    try:
        yield
    except KeyboardInterrupt:
        if folder is None or not any(Path(folder).glob(files)):
            raise  # before there was anything to keep
        raise InterruptedFitError(
            f"interrupted; what was done is kept in {folder}, and the same command goes on from "
            "there"
        ) from None
