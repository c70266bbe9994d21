"""Names of temporary files, and removing those of processes that were killed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

LONGEST = 40  # characters of a file's own name in that of its temporary


def temporary_beside(place: Path) -> Path:
    """Make an empty temporary file beside a file that is to be.

    Those that killed processes of this machine left there for the same file are removed.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    remove_abandoned(place)
    handle, name = tempfile.mkstemp(
        dir=place.parent, prefix=f"{_beginning(place)}{os.getpid()}-", suffix=place.suffix[:LONGEST]
    )
    os.close(handle)
    return Path(name)


def remove_abandoned(place: Path) -> None:
    """Remove temporaries for a file whose process is no more, as after SIGKILL."""
    beginning = _beginning(place)
    pattern = re.compile(rf"{re.escape(beginning)}(\d+)-\w+{re.escape(place.suffix[:LONGEST])}")
    with suppress(OSError):
        for path in place.parent.iterdir():
            found = pattern.fullmatch(path.name) if path.name.startswith(beginning) else None
            if found is not None and not _runs(int(found[1])):
                with suppress(OSError):
                    path.unlink()


def _beginning(place: Path) -> str:
    """What temporaries for a file begin with: the file, and the machine whose processes count."""
    machine = hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:6]
    return f".{place.stem[:LONGEST]}-{machine}-"


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True
