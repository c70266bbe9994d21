"""Which unused columns of a table could be factors."""

import numpy as np
import pandas as pd

from bayes_distill.runs.possible_factors import possible_factors


def test_columns_that_vary_on_their_own_are_named_and_others_not():
    generator = np.random.default_rng(0)
    size = 24
    params, tokens = 10 ** generator.uniform(7, 9, size), 10 ** generator.uniform(9, 11, size)
    loss = 1.7 + 400 / params**0.34 + 1000 / tokens**0.33
    frame = pd.DataFrame({"params": params, "tokens": tokens, "loss": loss})
    other = pd.DataFrame(
        {
            "lr": 10 ** generator.uniform(-4, -2, size),
            "temperature": generator.uniform(0.9, 1.1, size),
            "schedule": np.resize(["cosine", "wsd", "linear"], size),
            "tied": np.resize([0, 1], size),
            "flops": 6 * params * tokens,
            "perplexity": np.exp(loss),
            "name": [f"run-{place}" for place in range(size)],
            "seed": np.arange(size),
            "machine": "a",
            "mixed": [1, None] * (size // 2),
        }
    )
    assert [(f.column, f.form, f.count) for f in possible_factors(frame, other)] == [
        ("lr", "power", size),
        ("temperature", "log-linear", size),
        ("schedule", "categorical", 3),
        ("tied", "categorical", 2),
    ]
