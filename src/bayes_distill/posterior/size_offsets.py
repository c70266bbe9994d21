"""Offsets that supervised runs of one size share: drawn for seen sizes, made for new ones.

A draw of the posterior has one function of size: where runs were, what they said; elsewhere a
normal number that follows from the draw and from the size, so that every question about a size,
whatever else is asked with it, is about the same student.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_distill.posterior.keyed_normal import keyed_normal

OFFSET = "size_offset"
"""Name of the offsets in a posterior (chain, draw, sizes)."""
OFFSET_SIZE = "offset_params"
"""Name of the sizes that they are of, a coordinate."""
SAME_SIZE = 0.01  # of a natural logarithm


@dataclass(frozen=True)
class SizeOffsets:
    """Offsets relative to the loss.

    Parameters
    ----------
    log_sizes
        Sizes that were seen (sizes,).
    seen
        Their offsets (draws, sizes).
    scale
        Prior standard deviation (draws,).
    key
        A number (draws,) from which the offsets of new sizes follow.
    """

    log_sizes: np.ndarray
    seen: np.ndarray
    scale: np.ndarray
    key: np.ndarray

    def at(self, params: np.ndarray) -> np.ndarray:
        """Offsets (draws, points) of students of `params` parameters (points,)."""
        log_params = np.log(np.asarray(params, float))
        each, place = np.unique(np.round(log_params / SAME_SIZE), return_inverse=True)
        offsets = (self.scale[:, None] * keyed_normal(self.key, each))[:, place.reshape(-1)]
        if self.log_sizes.size:
            distance = np.abs(log_params[:, None] - self.log_sizes)
            nearest, known = distance.argmin(axis=1), distance.min(axis=1) <= SAME_SIZE
            offsets[:, known] = self.seen[:, nearest[known]]
        return np.asarray(offsets)
