"""A supervised sweep of sixteen runs, four sizes by four numbers of tokens."""

from __future__ import annotations

import numpy as np
import pandas as pd

SIZES = (70e6, 160e6, 410e6, 1e9)
TOKENS = (2e9, 5e9, 12e9, 30e9)


def grid(copies: int = 1, noise: float = 0.002, seed: int = 0) -> pd.DataFrame:
    """The sweep, each run `copies` times with noise of its own."""
    rows = [(n, d) for _ in range(copies) for n in SIZES for d in TOKENS]
    frame = pd.DataFrame(rows, columns=["params", "tokens"])
    loss = 1.7 + 400 / frame["params"] ** 0.34 + 410 / frame["tokens"] ** 0.28
    return frame.assign(
        loss=loss * np.exp(np.random.default_rng(seed).normal(0, noise, len(frame)))
    )
