"""From a card and a table to the arrays that the model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from bayes_distill.cards import Card
from bayes_distill.inference.joint_prior import joint_prior, loss_unit_ratio
from bayes_distill.inference.model import Data, ModelSpec, hyperparameters, model_spec
from bayes_distill.laws import Reference

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

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
    spec = model_spec(card, table.kind, predicts)
    joint = None
    if card.supervised is not None:
        ratio = loss_unit_ratio(
            card.supervised, *(frame[c].to_numpy(float) for c in ("params", "tokens", "loss"))
        )
        joint = joint_prior(card.supervised, reference, ratio)
        if joint.unit_ratio != 1 and abs(ratio - 1) > 0.15:
            notes.append(
                f"losses are {ratio:.3g} times those of the supervised prior's centre, as in "
                "another unit or tokenizer: the centre was multiplied by that"
            )
    return spec, data, hyperparameters(card, joint), notes


def padded_data(frame: pd.DataFrame, reference: Reference) -> Data:
    """Runs relative to the reference, padded with copies of the first run and masked."""
    n = len(frame)
    size = -(-n // PAD) * PAD
    rows = np.r_[np.arange(n), np.zeros(size - n, int)]

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
        mask=jnp.arange(size) < n,
    )
