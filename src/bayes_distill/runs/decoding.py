"""Bytes of a file as text: UTF-8 or UTF-16, as they are or packed by gzip."""

from __future__ import annotations

import codecs
import zlib
from pathlib import Path

from bayes_distill.errors import InputError

PACKED = ".gz"
MOST_BYTES = 2**30
"""Of a packed file once it is unpacked: a small file can hold a very large one."""
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LOOKS = {
    b"PAR1": "Parquet: name it .parquet",
    b"\x1f\x8b": f"gzip: add {PACKED} to its name",
    b"PK\x03\x04": "a spreadsheet or a zip archive: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save the sheet as CSV",
    b"SQLite format 3": "a SQLite database: an MLflow store is read as mlflow:sqlite:///FILE",
}


def format_suffix(path: Path) -> str:
    """Suffix of the format, in lower case: ``.csv`` of ``runs.csv`` and of ``runs.csv.gz``."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix == PACKED else suffix


def read_text(path: Path) -> str:
    """Text of a file in UTF-8, or in UTF-16 with a byte order mark; ``.gz`` is unpacked.

    Raises
    ------
    InputError
        If it is neither, saying what it looks like.
    """
    content = read_bytes(path)
    start = content[:2]
    encoding = "utf-16" if start in UTF_16 else "utf-8-sig"
    if start not in UTF_16 and content.count(0, 0, 200) >= min(len(content), 200) // 3 > 0:
        # UTF-16 without its mark: every other byte of plain Latin text is zero
        halves = content[0:200:2].count(0), content[1:200:2].count(0)
        if min(halves) == 0:
            encoding = "utf-16-le" if halves[1] else "utf-16-be"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        looks = next((what for magic, what in LOOKS.items() if content.startswith(magic)), None)
        raise InputError(
            f"{path} is not a text file in UTF-8 or UTF-16; it looks like {looks or 'binary data'}"
        )
    return text


def read_bytes(path: Path) -> bytes:
    """Bytes of a file, unpacked if its name ends in ``.gz``.

    Raises
    ------
    InputError
        If it is not packed by gzip, or holds more than `MOST_BYTES`.
    """
    content = path.read_bytes()
    if path.suffix.lower() != PACKED:
        return content
    whole = bytearray()
    try:
        while content:  # a file may hold several members, one after the other
            member = zlib.decompressobj(wbits=31)
            whole += member.decompress(content, MOST_BYTES + 1 - len(whole))
            if len(whole) > MOST_BYTES:
                raise InputError(f"{path} holds more than {MOST_BYTES >> 20} MiB once unpacked")
            if not member.eof:
                raise zlib.error("it ends early")
            content = member.unused_data
    except zlib.error as error:
        raise InputError(f"{path} cannot be unpacked by gzip: {error}") from None
    return bytes(whole)
