"""Numbers as people write them: ``1.8B``, ``300M``, ``2e20``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, SupportsFloat

SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_ZEROS = {"": 0, "K": 3, "M": 6, "B": 9, "G": 9, "T": 12}
# a comma separates thousands and nothing else: 1,8B must not become 18B
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)"
_NUMBER = re.compile(
    rf"\s*([+-]?(?:{_DIGITS}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{{1,4}})?)\s*([KMBGT]?)\s*",
    re.IGNORECASE | re.ASCII,
)


def parse_quantity(text: str | SupportsFloat) -> float:
    """Read a count with an optional suffix K, M, B (or G) or T, in either case.

    Digits may be grouped by underscores, or by commas in threes: ``1_800`` and ``1,800``.
    The result is the float nearest to what is written, so ``1.82B`` equals ``1.82e9``.

    Raises
    ------
    ValueError
        If `text` is not such a number; the message quotes it.
    """
    if not isinstance(text, str):
        return float(text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number (write 1.8B, 300M or 2e20)")
    digits, suffix = match.groups()
    plain = digits.replace(",", "").replace("_", "")
    return float(Decimal(plain).scaleb(_ZEROS[suffix.upper()]))


def parsed_parts(value: Any, parse: Callable[[Any], float]) -> list[float]:
    """Numbers of ``"1B,3B"``, of one value, or of a sequence of either, each read by `parse`.

    Raises
    ------
    ValueError
        With the messages of all parts that `parse` refuses.
    """
    if isinstance(value, str):
        parts: list[Any] = value.split(",")
    elif isinstance(value, Iterable):
        parts = list(value)
    else:
        parts = [value]
    numbers, wrong = [], []
    for part in parts:
        try:
            numbers.append(parse(part))
        except (TypeError, ValueError) as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return numbers


def format_quantity(value: float, digits: int = 3) -> str:
    """Write a count as people read it: ``1.82B``, ``514.9B``, ``3.7T``; FLOPs as ``1e21``."""
    if not math.isfinite(value):
        return str(value)
    value = float(f"{value:.{digits}g}")  # first, or 999.96M would come out as 1e+03M
    if value != 0 and (abs(value) >= 1e15 or abs(value) < 1e-3):
        return f"{value:.{digits}g}".replace("e+", "e")
    shown = max(digits, 3)  # fewer would put an exponent before the suffix: 5.1e+02B
    for suffix in ("T", "B", "M", "K", ""):
        if abs(value) >= SUFFIXES[suffix]:
            return f"{value / SUFFIXES[suffix]:.{shown}g}{suffix}"
    return f"{value:.{digits}g}"


def format_probability(value: float) -> str:
    """Write a probability that draws give: ``0.42``; never 0.00 or 1.00, which no draws can say."""
    if math.isnan(value):
        return "-"
    return "<0.01" if value < 0.005 else ">0.99" if value > 0.995 else f"{value:.2f}"
