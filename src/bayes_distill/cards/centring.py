"""The reference point of a card, where it is not stated: the middle of the runs."""

from __future__ import annotations

import pandas as pd

from bayes_distill.cards.card import Card
from bayes_distill.cards.factors import FactorSettings
from bayes_distill.cards.inputs import InputSettings
from bayes_distill.laws.inputs import indicator


def centred(card: Card, frame: pd.DataFrame) -> Card:
    """The card with every part of its reference point stated, by medians of the runs.

    Formulas need it, and factors: other laws count from the reference of a call. `frame` has
    canonical columns, those of `Law.extra_inputs`, and an indicator of every level of a factor that
    is categorical.
    """
    if card.factors:
        found = {name: _in_the_middle(name, each, frame) for name, each in card.factors.items()}
        card = card.model_copy(update={"factors": found})
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


def _in_the_middle(name: str, factor: FactorSettings, frame: pd.DataFrame) -> FactorSettings:
    """A factor with its reference, or with its levels, the most frequent one first."""
    column = factor.column or name
    if factor.form != "categorical":
        if factor.reference is not None or column not in frame:
            return factor
        return factor.model_copy(update={"reference": float(frame[column].median())})
    if factor.levels:
        return factor
    begin = indicator(column, "")
    counts = {
        str(each).removeprefix(begin): float(frame[each].sum())
        for each in frame
        if str(each).startswith(begin)
    }
    present = sorted((level for level in counts if counts[level]), key=lambda n: (-counts[n], n))
    return factor.model_copy(update={"levels": tuple(present)})
