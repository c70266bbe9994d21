"""Identifiability of the coefficients and the next run to do, as one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_distill._input.intervals import seed_faults
from bayes_distill._input.progress import Progress
from bayes_distill.compute import Device
from bayes_distill.errors import InputError
from bayes_distill.identification.identifiability import Identifiability, identifiability
from bayes_distill.identification.next_run import NextRun, next_run
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict.arguments import interval_faults
from bayes_distill.predict.forecast import DRAWS
from bayes_distill.predict.points import Quantity
from bayes_distill.predict.results.display import Result


@dataclass(frozen=True, eq=False, repr=False)
class Identification(Result):
    """What the runs identify, and which run would add most.

    Parameters
    ----------
    next_run
        Candidates for one more run, best first.
    posterior
        The fit.
    interval
        Probability inside the intervals of the coefficients.
    seed
        Seed of the prior draws.
    """

    next_run: NextRun
    posterior: Posterior
    interval: float
    seed: int

    @cached_property
    def coefficients(self) -> Identifiability:
        """How far the runs moved each coefficient, and which combinations they identify.

        Made on demand: it needs the runs, and the next run can do without.

        Raises
        ------
        InputError
            If the posterior holds no runs.
        """
        return identifiability(
            self.posterior, interval=self.interval, seed=self.seed, allow_failed=True
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for people."""
        return self.next_run.notes

    def shown_tables(self) -> dict[str, pd.DataFrame]:
        """Heading -> table, for a notebook."""
        runs = "runs" in self.posterior.tree.children
        first = self.coefficients.shown_tables() if runs else {}
        return {**first, **self.next_run.shown_tables()}

    def __repr__(self) -> str:
        return f"<Identification: {len(self.next_run.table)} candidates for the next run>"

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; needs the runs, as `coefficients` does."""
        return {**self.coefficients.to_json(), "next_run": self.next_run.to_json()}


def identify(
    posterior: Posterior | str | Path,
    *,
    coefficient: str | Sequence[str] | None = None,
    target_params: Quantity | None = None,
    target_tokens: Quantity | None = None,
    teacher_loss: Quantity | None = None,
    at: pd.DataFrame | str | Path | None = None,
    candidates: pd.DataFrame | str | Path | None = None,
    budget: float | str | None = None,
    flops: str = "eq69",
    reach: float = 2.0,
    draws: int = DRAWS,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    device: str | Device | None = None,
    utilisation: float | None = None,
) -> Identification:
    """Report what the runs identify of each coefficient, and rank candidates for one more run.

    A coefficient is identified if the runs cut its prior's variance by three quarters and it is
    known to within a factor of 1.6, both on the log or logit scale. A candidate is judged by the
    share of the targets' variance that it is expected to remove.

    Parameters
    ----------
    posterior
        A fit, a file written by `fit`, or the name of a card that ships with one. Only a fit with
        its runs can say how far these moved the coefficients.
    coefficient, target_params, target_tokens, teacher_loss, at
        Targets of the next run, as in `next_run`. Without any target, all published coefficients
        that the runs do not identify.
    candidates, budget, flops, reach, draws, seed, allow_failed, device, utilisation
        As in `next_run`.
    interval
        Probability inside the intervals of coefficients.
    progress
        As in `next_run`.

    Raises
    ------
    InputError, FailedFitError
        As `next_run`.
    """
    faults = interval_faults(interval) + seed_faults(seed)
    try:
        following = next_run(
            posterior,
            coefficient=coefficient,
            target_params=target_params,
            target_tokens=target_tokens,
            teacher_loss=teacher_loss,
            at=at,
            candidates=candidates,
            budget=budget,
            flops=flops,
            reach=reach,
            draws=draws,
            seed=seed,
            allow_failed=allow_failed or bool(faults),  # other faults are raised first
            progress=progress,
            device=device,
            utilisation=utilisation,
        )
    except InputError as error:
        raise InputError([*faults, *error.faults]) from None
    if faults:
        raise InputError(faults)
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    return Identification(following, loaded, interval, seed)
