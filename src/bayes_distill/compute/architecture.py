"""Forward FLOPs per token of a model, F(N)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from jax import Array
from numpy.typing import NDArray

from bayes_distill.compute._checks import is_positive
from bayes_distill.errors import Fault, InputError

FFN_MULTIPLE = 128
"""Feed-forward widths are rounded up to this; it brings out the sizes in the paper's table 13."""


@runtime_checkable
class ForwardFlops(Protocol):
    """A way to count forward FLOPs per token; hashable, increasing in the size of the model."""

    def forward_flops[A: (float, NDArray[np.float64], Array)](self, params: A) -> A:
        """Forward FLOPs per token of a model with `params` non-embedding parameters."""
        ...


@dataclass(frozen=True, slots=True)
class PlainCount:
    """F(N) = 2N, which makes training cost the familiar 6ND; blind to attention and vocabulary."""

    def forward_flops[A: (float, NDArray[np.float64], Array)](self, params: A) -> A:
        """Forward FLOPs per token: two for each of `params` (any shape)."""
        return 2.0 * params


@dataclass(frozen=True, slots=True)
class Architecture:
    """Shape of the family of transformers whose FLOPs are counted.

    Parameters
    ----------
    context_length
        Tokens n_ctx of one sequence.
    vocabulary
        Entries n_vocab of the vocabulary.
    aspect_ratio
        rho = d_model / n_layers.
    width_factor
        omega in N = omega * n_layers * d_model^2: 4 for attention, the rest for the feed-forward
        block.

    Raises
    ------
    InputError
        If a value is not positive, or the width factor leaves no room for a feed-forward block.
    """

    context_length: float = 4096
    vocabulary: float = 32768
    aspect_ratio: float = 128
    width_factor: float = 12

    def __post_init__(self) -> None:
        faults = [
            Fault(f"must be a positive number, not {getattr(self, name)!r}", column=name)
            for name in ("context_length", "vocabulary", "aspect_ratio", "width_factor")
            if not is_positive(getattr(self, name))
        ]
        if is_positive(self.width_factor) and self.width_factor <= 4:
            faults.append(
                Fault(
                    f"must be above 4, which attention alone takes, not {self.width_factor!r}",
                    column="width_factor",
                )
            )
        if faults:
            raise InputError(faults)

    def forward_flops[A: (float, NDArray[np.float64], Array)](self, params: A) -> A:
        """Forward FLOPs per token (eq. 69) of models with `params` non-embedding parameters.

        Counts matrix products with the parameters, attention over half the context (causal) and
        the projection onto the vocabulary, for a model of any (also fractional) depth. Takes
        floats, NumPy and JAX arrays of any shape.
        """
        s1: float = (self.aspect_ratio * self.width_factor**2) ** (-1 / 3)
        s2: float = (self.aspect_ratio / self.width_factor) ** (1 / 3)
        root: A = params ** (1 / 3)
        # multiplied out: 2 N + attention N^(2/3) + vocabulary N^(1/3)
        return (
            2.0 * params
            + 2.0 * s1 * self.context_length * (root * root)
            + 2.0 * s2 * self.vocabulary * root
        )

    def depth(self, params: float) -> float:
        """Layers of `params` in N = omega * n_layers * d_model^2, a real number.

        Raises
        ------
        InputError
            If `params` is not positive.
        """
        if not is_positive(params):
            raise InputError(Fault(f"must be a positive number, not {params!r}", column="params"))
        depth: float = (params / (self.width_factor * self.aspect_ratio**2)) ** (1 / 3)
        return depth

    def layer_count(self, params: float) -> int:
        """Whole number of layers whose model comes closest to `params`; errors as `depth`."""
        depth = self.depth(params)
        candidates = {max(1, math.floor(depth) + step) for step in (-1, 0, 1)}
        return min(candidates, key=lambda n: abs(math.log(self.exact_params(n) / params)))

    def exact_params(self, n_layers: int, d_model: int | None = None) -> float:
        """Non-embedding parameters of a model of `n_layers` layers (`d_model`: rho * n_layers).

        Attention takes 4 d_model^2 and the gated feed-forward block 3 d_model d_ffn, with d_ffn
        rounded up to a multiple of 128.

        Raises
        ------
        InputError
            If a dimension is below 1.
        """
        width = self._width(n_layers, d_model)
        ideal = (self.width_factor - 4) / 3 * width
        ffn_width = math.ceil(ideal / FFN_MULTIPLE) * FFN_MULTIPLE
        return n_layers * (4.0 * width**2 + 3.0 * width * ffn_width)

    def exact_forward_flops(self, n_layers: int, d_model: int | None = None) -> float:
        """Forward FLOPs per token counted layer by layer (table 13).

        A token attends to (n_ctx + 1)/2 others on average; scores and values take 2 d_model FLOPs
        each for every one of them.

        Raises
        ------
        InputError
            If a dimension is below 1.
        """
        width = self._width(n_layers, d_model)
        attention = n_layers * 2.0 * (self.context_length + 1) * width
        return 2 * self.exact_params(n_layers, d_model) + attention + 2.0 * self.vocabulary * width

    def _width(self, n_layers: int, d_model: int | None) -> float:
        width = self.aspect_ratio * n_layers if d_model is None else d_model
        faults = [
            Fault(f"must be at least 1, not {value!r}", column=name)
            for name, value in (("n_layers", n_layers), ("d_model", width))
            if not value >= 1
        ]
        if faults:
            raise InputError(faults)
        return float(width)


FLOPS: MappingProxyType[str, ForwardFlops] = MappingProxyType(
    {"eq69": Architecture(), "6nd": PlainCount()}
)
"""Ways to count, by the name that the command line gives them."""
