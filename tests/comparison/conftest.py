"""Two fits of one simulated sweep: the law that made it, and one that cannot bend as it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from bayes_distill.cards import load_card
from bayes_distill.inference.fit import fit
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.posterior import Posterior
from bayes_distill.runs import Runs

TRUTH = {"E": 1.22, "A": 3355.0, "B": 18186.0, "alpha": 0.408, "beta": 0.431, "gamma": 0.45}
SHORT = {"chains": 4, "warmup": 500, "draws": 500}


@dataclass(frozen=True)
class Pair:
    """Fits by the law with gamma (the true one) and by that without, and the runs."""

    runs: Runs
    bent: Posterior
    straight: Posterior

    @property
    def fits(self) -> list[Posterior]:
        return [self.straight, self.bent]  # not in the order of their ranks


@pytest.fixture(scope="session")
def pair() -> Pair:
    params, ratio = np.meshgrid(np.geomspace(1e8, 1e10, 7), np.geomspace(2, 2000, 8))
    design = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    runs, _ = simulate_from_card(
        "hoffmann2022-gamma", design, coefficients=TRUTH, noise=0.002, seed=4
    )
    cards = [
        load_card(name).model_copy(update={"target_accept": 0.98, "name": name.split("-plain")[0]})
        for name in ("hoffmann2022-gamma", "supervised-plain")
    ]
    return Pair(runs, *(fit(runs, card, **SHORT) for card in cards))
