"""The predictive checks of one fit, together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_distill._input.intervals import seed_faults
from bayes_distill._input.progress import Progress, steps
from bayes_distill.checking.pit import LeaveOneOutPit, leave_one_out_pit
from bayes_distill.checking.predictive import (
    VOCABULARY,
    PosteriorPredictive,
    PriorPredictive,
    posterior_predictive,
    prior_predictive,
)
from bayes_distill.errors import Fault
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import interval_faults, load_beside
from bayes_distill.predict.results.display import Result


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveChecks(Result):
    """Prior predictive, posterior predictive and LOO-PIT check of one fit.

    Parameters
    ----------
    prior, posterior, leave_one_out
        The three checks.
    interval
        Probability inside the intervals.
    notes
        Sentences for people.
    """

    prior: PriorPredictive
    posterior: PosteriorPredictive
    leave_one_out: LeaveOneOutPit
    interval: float
    notes: tuple[str, ...]

    def shown_tables(self) -> dict[str, pd.DataFrame]:
        """Heading -> table, for a notebook."""
        return {
            "Replicated runs against the real ones": self.posterior.table,
            "Losses of the prior that no run could have": self.prior.ranges,
            "Runs inside central intervals, each left out": self.leave_one_out.coverage,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "interval": self.interval,
            "prior_predictive": self.prior.to_json(),
            "posterior_predictive": self.posterior.to_json(),
            "loo_pit": self.leave_one_out.to_json(),
        }


def predictive(
    posterior: Posterior | str | Path,
    *,
    interval: float = 0.9,
    vocabulary: float = VOCABULARY,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
) -> PredictiveChecks:
    """Check a fit against its own runs: prior predictive, posterior predictive and LOO-PIT.

    Parameters
    ----------
    posterior, interval, allow_failed
        As in `forecast`; the posterior holds its runs.
    vocabulary
        Entries of the tokenizer; see `prior_predictive`.
    seed
        Seed of the replicated runs.
    progress
        Called with (phase, checks done, checks in all).

    Raises
    ------
    InputError, FailedFitError
        As `forecast`; or if the posterior holds no runs.
    """
    faults = interval_faults(interval) + seed_faults(seed)
    if not 1 < vocabulary < float("inf"):
        faults.append(Fault(f"{vocabulary:g} is not a number of entries", column="vocabulary"))
    posterior = load_beside(faults, posterior, allow_failed)
    step = steps(progress, "checking", 3)
    after = posterior_predictive(posterior, interval=interval, seed=seed)
    step()
    before = prior_predictive(posterior, interval=interval, vocabulary=vocabulary, seed=seed)
    step()
    left_out = leave_one_out_pit(posterior, seed=seed, predictive=after)
    step()
    return PredictiveChecks(before, after, left_out, interval, posterior.warnings)
