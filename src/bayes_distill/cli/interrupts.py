"""Interrupts: what a command says if part of its work is stored, and none is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from bayes_distill.errors import InterruptedFitError

SOON = 0.02  # seconds: a callback is over by then


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


def tell_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Send SIGINT once more where its exception was raised in code that cannot pass it on.

    Python drops what is raised in callbacks of the garbage collector and in finalisers, so that a
    Ctrl-C in one of them (JAX has some) would be lost. It is `sys.unraisablehook` of the commands.
    """
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        timer = Timer(SOON, os.kill, (os.getpid(), signal.SIGINT))
        timer.daemon = True  # work that is over is not interrupted
        timer.start()
    else:
        sys.__unraisablehook__(unraisable)
