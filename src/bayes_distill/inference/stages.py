"""The two stages of a fit: where the supervised law comes from, and what the second one samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.cards import Card
from bayes_distill.inference.cut import run_cut
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.sampler import Progress, Sample, SamplerSettings, run_nuts
from bayes_distill.inference.two_stage import (
    Stages,
    check_against,
    first_stage_card,
    load_supervised,
    supervised_before,
    supervised_noise,
    supervised_numbers,
    two_stage_card,
)
from bayes_distill.laws import Reference
from bayes_distill.posterior import Posterior

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

IMPUTATIONS = 64
LEAST_DRAWS = 25  # of a chain
WARMUP = (100, 250)  # of a chain: all of them share one mass matrix, and start near the mode


@dataclass(frozen=True)
class FirstStage:
    """A supervised posterior, and what is left to fit given it.

    Parameters
    ----------
    posterior
        The supervised fit.
    card, table, reference
        What the second stage fits: the card with the posterior as prior, the runs, and the point
        that both stages' coordinates are counted from there.
    notes
        What was decided, as sentences.
    """

    posterior: Posterior
    card: Card
    table: Runs
    reference: Reference
    notes: list[str]

    def two_stage(
        self,
        model: tuple[ModelSpec, Data, dict[str, Any]],
        settings: SamplerSettings,
        seed: int,
        progress: Progress | None,
        folder: str | Path | None = None,
    ) -> tuple[Sample, Stages]:
        """Sample with the supervised posterior as prior."""
        some = np.random.default_rng([seed, 3]).integers(
            self.posterior.n_draws, size=settings.chains * settings.draws
        )
        return run_nuts(*model, settings, seed, progress, folder), self._carried(some, cut=False)

    def cut(
        self,
        model: tuple[ModelSpec, Data, dict[str, Any]],
        settings: SamplerSettings,
        seed: int,
        progress: Progress | None,
        folder: str | Path | None = None,
    ) -> tuple[Sample, Stages]:
        """Sample the rest given draws of the supervised posterior, one a chain."""
        given = np.linspace(0, self.posterior.n_draws - 1, settings.chains).astype(int)
        numbers = supervised_numbers(self.posterior, self.reference)[given]
        sample = run_cut(*model, numbers, settings, seed, progress, folder)
        return sample, self._carried(np.repeat(given, settings.draws), cut=True)

    def _carried(self, draws: np.ndarray, *, cut: bool) -> Stages:
        noise = supervised_noise(self.posterior, self.card, self.reference)
        return Stages(
            cut,
            self.posterior.verdict,
            supervised_before(self.posterior, self.reference),
            {name: values[draws] for name, values in noise.items()},
        )

    def to_json(self, *, cut: bool) -> dict[str, Any]:
        """What a stored posterior says of its first stage."""
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
    fit_alone: Callable[[Runs, Card], Posterior],
) -> FirstStage:
    """Take or make the supervised posterior that the second stage starts from.

    Without `supervised`, `fit_alone` fits the supervised runs of the table, which the second
    stage then leaves out.

    Raises
    ------
    InputError
        If the supervised fit does not go with these runs.
    """
    if supervised is not None:
        posterior = load_supervised(supervised)
        notes = check_against(table, posterior)
        own = isinstance(supervised, Posterior)
        source = "the supervised fit" if own else f"the fit {supervised}"
    else:
        alone = replace(table, frame=table.frame[~table.distilled])
        posterior = fit_alone(alone, first_stage_card(card, reference))
        table = replace(table, frame=table.frame[table.distilled])
        source = f"a fit of the {len(alone)} supervised runs by themselves"
        notes = [f"What is fitted here are the {len(table)} distillation runs."]
    staged, replaced = two_stage_card(card, posterior, reference, source)
    return FirstStage(posterior, staged, table, reference, [*notes, *replaced])


def cut_settings(settings: SamplerSettings, imputations: int | None) -> SamplerSettings:
    """Many short chains that give at least as many draws as the few long ones asked for."""
    chains = imputations or IMPUTATIONS
    draws = max(LEAST_DRAWS, -(-settings.chains * settings.draws // chains))
    warmup = int(np.clip(settings.warmup // 4, *WARMUP))
    return replace(settings, chains=chains, warmup=warmup, draws=draws)
