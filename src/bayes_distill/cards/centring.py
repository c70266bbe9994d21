"""The reference point of a card, where it is not stated: the middle of the runs."""

from __future__ import annotations

import pandas as pd

from bayes_distill.cards.card import Card
from bayes_distill.cards.inputs import InputSettings


def centred(card: Card, frame: pd.DataFrame) -> Card:
    """The card with every part of its reference point stated, by medians of the runs.

    Only the formula of a card needs it: other laws count from the reference of a call. `frame` has
    canonical columns and those of `Law.extra_inputs`.
    """
    if card.formula is None:
        return card
    stated = card.reference
    point = {
        name: getattr(stated, name) or float(frame[name].median())
        for name in ("params", "tokens", "loss")
    }
    inputs = dict(card.inputs)
    for each in card.scaling_law.extra_inputs:
        settings = inputs.get(each.name, InputSettings())
        if settings.reference is None and each.name in frame:
            middle = {"reference": float(frame[each.name].median())}
            settings = settings.model_copy(update=middle)
        inputs[each.name] = settings
    return card.model_copy(update={"reference": stated.model_copy(update=point), "inputs": inputs})
