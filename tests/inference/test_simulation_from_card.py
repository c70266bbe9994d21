"""Runs simulated from cards: also from those whose runs share discrepancies and effects."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.cards import model_names
from bayes_distill.inference.simulation import simulate_from_card


@pytest.mark.parametrize("card", model_names())
def test_every_card_simulates(card):
    taught = not card.startswith(("hoffmann", "supervised", "data-limited", "muennighoff"))
    runs, truth = simulate_from_card(card, "paper" if taught else "chinchilla", seed=3)
    assert (runs.kind == "distillation") == taught
    assert np.isfinite(runs.frame["loss"]).all()
    assert truth
