"""From a card and a table to the arrays that the model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from bayes_distill.cards import Card
from bayes_distill.departures import factor
from bayes_distill.inference.joint_prior import joint_prior, loss_unit_ratio
from bayes_distill.inference.model import Data, ModelSpec, hyperparameters, model_spec
from bayes_distill.laws import Reference
from bayes_distill.levels import condition_levels, size_levels, teacher_levels
from bayes_distill.runs.repeats import repeats, unique_tokens

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

PAD_SIZES, PAD_TEACHERS, PAD_CONDITIONS = 8, 32, 16  # numbers of levels, likewise
PAD = 64  # rows are padded to a multiple: refits without some rows keep their shape


def reference_point(card: Card, frame: pd.DataFrame) -> Reference:
    """Where the law counts from: what the card says, else the median of the runs."""
    chosen = card.reference
    return Reference(
        chosen.params or float(frame["params"].median()),
        chosen.tokens or float(frame["tokens"].median()),
        chosen.loss or float(frame["loss"].median()),
    )


def prepare(
    card: Card, table: Runs, reference: Reference
) -> tuple[ModelSpec, Data, dict[str, Any], list[str]]:
    """Static model, padded data, hyperparameters, and notes on what was decided on the way."""
    frame, notes = table.frame, []
    data = padded_data(frame, reference)
    predicts = bool(
        (jnp.isnan(data.teacher_loss) & ~jnp.isnan(data.teacher_params) & data.mask).any()
    )
    if repeats(frame).any() and not card.scaling_law.knows_repeats:
        notes.append(
            f"{int(repeats(frame).sum())} of {len(frame)} runs repeat their tokens, and the "
            f"{card.law} law takes repeated tokens for new ones: the card data-limited does not"
        )
    noisy = bool(((data.teacher_loss_se > 0) & ~jnp.isnan(data.teacher_loss) & data.mask).any())
    spec = model_spec(card, table.kind, predicts, noisy)
    joint = None
    if card.supervised is not None and card.supervised.fitted is not None:
        joint = joint_prior(card.supervised, reference, 1.0)
    elif card.supervised is not None:
        ratio = loss_unit_ratio(
            card.supervised, *(frame[c].to_numpy(float) for c in ("params", "tokens", "loss"))
        )
        joint = joint_prior(card.supervised, reference, ratio)
        if joint.unit_ratio != 1 and abs(ratio - 1) > 0.15:
            notes.append(
                f"losses are {ratio:.3g} times those of the supervised prior's centre, as in "
                "another unit or tokenizer: the centre was multiplied by that"
            )
    return spec, data, hyperparameters(card, joint) | {"levels": _levels(card, frame)}, notes


def _levels(card: Card, frame: pd.DataFrame) -> dict[str, jax.Array]:
    """What the model needs to know of levels: how many, and how departures of sizes correlate.

    Numbers of levels are padded as rows are; a level that no run has stays with its prior.
    """
    found: dict[str, jax.Array] = {}
    params, tokens = (frame[name].to_numpy(float) for name in ("params", "tokens"))
    if card.departures is not None:
        log_sizes = size_levels(params)[1]
        count = _padded(len(log_sizes), PAD_SIZES)
        for name, length in card.departures.lengths.items():
            lower = np.eye(count)
            lower[: len(log_sizes), : len(log_sizes)] = factor(log_sizes, length)
            found[name] = jnp.asarray(lower)
    for name, level, pad in (
        ("teacher", teacher_levels(frame), PAD_TEACHERS),
        ("condition", condition_levels(params, tokens), PAD_CONDITIONS),
    ):
        found[name] = jnp.zeros(_padded(int(level.max()) + 1, pad))
    return found


def _padded(count: int, to: int) -> int:
    return -(-count // to) * to


def padded_data(frame: pd.DataFrame, reference: Reference) -> Data:
    """Runs relative to the reference, padded with copies of the first run and masked."""
    n = len(frame)
    size = -(-n // PAD) * PAD
    rows = np.r_[np.arange(n), np.zeros(size - n, int)]

    params, tokens = (frame[name].to_numpy(float) for name in ("params", "tokens"))
    levels = {
        "size": size_levels(params)[0],
        "teacher": teacher_levels(frame),
        "condition": condition_levels(params, tokens),
    }

    def column(name: str, unit: float) -> jax.Array:
        if name not in frame:
            return jnp.full(size, jnp.nan)
        return jnp.asarray(frame[name].to_numpy(float)[rows] / unit)

    return Data(
        params=column("params", reference.params),
        tokens=column("tokens", reference.tokens),
        loss=column("loss", reference.loss),
        teacher_loss=column("teacher_loss", reference.loss),
        teacher_params=column("teacher_params", reference.params),
        teacher_tokens=column("teacher_tokens", reference.tokens),
        teacher_loss_se=jnp.nan_to_num(column("teacher_loss_se", reference.loss)),
        **{name: jnp.asarray(level[rows]) for name, level in levels.items()},
        mask=jnp.arange(size) < n,
        unique_tokens=jnp.asarray(unique_tokens(frame)[rows] / reference.tokens),
    )
