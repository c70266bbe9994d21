"""A shape to train for a number of parameters: layers, width and heads."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bayes_distill.compute.architecture import Architecture

HEAD = 128
"""Width of an attention head."""
ASPECT = 1.5
"""How many times the family's ratio of width to layers a shape's may be, or the inverse."""
CLOSE = 0.02
"""Relative distance from the size within which shapes are equally good."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A transformer that can be built.

    Parameters
    ----------
    layers, width, heads
        n_layers, d_model and attention heads, of 128 each.
    params
        Its non-embedding parameters N, exactly.
    """

    layers: int
    width: int
    heads: int
    params: float


def shape_of(params: float, architecture: Architecture | None = None) -> Shape:
    """The shape of a size: whole layers and whole heads, as near to `params` as they come.

    Parameters
    ----------
    params
        Non-embedding parameters N.
    architecture
        The family: its ratio of width to layers and its feed-forward blocks; the paper's by
        default. Of shapes within 2% of the size the one nearest to that ratio is taken.

    Raises
    ------
    InputError
        If `params` is not positive.
    """
    family = architecture or Architecture()
    ideal = family.depth(params)
    reach = ASPECT ** (2 / 3)  # at a given size, layers change by that if the ratio does by ASPECT
    fewest, most = max(1, math.floor(ideal / reach)), max(1, math.ceil(ideal * reach))
    found = []
    for layers in range(fewest, most + 1):
        width = math.sqrt(params / (family.width_factor * layers))
        for heads in {max(1, math.floor(width / HEAD) + step) for step in (0, 1)}:
            exact = family.exact_params(layers, heads * HEAD)
            distance = abs(math.log(exact / params))
            ratio = abs(math.log(heads * HEAD / layers / family.aspect_ratio))
            found.append((max(distance, CLOSE), ratio, Shape(layers, heads * HEAD, heads, exact)))
    return min(found, key=lambda each: each[:2])[2]
