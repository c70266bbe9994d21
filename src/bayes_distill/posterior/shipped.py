"""Posteriors that ship with a card, small enough for a repository."""

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
    """Draws of a fit with their diagnostics, without its runs.

    The result has draws of all chains, evenly spaced, the card, diagnostics, coefficients, the
    hull of the runs and the versions. It has neither the runs nor their log likelihoods nor
    anything else from which a measured loss could be read; of flagged runs only the row numbers
    remain.

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
    content: dict[str, Any] = {
        **info,
        "shipped": True,
        "data_sha256": data.sha256,
        "flagged_runs": [{"row": run["row"]} for run in info.get("flagged_runs", [])],
    }
    whole = Posterior(posterior.tree, card, posterior.reference, content)
    return whole.thin(draws, keep_runs=False)


def mismatches(card: Card, posterior: Posterior) -> list[str]:
    """Why a posterior does not belong to a card any more, one sentence each; empty if it does."""
    from bayes_distill.runs.datasets import DATASETS

    differences = []
    if posterior.card != card:
        now, fitted = card.model_dump(), posterior.card.model_dump()
        parts = ", ".join(name for name in now if now[name] != fitted[name])
        differences.append(f"the card says something else than the one that was fitted: {parts}")
    data = DATASETS.get(card.data or "")
    if data is None or posterior.info.get("data_sha256") != data.sha256:
        differences.append("the data of that name have changed since they were fitted")
    return differences


def no_runs(posterior: Posterior, needs: str) -> InputError:
    """The error for a posterior without runs; `needs` says what needs them.

    `needs` completes the sentence "..., and this needs them".
    """
    name, data = posterior.card.name, posterior.card.data
    if posterior.n_draws == 1 and posterior.card.coefficients is not None:
        return InputError(
            f"{name} holds published point coefficients and no runs, and {needs}: use a file "
            "written by fit"
        )
    if posterior.info.get("shipped"):
        runs = f'"{data}"' if data else "RUNS"
        again = f'`fit({runs}, model="{name}").save("fit.nc")` and use fit.nc'
        return InputError(
            f"the posterior that ships with {name} holds draws and no runs, and {needs}: run "
            f"{again}"
        )
    return InputError(
        f"this posterior of {name} holds no runs, and {needs}: use a file written by fit"
    )
