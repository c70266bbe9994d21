"""Amounts of compute as people write them: FLOPs, PF-days, GPU-hours."""

from __future__ import annotations

import re
from typing import Any, SupportsFloat

import numpy as np

from bayes_distill._input.numbers import format_quantity, parse_quantity, parsed_parts
from bayes_distill.compute.devices import Hardware

PF_DAY = 1e15 * 24 * 3600
"""FLOPs of a petaFLOP/s-day."""
EXAMPLES = "1e22, 40 PF-days or 10000 GPU-hours"
_UNIT = re.compile(
    r"\s*(?P<number>[^\s].*?[\d.KMBGT]|\d)\s*(?:"
    r"(?P<pf>P(?:eta)?F(?:LOPS?)?(?:/s)?[-\s]?d(?:ays?)?)"
    r"|(?P<gpu>(?:GPU|TPU|device|chip)[-\s]?h(?:(?:ou)?rs?)?)"
    r"|(?P<flop>FLOPs?)"
    r")\s*",
    re.IGNORECASE | re.ASCII,
)


def parse_flops(text: str | SupportsFloat, hardware: Hardware | None = None) -> float:
    """Read an amount of compute, in FLOPs.

    Parameters
    ----------
    text
        A number of FLOPs, or text: ``"1e22"``, ``"1e22 FLOPs"``; ``"40 PF-days"`` or ``"10PFd"``
        (petaFLOP/s-days of 8.64e19 FLOPs each); ``"10000 GPU-hours"`` or ``"10K GPUh"`` (hours of
        one device of `hardware`).
    hardware
        What hours are hours of.

    Raises
    ------
    ValueError
        If `text` is no such amount, or hours are given without `hardware`; the message says what to
        do.
    """
    found = _UNIT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        try:
            return parse_quantity(text)
        except ValueError:
            raise ValueError(f"{text!r} is no amount of compute (write {EXAMPLES})") from None
    number = parse_quantity(found["number"])
    if found["pf"]:
        return number * PF_DAY
    if found["flop"]:
        return number
    if hardware is None:
        raise ValueError(f"{text!r} needs `device`: hours of which accelerator?")
    return hardware.flops(number)


def amounts(value: Any, hardware: Hardware | None = None) -> list[float]:
    """FLOPs from ``"1e21,40 PF-days"``, a number, or a sequence of either.

    Raises
    ------
    ValueError
        Naming every part that is no amount of compute.
    """
    return parsed_parts(value, lambda part: parse_flops(part, hardware))


def has_unit(value: Any) -> bool:
    """Whether some amount is written in another unit than FLOPs."""
    parts = value.split(",") if isinstance(value, str) else np.ravel(np.asarray(value, object))
    found = (_UNIT.fullmatch(part) for part in parts if isinstance(part, str))
    return any(each is not None and not each["flop"] for each in found)


def compute_words(flops: float, hardware: Hardware | None = None) -> str:
    """An amount in other units: ``11.6 PF-days; 702 GPU-hours of h100 at 40%, for 1.4K``."""
    said = f"{format_quantity(flops / PF_DAY)} PF-days"
    if hardware is None:
        return said
    said += (
        f"; {format_quantity(hardware.hours(flops))} GPU-hours of {hardware.device.name} at "
        f"{100 * hardware.utilisation:.3g}%"
    )
    return (
        said if hardware.price is None else f"{said}, for {format_quantity(hardware.cost(flops))}"
    )
