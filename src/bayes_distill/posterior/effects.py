"""Effects that new runs of one teacher, or of one condition, or checkpoints of one run, share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayes_distill.posterior.draw_keys import draw_keys
from bayes_distill.posterior.keyed_normal import keyed_normal

OF_TAUGHT = ("teacher", "condition")
"""Those of distilled runs alone."""
RUN = "run"
EFFECTS = (*OF_TAUGHT, RUN)


def shared_effects(
    draws: Mapping[str, np.ndarray],
    points: int,
    seed: int,
    labels: Mapping[str, np.ndarray | None],
    names: tuple[str, ...] = EFFECTS,
) -> np.ndarray:
    """Offsets (draws, points) in units of the reference loss; see `Posterior.shared_effects`.

    `labels` has whole numbers (points,) under the names in `EFFECTS`; without, points share
    nothing. `names` are the effects.
    """
    offsets = np.zeros((len(next(iter(draws.values()))), points))
    for name in names:
        if f"{name}_sd" not in draws:
            continue
        own = labels.get(name)
        each, level = np.unique(np.arange(points) if own is None else own, return_inverse=True)
        z = keyed_normal(draw_keys(draws, f"effects of a {name}", seed), each)
        offsets += draws[f"{name}_sd"][:, None] * z[:, level.reshape(-1)]
    return offsets
