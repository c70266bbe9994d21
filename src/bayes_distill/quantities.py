"""Numbers as people write them: ``1.8B``, ``300M``, ``2e20``."""

from __future__ import annotations

import math
import re
from typing import SupportsFloat

SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_NUMBER = re.compile(r"^\s*([+-]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([kKmMbBgGtT]?)\s*$")


def parse_quantity(text: str | SupportsFloat) -> float:
    """Read a count with an optional suffix K, M, B (or G) or T, in either case.

    Raises
    ------
    ValueError
        If `text` is not such a number; the message quotes it.
    """
    if not isinstance(text, str):
        return float(text)
    match = _NUMBER.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number (write 1.8B, 300M or 2e20)")
    digits, suffix = match.groups()
    return float(digits.replace(",", "").replace("_", "")) * SUFFIXES[suffix.upper()]


def format_quantity(value: float, digits: int = 3) -> str:
    """Write a count as people read it: ``1.82B``, ``514.9B``, ``3.7T``; FLOPs as ``1e21``."""
    if not math.isfinite(value):
        return str(value)
    if value != 0 and (abs(value) >= 1e16 or abs(value) < 1e-3):
        return f"{value:.{digits}g}".replace("e+", "e")
    value = float(f"{value:.{digits}g}")  # first, or 999.96M would come out as 1e+03M
    for suffix in ("T", "B", "M", "K", ""):
        if abs(value) >= SUFFIXES[suffix]:
            return f"{value / SUFFIXES[suffix]:.{digits}g}{suffix}"
    return f"{value:.{digits}g}"
