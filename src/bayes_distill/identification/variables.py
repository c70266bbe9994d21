"""Prior and posterior draws of coefficients, side by side on the real line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_distill.inference.fitted_model import Draws, FittedModel, joined
from bayes_distill.inference.identification import published_supports, unconstrain
from bayes_distill.laws.base import Support
from bayes_distill.posterior import Posterior

PRIOR_DRAWS = 4000
CENTRAL = 0.99  # values beyond are moved to its ends: c1 runs off to infinity on real runs


@dataclass(frozen=True)
class Variables:
    """Coefficients of one kind, on the natural scale.

    Parameters
    ----------
    supports
        Name -> support.
    prior, posterior
        Name -> draws (draws,).
    """

    supports: dict[str, Support]
    prior: Draws
    posterior: Draws

    @property
    def names(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(self.supports)

    def matrix(self, which: str) -> np.ndarray:
        """Draws (draws, names) of ``prior`` or ``posterior``, log or logit, without far tails."""
        draws = self.prior if which == "prior" else self.posterior
        return np.column_stack([on_real_line(draws[n], s) for n, s in self.supports.items()])


def on_real_line(values: np.ndarray, support: Support) -> np.ndarray:
    """Values as the sampler sees them (log, logit), ends beyond the central 99% moved to it."""
    found = unconstrain(values, support)
    ends = (1 - CENTRAL) / 2
    finite = found[np.isfinite(found)]
    clipped: np.ndarray = np.clip(found, *np.quantile(finite, [ends, 1 - ends]))
    return clipped


def variables_of(posterior: Posterior, fitted: FittedModel, seed: int) -> dict[str, Variables]:
    """Published coefficients and sampled coordinates, ``published`` and ``sampled``.

    Coordinates that are vectors (one value a student size, say) count by element.
    """
    law = posterior.law
    after = joined(posterior.tree["posterior"].dataset)
    before = fitted.prior_draws(PRIOR_DRAWS, seed)
    known: dict[str, Support] = {c.name: c.support for c in law.coordinates}
    published = [
        {
            name: np.asarray(value)
            for name, value in law.to_published(draws, posterior.reference).items()
        }
        for draws in (before, after)
    ]
    coordinates = [
        {label: value for name in known for label, value in _elements(name, draws[name])}
        for draws in (before, after)
    ]
    supports = {
        label: known[label.split("[")[0]] for label in coordinates[1] if label in coordinates[0]
    }
    of_published = {
        name: support
        for name, support in published_supports(law).items()
        if published[1][name].ndim == 1
    }
    return {
        "published": Variables(of_published, *published),
        "sampled": Variables(supports, *coordinates),
    }


def _elements(name: str, value: np.ndarray) -> list[tuple[str, np.ndarray]]:
    if value.ndim == 1:
        return [(name, value)]
    flat = value.reshape(len(value), -1)
    return [(f"{name}[{i}]", flat[:, i]) for i in range(flat.shape[1])]
