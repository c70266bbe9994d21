"""Posteriors by file, or by the name of the card that they ship with."""

from __future__ import annotations

from pathlib import Path

from bayes_distill._runtime.jax_setup import require_float64
from bayes_distill.cards import load_card, model_names, shipped_posterior
from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.laws import Reference
from bayes_distill.posterior.posterior import Posterior

POINT = Reference(1e9, 2e10, 2.3)  # published coefficients have no reference: any point will do


def load_posterior(source: str | Path | Posterior, *, allow_failed: bool = False) -> Posterior:
    """Load a file written by `fit`, or the posterior that ships with a model card.

    Raises
    ------
    InputError
        If there is no such file or card, or it cannot be used.
    FailedFitError
        If the fit failed its checks and `allow_failed` is not set.
    BayesDistillError
        If JAX computes in float32 here.
    """
    require_float64()
    if isinstance(source, Posterior):
        posterior = source
    elif (shipped := shipped_posterior(str(source))) is not None:
        posterior = Posterior.load(shipped)
    elif str(source) not in model_names() and (_there(source) or Path(source).suffix):
        posterior = Posterior.load(source)
    else:
        card = load_card(source)  # raises for a name that is no card
        if card.coefficients is not None:
            return Posterior.from_coefficients(card, card.coefficients, POINT, card.noise)
        runs = f'"{card.data}"' if card.data else "RUNS"
        raise InputError(
            f"the model card {card.name} has no posterior yet: run "
            f'`fit({runs}, model="{card.name}").save("fit.nc")` and use fit.nc'
        )
    if posterior.verdict == "fail" and not allow_failed:
        name = "this fit" if isinstance(source, Posterior) else f"the fit {source}"
        raise FailedFitError(
            f"{name} failed its checks; look at its diagnostics, fit again with more "
            "warm-up or another card, or pass `allow_failed=True` to use it all the same"
        )
    return posterior


def _there(path: str | Path) -> bool:
    """Whether a path leads anywhere; where it cannot be looked at, opening it says why."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return True
