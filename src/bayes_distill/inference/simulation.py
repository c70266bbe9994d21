"""Runs simulated from a card: the truth is the card's coefficients or a draw of its prior."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np
import pandas as pd

from bayes_distill._input.files import text_of
from bayes_distill._input.intervals import seed_faults
from bayes_distill.cards import Card, centred, load_card
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.inference.density import prior_values
from bayes_distill.inference.joint_prior import joint_prior
from bayes_distill.inference.model import model_spec
from bayes_distill.inference.model_inputs import numbers_of, padded_data
from bayes_distill.laws import TABLE_6, Reference

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

TYPICAL_LOSS = 2.5  # nats per token: the scale of runs simulated from a prior


def simulate_from_card(
    card: Card | str | Path,
    design: pd.DataFrame | str | Path,
    *,
    coefficients: Mapping[str, float] | str | Path | None = None,
    noise: float = 0.005,
    seed: int = 0,
) -> tuple[Runs, dict[str, float]]:
    """Simulate runs; returns them and the published coefficients they came from.

    Parameters
    ----------
    card
        A card, its name or path: the law, the likelihood, and the prior.
    design
        A table without losses; ``"paper"`` and ``"chinchilla"`` are built in.
    coefficients
        The truth under its published names, as a mapping, a JSON file or ``"table6"``. By default
        the coefficients of the card, or one draw from its prior.
    noise
        Residual scale, in nats or relative, as the card's likelihood states.
    seed
        Seed of the prior draw and of the noise. A parameter of the likelihood for which the card
        states a prior is drawn from it; a note of the runs states its value.

    Raises
    ------
    InputError
        With every fault of the design and the coefficients.
    """
    from bayes_distill.runs import chinchilla_design, paper_design, simulate
    from bayes_distill.runs.reading import examine

    built_in = {"paper": paper_design, "chinchilla": chinchilla_design}
    faults = seed_faults(seed)
    with collected(faults):
        card = card if isinstance(card, Card) else load_card(card)
    table = built_in[str(design)]() if str(design) in built_in else design
    law = card.scaling_law if isinstance(card, Card) else None
    examined = examine(table, required=("params", "tokens"), law=law)
    faults += examined.faults
    stated: Mapping[str, float] | None = None
    with collected(faults):
        if isinstance(coefficients, (str, Path)):
            stated = _read_coefficients(coefficients)
        else:
            stated = coefficients
    if faults:
        raise InputError(faults)
    assert isinstance(card, Card)
    card = centred(card, examined.sound.assign(loss=TYPICAL_LOSS))
    truth = _truth(card, stated, seed)
    parameters = {}
    if card.likelihood.priors:
        drawn = prior_draw(card, _reference(card), seed)
        parameters = {name: drawn[name] for name in card.likelihood.priors}
    runs = simulate(
        card.scaling_law,
        truth,
        table,
        noise=noise,
        likelihood=card.likelihood.at(parameters),
        relative=card.likelihood.scale == "relative",
        seed=seed,
    )
    notes = (f"{name} is {value:.4g}, a draw of its prior." for name, value in parameters.items())
    return replace(runs, notes=(*runs.notes, *notes)), truth


def prior_draw(card: Card, reference: Reference, seed: int) -> dict[str, float]:
    """One draw of every coordinate and noise scale from a card's prior."""
    kind = "distillation" if card.scaling_law.has_teacher else "supervised"
    spec = model_spec(card, kind, predicts_teachers=False)
    joint = joint_prior(card.supervised, reference, 1.0) if card.supervised else None
    row = {"params": reference.params, "tokens": reference.tokens, "loss": reference.loss}
    row |= card.scaling_law.middle_of_inputs
    row |= {"teacher_loss": reference.loss} if kind == "distillation" else {}
    frame = pd.DataFrame([row])
    data, directions = padded_data(card, frame, reference)
    hyper = numbers_of(card, spec, frame, data, directions, joint)
    values = prior_values(spec)(jax.random.split(jax.random.key(seed), 1), data, hyper)
    return {name: float(value[0]) for name, value in values.items() if np.ndim(value) == 1}


def _truth(card: Card, coefficients: Mapping[str, float] | None, seed: int) -> dict[str, float]:
    law = card.scaling_law
    if coefficients is None and card.coefficients is not None:
        return dict(card.coefficients)
    if coefficients is None:
        reference = _reference(card)
        published = law.to_published(prior_draw(card, reference, seed), reference)
        return {name: float(value) for name, value in published.items()}
    coefficients = {**law.neutral, **coefficients}
    missing = [name for name in law.coefficient_names if name not in coefficients]
    if missing:
        raise InputError(Fault(f"{', '.join(missing)} are missing", column="coefficients"))
    return {name: float(coefficients[name]) for name in law.coefficient_names}


def _reference(card: Card) -> Reference:
    """Where priors count from: what the card states, else a typical run."""
    return Reference(
        card.reference.params or 5e8,
        card.reference.tokens or 2e10,
        card.reference.loss or TYPICAL_LOSS,
    )


def _read_coefficients(source: str | Path) -> Mapping[str, float]:
    if str(source) == "table6":
        return TABLE_6
    try:
        content = json.loads(text_of(source))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        fault = Fault(f"{source} cannot be read: {reason}", column="coefficients")
        raise InputError(fault) from None
    wrong = not isinstance(content, dict) or not all(map(_is_number, content.values()))
    if wrong:
        raise InputError(
            Fault(f"{source} must be an object of names and numbers", column="coefficients")
        )
    return dict(content)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False
