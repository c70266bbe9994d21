"""Model cards: a law, its priors and its likelihood, as a file that people edit."""

from bayes_distill.cards.card import Card
from bayes_distill.cards.centring import centred
from bayes_distill.cards.law_names import law_named, law_names
from bayes_distill.cards.reading import card_from_dict, card_from_toml, read_card
from bayes_distill.cards.registry import load_card, model_names, models_folder, shipped_posterior

__all__ = [
    "Card",
    "card_from_dict",
    "card_from_toml",
    "centred",
    "law_named",
    "law_names",
    "load_card",
    "model_names",
    "models_folder",
    "read_card",
    "shipped_posterior",
]
