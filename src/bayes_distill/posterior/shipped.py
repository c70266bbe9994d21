"""Posteriors that ship with a card: small enough for a repository, and what they lack for it."""

from __future__ import annotations

from typing import Any

from bayes_distill.cards import Card
from bayes_distill.errors import InputError
from bayes_distill.posterior import Posterior

DRAWS = 1000
"""Draws that ship. Their Monte Carlo error of a mean is 3% of its standard deviation."""
MOST_BYTES = 1_000_000
"""Largest file that ships."""


def compact(posterior: Posterior, draws: int = DRAWS) -> Posterior:
    """Draws of a fit and what is known about them, without its runs.

    Kept are draws of all chains, evenly spaced, the card, diagnostics, coefficients, the hull of
    the runs and the versions. Left out are the runs, their log likelihoods and all that names a
    measured loss; of flagged runs only the row numbers remain.

    Raises
    ------
    InputError
        If the posterior is not a whole fit of the named data of its card that passed its checks.
    """
    from bayes_distill.runs.datasets import DATASETS

    card, info = posterior.card, posterior.info
    faults = []
    if posterior.verdict != "pass":
        faults.append(f"its verdict is {posterior.verdict}: fit again with more warm-up or draws")
    data = DATASETS.get(card.data or "")
    if data is None or info.get("source") != data.name or info.get("where") is not None:
        faults.append(f"it was not fitted to all of {card.data or 'a named table'}")
    if faults or data is None:
        raise InputError([f"the fit of {card.name} cannot ship", *faults])
    kept: dict[str, Any] = {
        **info,
        "shipped": True,
        "data_sha256": data.sha256,
        "flagged_runs": [{"row": run["row"]} for run in info.get("flagged_runs", [])],
    }
    whole = Posterior(posterior.tree, card, posterior.reference, kept)
    return whole.thin(draws, keep_runs=False)


def mismatches(card: Card, posterior: Posterior) -> list[str]:
    """Why a posterior does not belong to a card any more, one sentence each; empty if it does."""
    from bayes_distill.runs.datasets import DATASETS

    found = []
    if posterior.card != card:
        mine, theirs = card.model_dump(), posterior.card.model_dump()
        parts = ", ".join(name for name in mine if mine[name] != theirs[name])
        found.append(f"the card says something else than the one that was fitted: {parts}")
    data = DATASETS.get(card.data or "")
    if data is None or posterior.info.get("data_sha256") != data.sha256:
        found.append("the data of that name have changed since they were fitted")
    return found


def no_runs(posterior: Posterior, needs: str) -> InputError:
    """The error for a posterior without runs; `needs` says what needs them.

    `needs` completes the sentence "..., and this needs them".
    """
    name, data = posterior.card.name, posterior.card.data or "RUNS"
    if posterior.n_draws == 1 and posterior.card.coefficients is not None:
        return InputError(
            f"{name} holds published point coefficients and no runs, and {needs}: use a file "
            "written by fit"
        )
    again = f"'bayes-distill fit {data} --model {name} --out fit.nc' and use fit.nc"
    if posterior.info.get("shipped"):
        return InputError(
            f"the posterior that ships with {name} holds draws and no runs, and {needs}: run "
            f"{again}"
        )
    return InputError(
        f"this posterior of {name} holds no runs, and {needs}: use a file written by fit"
    )
