"""The model of several arms: one law, whose coefficients differ by arm as far as the runs say.

    L_k = (E e_k + (A a_k (N/N0)^-(alpha s_k) + B b_k (D/D0)^-(beta t_k))^gamma) q_k^(log(C/C0)^2)

Logs of e, a and b (floor and levels of arm k) have a wide prior around the shared value, those of
s and t (slopes) a narrow one: slopes are pooled, floors and levels are nearly separate. q is what
an arm's curve may bend away from the others far from the middle of the runs (N0, D0), C = N D.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bayes_distill.cards import Card, card_from_dict, load_card

NAME = "arms"
ARM = "arm_{}"
FLOPS = 6.0  # of training, for a parameter and a token
SD_FLOOR, SD_LEVEL, SD_SLOPE, SD_BEND = 0.15, 0.3, 0.05, 2e-4
"""Standard deviations of an arm about the shared value, of logs; the last per log squared."""


def arm_columns(count: int) -> list[str]:
    """Columns that are 1 for the runs of an arm and else 0."""
    return [ARM.format(place) for place in range(count)]


def arms_card(arms: Sequence[str], frame: pd.DataFrame) -> Card:
    """Card of the model of `arms`, counting from the middle of the runs of `frame`."""
    general = load_card("supervised")
    columns = arm_columns(len(arms))

    def of_arm(letter: str) -> str:
        return " + ".join(f"{letter}{place} * {name}" for place, name in enumerate(columns))

    params, tokens = (f"{float(frame[name].median()):.6g}" for name in ("params", "tokens"))
    compute = f"(log(params / {params}) + log(tokens / {tokens}))**2"
    formula = (
        f"(E * exp({of_arm('e')}) + (A * exp({of_arm('a')}) / "
        f"(params / {params})**(alpha * exp({of_arm('s')})) + B * exp({of_arm('b')}) / "
        f"(tokens / {tokens})**(beta * exp({of_arm('t')})))**gamma) "
        f"* exp(({of_arm('q')}) * {compute})"
    )
    shared = {"E_term": (0.6, 0.4), "A_term": (0.15, 0.8), "B_term": (0.15, 0.8)}
    shared |= {"alpha": (0.4, 0.5), "beta": (0.4, 0.5), "gamma": (0.6, 0.4)}
    spreads = {"e": SD_FLOOR, "a": SD_LEVEL, "b": SD_LEVEL, "s": SD_SLOPE, "t": SD_SLOPE}
    spreads["q"] = SD_BEND
    priors = {
        name: {"family": "lognormal", "median": median, "sd": sd}
        for name, (median, sd) in shared.items()
    }
    for letter, sd in spreads.items():
        for place in range(len(arms)):
            priors[f"{letter}{place}"] = {"family": "normal", "mean": 0.0, "sd": sd}
    inputs = {
        name: {"meaning": arm, "default": 0.0, "range": (0.0, 1.0), "reference": 0.0}
        for name, arm in zip(columns, arms, strict=True)
    }
    content = {
        "name": NAME,
        "title": f"Arms {', '.join(arms)}",
        "formula": formula,
        "inputs": inputs,
        "priors": priors,
        "likelihood": general.likelihood.model_dump(mode="json"),
        "reference": {"params": float(params), "tokens": float(tokens)},
    }
    return card_from_dict(content, "the arms")


def arms_of(card: Card) -> list[str]:
    """Names of the arms of a card that `arms_card` made; empty for any other."""
    if card.name != NAME or card.formula is None:
        return []
    return [card.inputs[name].meaning for name in card.inputs if name.startswith("arm_")]
