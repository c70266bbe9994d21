"""The model cards that ship, as a table."""

from __future__ import annotations

import pandas as pd

from bayes_distill.cards.registry import load_card, model_names, shipped_posterior


def models() -> pd.DataFrame:
    """List the model cards that ship.

    Returns
    -------
    DataFrame
        One row a card: ``name``, ``title``, ``law``, ``data`` (the named data that it is of, or
        ``None``) and ``posterior``, whether questions can be put to it without a fit.
    """
    cards = {name: load_card(name) for name in model_names()}
    return pd.DataFrame(
        {
            "name": list(cards),
            "title": [card.title for card in cards.values()],
            "law": [card.law for card in cards.values()],
            "data": pd.Series([card.data for card in cards.values()], dtype=object),
            "posterior": [
                shipped_posterior(name) is not None or card.coefficients is not None
                for name, card in cards.items()
            ],
        }
    )
