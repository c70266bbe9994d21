"""A fit of two arms that was never sampled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.cards import card_from_dict
from bayes_distill.comparison.arms_card import arms_card
from bayes_distill.comparison.arms_table import table_of_arms
from bayes_distill.laws import Reference
from bayes_distill.posterior import Posterior

SIZES = np.repeat([1e8, 3e8, 1e9], 4)
TABLE = pd.DataFrame(
    {
        "params": SIZES,
        "tokens": 20 * SIZES,
        "loss": np.tile([3.0, 2.9, 2.8, 2.75], 3),
        "mixture": ["web", "code"] * 6,
        "val set": "c4",
    }
)


def made_up_arms() -> Posterior:
    """Arms that differ in their floor by 0.05 and by 0.02 in a draw in four, the other way."""
    names = ["code", "web"]
    runs, _ = table_of_arms(TABLE, "mixture", False, [])
    card = arms_card(names, runs.frame)
    draws = 200
    values = {name: np.zeros((1, draws)) for name in card.priors}
    values |= {"E_term": np.full((1, draws), 0.6), "supervised_scale": np.full((1, draws), 0.001)}
    for name in ("A_term", "B_term"):
        values[name] = np.full((1, draws), 0.2)
    for name in ("alpha", "beta"):
        values[name] = np.full((1, draws), 0.3)
    values["gamma"] = np.ones((1, draws))
    values["e1"] = np.where(np.arange(draws) % 4 == 0, -0.02, 0.05)[None]
    data = xr.Dataset({name: (("chain", "draw"), value) for name, value in values.items()})
    reference = Reference(3e8, 6e9, 2.85)
    stated = card.model_dump() | {"reference": {"params": 3e8, "tokens": 6e9, "loss": 2.85}}
    tree = xr.DataTree.from_dict(
        {
            "posterior": data,
            "runs": xr.Dataset(
                {n: ("run", runs.frame[n].to_numpy()) for n in runs.frame if n != "pair"}
            ),
        }
    )
    return Posterior(tree, card_from_dict(stated, "arms"), reference, {"verdict": "pass"})
