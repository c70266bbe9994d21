"""Runs simulated from cards: also from those whose runs share discrepancies and effects."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.cards import load_card, model_names
from bayes_distill.inference.simulation import simulate_from_card

CARDS = {name: load_card(name) for name in model_names()}


@pytest.mark.parametrize("card", [name for name, card in CARDS.items() if card.formula is None])
def test_every_card_simulates(card):
    taught = not card.startswith(("hoffmann", "supervised", "data-limited", "muennighoff"))
    runs, truth = simulate_from_card(card, "paper" if taught else "chinchilla", seed=3)
    assert (runs.kind == "distillation") == taught
    assert np.isfinite(runs.frame["loss"]).all()
    assert truth
