"""A register: JSON lines that are appended, each with the sha256 of the one before.

A line is an object that begins with ``register`` (the version of the form) and ``previous`` (the
sha256, in hex, of the bytes of the line before without its line break; 64 zeros for the first), and
ends with ``sha256``, that of the line itself without this last member. A line that is changed,
removed or put in between breaks the chain. Lines that are missing at the end do not: whoever keeps
the sha256 of the last line elsewhere can check for them too.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayes_distill._input.files import unwritable
from bayes_distill._input.text import shown
from bayes_distill.errors import Fault, InputError

try:
    import fcntl
except ImportError:  # a system without it: appends are not locked there
    fcntl = None  # type: ignore[assignment]

VERSION = 1
FIRST = "0" * 64
LONGEST = 2**24  # bytes of a line
BEGINNING = b'{"register": '
END = re.compile(rb', "sha256": "([0-9a-f]{64})"\}\Z')
PATIENCE = 30.0  # seconds to wait for others who append


@dataclass(frozen=True)
class Register:
    """What a register holds.

    Parameters
    ----------
    lines
        Content of each whole line; of one that is no JSON object, an empty dictionary.
    faults
        Lines that were changed, removed or put in, by their number from 0.
    torn
        Bytes of a last line that was not written to its end.
    head
        Sha256 of the last whole line; 64 zeros if there is none.
    size
        Bytes of all whole lines.
    """

    lines: tuple[dict[str, Any], ...]
    faults: tuple[Fault, ...]
    torn: bytes
    head: str
    size: int


def read_register(path: str | Path) -> Register:
    """Read a register, and check its chain.

    Raises
    ------
    InputError
        If the file cannot be read, or is no register.
    """
    lines: list[dict[str, Any]] = []
    faults: list[Fault] = []
    torn, head, size, known = b"", FIRST, 0, False
    with _opened(path) as file:
        while raw := file.readline(LONGEST):
            known = known or raw.startswith(BEGINNING)
            if len(raw) >= LONGEST:
                raise InputError(f"line {len(lines)} of {path} is longer than {LONGEST:,} bytes")
            content = _content(raw.rstrip(b"\r\n"))
            if not raw.endswith(b"\n") and content is None:
                torn = raw
                break
            number, line = len(lines), raw.removesuffix(b"\n")
            if content is None:
                faults.append(Fault("was changed after it was written", row=number))
            elif content["previous"] != head and not (faults and faults[-1].row == number - 1):
                problem = (
                    "does not follow the line before it: lines were changed, removed or put in"
                )
                faults.append(Fault(problem, row=number))
            lines.append(content or {})
            head, size = _digest(line), size + len(raw)
    if not known and (lines or not BEGINNING.startswith(torn[: len(BEGINNING)])):
        raise InputError(f"{path} is not a register of forecasts")
    return Register(tuple(lines), tuple(faults), torn, head, size)


def register_problem(path: str | Path) -> str | None:
    """Say why nothing can be appended to a register, or ``None``; it need not be there yet."""
    problem = unwritable(path)
    if problem is not None:
        return problem
    try:
        if Path(path).exists():
            with _opened(path) as file:
                _last(file.fileno(), path)
    except InputError as error:
        return str(error)
    return None


def append_line(path: str | Path, content: Mapping[str, Any]) -> str:
    """Append one line, whole or not at all, and return its sha256.

    Others who append meanwhile wait. `content` is plain data of finite numbers.

    Raises
    ------
    InputError
        If the file is no register, ends in a torn line, or cannot be written to.
    """
    problem = unwritable(path)
    if problem is not None:
        raise InputError(problem)
    existed = Path(path).exists()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with _locked(handle, path):
            previous, ends = _last(handle, path)
            line = _line(content, previous)
            if len(line) > LONGEST:
                raise InputError(f"a line of {path} would be longer than {LONGEST:,} bytes")
            _write(handle, (b"" if ends else b"\n") + line + b"\n", path, remove=not existed)
            return _digest(line)
    finally:
        os.close(handle)


def repair(path: str | Path) -> Register:
    """Take a torn last line off a register, and return what the register held before.

    Raises
    ------
    InputError
        If the file is no register, or cannot be written to.
    """
    with _opened(path):
        pass
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with _locked(handle, path):
            before = read_register(path)
            if before.torn:
                os.ftruncate(handle, before.size)
                os.fsync(handle)
            return before
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        os.close(handle)


def _line(content: Mapping[str, Any], previous: str) -> bytes:
    whole = {"register": VERSION, "previous": previous, **content}
    body = json.dumps(whole, allow_nan=False).encode("ascii")
    return body[:-1] + b', "sha256": "' + _digest(body).encode("ascii") + b'"}'


def _content(line: bytes) -> dict[str, Any] | None:
    """Content of a line whose own sha256 is right, or ``None``."""
    end = END.search(line)
    if end is None or not line.startswith(BEGINNING) or len(line) > LONGEST:
        return None
    if _digest(line[: end.start()] + b"}") != end[1].decode("ascii"):
        return None
    try:
        content = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    well_formed = isinstance(content, dict) and isinstance(content.get("previous"), str)
    return content if well_formed else None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _last(handle: int, path: str | Path) -> tuple[str, bool]:
    """Sha256 of the last line, and whether the file ends behind a line break."""
    size = os.lseek(handle, 0, os.SEEK_END)
    if size == 0:
        return FIRST, True
    start = max(0, size - LONGEST)
    os.lseek(handle, start, os.SEEK_SET)
    data = b""
    while part := os.read(handle, size - start - len(data)):
        data += part
    if start == 0 and not data.startswith(BEGINNING[: len(data)]):
        raise InputError(f"{path} is not a register of forecasts")
    ends = data.endswith(b"\n")
    last = (data[:-1] if ends else data).rpartition(b"\n")[2]
    if _content(last) is None:
        state = "was changed" if ends else "was not written to its end"
        more = "" if ends else ", and `verify(FILE, repair=True)` takes it off"
        raise InputError(f"the last line of {path} {state}: `verify(FILE)` says more{more}")
    return _digest(last), ends


def _write(handle: int, data: bytes, path: str | Path, *, remove: bool) -> None:
    """Write behind the end of the file; what does not go well leaves it as it was."""
    end = os.lseek(handle, 0, os.SEEK_END)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    except BaseException as error:
        with suppress(OSError):
            os.ftruncate(handle, end)
        if remove and end == 0:
            with suppress(OSError):
                Path(path).unlink()
        if isinstance(error, OSError):
            raise InputError(f"{path} cannot be written: {error.strerror}") from None
        raise


@contextmanager
def _locked(handle: int, path: str | Path) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    begun = time.monotonic()
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() - begun > PATIENCE:
                raise InputError(f"{path} is locked by another process") from None
            time.sleep(0.01)
        except OSError:  # a file system without locks
            break
    yield  # closing the file ends the lock


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    place = Path(path)
    try:
        mode = place.stat().st_mode
        regular = stat.S_ISREG(mode)
        file = place.open("rb") if regular else None
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or shown(str(error))
        raise InputError(f"{path} cannot be read: {reason}") from None
    if file is None:
        kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise InputError(f"{path} is {kind}, and no register")
    with file:
        yield file
