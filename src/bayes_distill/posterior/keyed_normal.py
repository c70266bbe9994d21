"""Standard normal numbers that follow from a draw and from what they belong to.

A question about one size or condition must get the answer that it gets among others, in every call
and after thinning. So nothing is drawn in the order of the call: a draw of the posterior holds one
number, its key, and every new size or condition has a label.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri


def keyed_normal(key: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Standard normal numbers (draws, labels) that follow from a key (draws,) and a label each.

    Both are mixed by the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
    """
    first = _mixed(np.ascontiguousarray(key, float).view(np.uint64))[:, None]
    second = _mixed(np.ascontiguousarray(labels, float).view(np.uint64) + np.uint64(1))[None]
    bits = _mixed(first ^ second) >> np.uint64(11)
    return np.asarray(ndtri((bits.astype(float) + 0.5) * 2.0**-53))


def _mixed(bits: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(bits ^ (bits >> np.uint64(31)))
