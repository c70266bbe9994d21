"""The prior of a card in the form of a posterior: what is expected before any run."""

from __future__ import annotations

import arviz_base
import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.cards import Card
from bayes_distill.errors import InputError
from bayes_distill.inference.density import prior_values
from bayes_distill.inference.joint_prior import joint_prior
from bayes_distill.inference.model import model_spec
from bayes_distill.inference.model_inputs import numbers_of, padded_data
from bayes_distill.inference.stored_draws import stored_draws
from bayes_distill.laws import Reference
from bayes_distill.posterior import Posterior

TYPICAL_LOSS = 2.5  # nats per token
TYPICAL_PARAMS, TYPICAL_TOKENS = 5e8, 2e10


def prior_reference(
    card: Card, params: float | None = None, tokens: float | None = None
) -> Reference:
    """Where a prior counts from: what the card states, else the middle of what is to come."""
    return Reference(
        card.reference.params or params or TYPICAL_PARAMS,
        card.reference.tokens or tokens or TYPICAL_TOKENS,
        card.reference.loss or TYPICAL_LOSS,
    )


def prior_posterior(card: Card, reference: Reference, draws: int, seed: int) -> Posterior:
    """Draws from a card's prior, with everything that a forecast needs.

    Discrepancies, offsets of sizes and effects are as before any run: two made-up runs at the
    reference give the model its groups, and their losses are looked at by nobody.

    Raises
    ------
    InputError
        If the card has no prior: published coefficients, or a stack.
    """
    if card.coefficients is not None or card.members:
        raise InputError(
            f"the card {card.name} has no prior to begin from: name one with priors, or a fit"
        )
    has_teacher = card.scaling_law.has_teacher
    row = {"params": reference.params, "tokens": reference.tokens, "loss": reference.loss}
    row |= card.scaling_law.middle_of_inputs
    row |= {"teacher_loss": reference.loss} if has_teacher else {}
    again = row | {"tokens": 2 * reference.tokens}
    rows = [row, again]
    if has_teacher and card.supervised is not None:  # what is particular to supervised runs
        rows += [each | {"teacher_loss": np.nan} for each in rows]
    frame = pd.DataFrame(rows)
    kinds = {2: "distillation" if has_teacher else "supervised", 4: "mixed"}
    data, directions = padded_data(card, frame, reference)
    spec = model_spec(
        card,
        kinds[len(frame)],
        predicts_teachers=False,
        recurring_sizes=bool(data.has_offset.any()),
    )
    joint = joint_prior(card.supervised, reference, 1.0) if card.supervised else None
    hyper = numbers_of(card, spec, frame, data, directions, joint)
    drawn = prior_values(spec)(jax.random.split(jax.random.key(seed), draws), data, hyper)
    values = {name: np.asarray(value) for name, value in jax.device_get(drawn).items()}
    kept = stored_draws(spec, data, hyper, frame, values, np.random.default_rng([seed, 2]))
    tree = arviz_base.from_dict(
        {"posterior": {name: value[None] for name, value in kept.sites.items()}},
        coords=kept.coords,
        dims=kept.dims,
    )
    group = kept.with_places(tree["posterior"].dataset)
    info = {"source": "prior", "notes": [], "kind": kinds[len(frame)], "prior": True}
    return Posterior(xr.DataTree.from_dict({"posterior": group}), card, reference, info)
