"""A number for each draw from which chance follows that its posterior did not store.

What a new teacher, a new run or a new condition has in a draw must be the same in every call, in
every process, and after thinning. So it follows from the draw's own numbers, and from what it is
needed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np

ODD = np.uint64(0x9E3779B97F4A7C15)


def draw_keys(draws: Mapping[str, np.ndarray], purpose: str, seed: int = 0) -> np.ndarray:
    """Keys (draws,) between 0 and 1, for `keyed_normal`.

    Parameters
    ----------
    draws
        Numbers of each draw, name -> (draws,); all of them count. Or of anything else that is to
        be told apart by its numbers.
    purpose
        What the keys are for: different purposes have independent keys.
    seed
        Another seed, other keys.

    Notes
    -----
    Draws that agree in every number have keys by the order in which they come, so that chance is
    not the same in all of them; only those depend on thinning.
    """
    names = sorted(draws)
    first = np.uint64(crc32(purpose.encode())) + (np.uint64(seed % 2**32) << np.uint64(32))
    with np.errstate(over="ignore"):
        bits = np.full(len(draws[names[0]]), first) * ODD
        for name in names:
            values = np.ascontiguousarray(draws[name], float).view(np.uint64)
            bits = (bits ^ (bits >> np.uint64(29)) ^ values) * ODD
        bits = (bits ^ (bits >> np.uint64(32)) ^ _occurrence(bits)) * ODD
    bits ^= bits >> np.uint64(31)
    return np.asarray(((bits >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53)


def _occurrence(bits: np.ndarray) -> np.ndarray:
    """How many equal ones came before each, (n,)."""
    order = np.argsort(bits, kind="stable")
    ordered = bits[order]
    place = np.arange(len(bits))
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    count = np.empty(len(bits), np.uint64)
    count[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return count
