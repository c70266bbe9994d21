"""Runs of which some were badly tuned, and cards for them."""

from __future__ import annotations

import numpy as np

from bayes_distill.cards import Card, card_from_dict, load_card
from bayes_distill.laws import Chinchilla
from bayes_distill.runs import Runs, chinchilla_design, read_runs, simulate

TRUTH = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
NOISE = 0.004  # of the loss


def card_of(family: str, **settings: object) -> Card:
    """The supervised card that ships, with another likelihood."""
    content = load_card("supervised-plain").model_dump(mode="json")
    likelihood = {k: content["likelihood"][k] for k in ("scale", "supervised_prior")}
    likelihood |= {"family": family, **settings}
    name = family.partition(":")[2] or family
    changed = {**content, "name": name, "likelihood": likelihood, "target_accept": 0.95}
    return card_from_dict(changed, name)


def badly_tuned(seed: int) -> Runs:
    """A sweep with normal noise, of which a quarter lies above by half a normal number.

    That is no density of the contaminated family: its excess is exponential.
    """
    design = chinchilla_design().iloc[::3]
    kind = {"noise": NOISE, "likelihood": "normal", "relative": True}
    frame = simulate(Chinchilla(), TRUTH, design, seed=seed, **kind).frame.copy()
    generator = np.random.default_rng([seed, 1])
    bad = generator.random(len(frame)) < 0.25
    excess = np.abs(generator.standard_normal(int(bad.sum())))
    frame.loc[bad, "loss"] *= 1 + 7.5 * NOISE * excess
    return read_runs(frame[["params", "tokens", "loss"]])
