"""The first stage of a fit in two: a supervised posterior, and the second stage given it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill._input.progress import Progress
from bayes_distill.cards import Card
from bayes_distill.inference.cut_posterior import sample_cut_posterior
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.sampler import Sample, run_nuts
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.two_stage import (
    FirstStageResults,
    check_against,
    first_stage_card,
    load_supervised,
    supervised_before,
    supervised_noise,
    supervised_numbers,
    two_stage_card,
)
from bayes_distill.laws import Reference
from bayes_distill.laws.smooth_discrepancy import SMOOTH
from bayes_distill.posterior import Posterior

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

IMPUTATIONS = 64
LEAST_DRAWS = 25  # of a chain
WARMUP = (100, 250)  # of a chain: all of them share one mass matrix, and start near the mode


@dataclass(frozen=True)
class FirstStage:
    """A supervised posterior, and the card and runs of the second stage.

    Parameters
    ----------
    posterior
        The supervised fit.
    card, table, reference
        Of the second stage: the card with the posterior as prior, the runs, and the reference point
        of the coordinates.
    notes
        Sentences for people on how the stages were set up.
    """

    posterior: Posterior
    card: Card
    table: Runs
    reference: Reference
    notes: list[str]

    def sample(
        self,
        model: tuple[ModelSpec, Data, dict[str, Any]],
        settings: SamplerSettings,
        seed: int,
        progress: Progress | None,
        folder: str | Path | None = None,
        *,
        cut: bool,
    ) -> tuple[Sample, FirstStageResults]:
        """Sample with the supervised posterior as prior.

        With `cut`, the rest of the model is sampled given draws of that posterior, one a chain.
        """
        if not cut:
            some = np.random.default_rng([seed, 3]).integers(
                self.posterior.n_draws, size=settings.chains * settings.draws
            )
            sample = run_nuts(*model, settings, seed, progress, folder)
            return sample, self._results(some, cut=False)
        drawn = np.linspace(0, self.posterior.n_draws - 1, settings.chains).astype(int)
        numbers = supervised_numbers(self.posterior, self.reference)[drawn]
        sample = sample_cut_posterior(*model, numbers, settings, seed, progress, folder)
        return sample, self._results(np.repeat(drawn, settings.draws), cut=True)

    def _results(self, draws: np.ndarray, *, cut: bool) -> FirstStageResults:
        noise = supervised_noise(self.posterior, self.card, self.reference)
        return FirstStageResults(
            cut,
            self.posterior.verdict,
            supervised_before(self.posterior, self.reference),
            {name: values[draws] for name, values in noise.items()},
        )

    def to_json(self, *, cut: bool) -> dict[str, Any]:
        """Plain data on the first stage for the ``info`` of the posterior."""
        info = self.posterior.info
        return {
            "cut": cut,
            "supervised": {
                "model": self.posterior.card.name,
                "verdict": self.posterior.verdict,
                **{k: info.get(k) for k in ("source", "n_runs", "fingerprint", "diagnostics")},
            },
        }


def first_stage(
    table: Runs,
    card: Card,
    reference: Reference,
    supervised: Posterior | str | Path | None,
    fit_supervised: Callable[[Runs, Card], Posterior],
) -> FirstStage:
    """Load or fit the supervised posterior that is the prior of the second stage.

    Without `supervised`, `fit_supervised` fits the supervised runs of the table, which the second
    stage then leaves out.

    Raises
    ------
    InputError
        If the supervised fit does not go with these runs.
    """
    if supervised is not None:
        posterior = load_supervised(supervised)
        notes = check_against(table, posterior)
        in_memory = isinstance(supervised, Posterior)
        source = "the supervised fit" if in_memory else f"the fit {supervised}"
    else:
        supervised_runs = replace(table, frame=table.frame[~table.distilled])
        posterior = fit_supervised(supervised_runs, first_stage_card(card, reference))
        table = replace(table, frame=table.frame[table.distilled])
        source = f"a fit of the {len(supervised_runs)} supervised runs by themselves"
        notes = [f"What is fitted here are the {len(table)} distillation runs."]
    if SMOOTH in posterior.coordinates:
        notes.append(
            "The supervised law is taken from the supervised fit, and its discrepancy is not: fit "
            "the law alone (supervised-plain) where that matters."
        )
    staged, replaced = two_stage_card(card, posterior, reference, source)
    return FirstStage(posterior, staged, table, reference, [*notes, *replaced])


def cut_settings(settings: SamplerSettings, imputations: int | None) -> SamplerSettings:
    """Many short chains, one an imputation, with at least as many draws as `settings` in all."""
    chains = imputations or IMPUTATIONS
    draws = max(LEAST_DRAWS, -(-settings.chains * settings.draws // chains))
    warmup = int(np.clip(settings.warmup // 4, *WARMUP))
    return replace(settings, chains=chains, warmup=warmup, draws=draws, extensions=0)
