"""What a design begins from: a posterior, or the prior of a card before any run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.cards import Card, centred, load_card, model_names, shipped_posterior
from bayes_distill.compute import ForwardFlops
from bayes_distill.errors import Fault, InputError
from bayes_distill.identification.designs.pool import RATIO, SHARE, size_of
from bayes_distill.inference.prior_posterior import TYPICAL_LOSS, prior_posterior, prior_reference
from bayes_distill.laws import Law
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import load_beside, loaded_early
from bayes_distill.predict.points import Points


def source_and_law(
    source: Posterior | Card | str | Path,
) -> tuple[Posterior | Card | str | Path, Law | None]:
    """The posterior or card of a question, and its law, which says what columns a run has.

    What is wrong with the source is said by `posterior_or_prior`, with the other faults.
    """
    if isinstance(source, (str, Path)):
        try:
            source = load_card(source) if _names_a_card(source) else loaded_early(source)
        except InputError:
            return source, None
    if isinstance(source, Card):
        return source, None if source.members else source.scaling_law
    return source, source.law if isinstance(source, Posterior) else None


def posterior_or_prior(
    source: Posterior | Card | str | Path,
    candidates: Points | None,
    budget: float,
    flops: ForwardFlops,
    draws: int,
    seed: int,
    allow_failed: bool,
    faults: list[Fault],
) -> Posterior:
    """A fit, or draws of a card's prior, counted from the middle of the candidates.

    Parameters
    ----------
    source
        A posterior, its file, a card that ships with one, or another card: its name, TOML or
        itself.
    candidates, budget, flops
        Where the runs will be.
    draws, seed
        Of the prior.
    allow_failed, faults
        As for `predict.arguments.load_beside`.

    Raises
    ------
    InputError, FailedFitError
        As `load_beside`.
    """
    card = source if isinstance(source, Card) else None
    if isinstance(source, (str, Path)) and _names_a_card(source):
        try:
            card = load_card(source)
        except InputError as error:
            raise InputError([*error.faults, *faults]) from None
    if card is None:
        assert not isinstance(source, Card)
        return load_beside(faults, source, allow_failed)
    if faults:
        raise InputError(faults)
    if card.formula is not None and candidates is None:
        raise InputError(
            Fault(
                f"is needed: the law of {card.name} is a formula of its own columns", None, "pool"
            )
        )
    if candidates is not None:
        card = centred(card, pd.DataFrame(candidates.columns()).assign(loss=TYPICAL_LOSS))
    if candidates is None:
        params = size_of(SHARE * budget, RATIO, flops) / 10
        tokens = RATIO * params
    else:
        params, tokens = (float(np.median(v)) for v in (candidates.params, candidates.tokens))
    return prior_posterior(card, prior_reference(card, params, tokens), draws, seed)


def _names_a_card(source: str | Path) -> bool:
    name = str(source)
    return name.endswith(".toml") or (name in model_names() and shipped_posterior(name) is None)
