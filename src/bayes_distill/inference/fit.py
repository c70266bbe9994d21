"""From runs and a card to a posterior."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import seed_faults
from bayes_distill._input.progress import Progress
from bayes_distill._input.text import without_folders
from bayes_distill._input.version import __version__
from bayes_distill._runtime.jax_setup import require_float64
from bayes_distill._runtime.memory import drop_programs_near_map_limit
from bayes_distill.cards import Card, centred, load_card, model_names
from bayes_distill.errors import Fault, InputError
from bayes_distill.inference.draws_to_posterior import draws_to_posterior
from bayes_distill.inference.first_stage import cut_settings, first_stage
from bayes_distill.inference.law_checks import Fitted, law_checks
from bayes_distill.inference.masked_refit import compile_refit
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.inference.sampler import Sample, run_nuts
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.two_stage import check_stages
from bayes_distill.inference.warm_start import WarmStart
from bayes_distill.laws import Law
from bayes_distill.posterior import Posterior
from bayes_distill.runs.table import POINT, input_names
from bayes_distill.runs.teachers_as_runs import teachers_as_runs

if TYPE_CHECKING:
    from bayes_distill.runs import Runs
    from bayes_distill.runs.reading import ColumnsSource, MappingSource

MOST_EXTENSIONS = 6  # of which the last has 64 times the transitions of the first
DEFAULT_CARDS = {"supervised": "supervised", "distillation": "distillation", "mixed": "joint"}
LEAST_DIFFERENT = 3


def fit(
    runs: Runs | pd.DataFrame | str | Path,
    model: Card | str | Path | None = None,
    *,
    where: str | None = None,
    corrections: bool = True,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    chains: int = 4,
    warmup: int = 1000,
    draws: int = 1000,
    seed: int = 0,
    extensions: int = 1,
    interval: float = 0.9,
    supervised: Posterior | str | Path | None = None,
    cut: bool = False,
    imputations: int | None = None,
    progress: Progress | None = None,
    resume: str | Path | None = None,
    check_law: bool = True,
    begin_at: Posterior | None = None,
) -> Posterior:
    """Fit a scaling law to runs with NUTS.

    Parameters
    ----------
    runs
        A table of runs: `Runs`, a DataFrame, a path, or the name of a data set.
    model
        A card, its name or path. By default the card of the named data, or else the general
        card for this kind of runs (``supervised``, ``distillation`` or ``joint``).
    where
        A condition over the canonical columns; only runs for which it holds are fitted.
    corrections
        Whether documented corrections to named data are applied.
    mapping, columns
        What an experiment tracker calls the columns, as for `read_runs`.
    chains, warmup, draws
        Numbers of chains, of warm-up transitions and of draws of each. Warm-up ends earlier where
        fewer transitions are enough; ``info["warmed_up"]`` is the number it took.
    seed
        Seed of everything random; the same seed gives the same draws.
    extensions
        Rounds of sampling that may follow the first, where R-hat or the effective draws ask for
        more; each is twice as long as the round before and has as many draws, see
        `sample_until_mixed`. ``info["extensions"]`` is the number it took. Fits of fewer than
        1,600 draws in all, and cut fits, do not go on.
    interval
        Probability inside the intervals of the coefficients.
    supervised
        A fit of a supervised law, whose posterior becomes the prior on the supervised
        coordinates of this one (two stages).
    cut
        Let distillation runs say nothing about the supervised law, which then comes from
        `supervised`, or from the supervised runs of a mixed table alone. `chains` and `draws` give
        the number of draws, which are spread over as many chains as there are imputations.
    imputations
        With `cut`, how many draws of the supervised law are taken: 64 by default.
    progress
        Called with (phase, done, all) as sampling goes on.
    resume
        Folder that the sampler's state is written to as it goes: a second call with the same
        arguments, after an interrupt or a crash, continues from there, and returns the same draws
        as one that was not interrupted. Remove the folder once the posterior is saved.
    check_law
        Whether to check the law too: ``info["diagnostics"]["law"]``, beside the checks of the
        sampling. Refits that are only scored can do without.
    begin_at
        A fit of some of the runs by the same card: chains begin where its chains ended, with its
        metric, see `update`.

    Returns
    -------
    Posterior
        With draws, diagnostics and flagged runs. It is returned even if the checks fail; then
        its `verdict` says so.

    Raises
    ------
    InputError
        Naming everything that is wrong with the runs, the card or the settings.
    """
    from bayes_distill.runs import read_runs

    check_settings(chains, warmup, draws, cut, imputations, seed, extensions)
    require_float64()
    drop_programs_near_map_limit()
    table = read_runs(
        runs, corrections=corrections, mapping=mapping, columns=columns, law=law_of_card(model)
    )
    if where is not None:
        table = table.where(where)
    card = model if isinstance(model, Card) else load_card(model or default_card(table))
    check_stages(table, supervised, cut, card)
    check_card(card, table)
    card = centred(card, table.frame)
    clock = time.perf_counter()
    reference = reference_point(card, table.frame)
    settings = SamplerSettings(
        chains, warmup, draws, card.target_accept, card.transitions_per_draw, extensions
    )
    first, stages = None, None
    if supervised is not None or cut:

        def fit_supervised(supervised_runs: Runs, supervised_card: Card) -> Posterior:
            return fit(
                supervised_runs,
                supervised_card,
                chains=chains,
                warmup=warmup,
                draws=draws,
                seed=seed,
                extensions=extensions,
                progress=progress,
                resume=resume,
                check_law=check_law,
            )

        first = first_stage(table, card, reference, supervised, fit_supervised)
        card, table = first.card, first.table
        check_card(card, table)
    teachers = None
    if first is None and card.scaling_law.has_teacher:
        teachers = teachers_as_runs(table)
    spec, data, hyper, notes = model_inputs(card, table, reference, teachers)
    parts = (spec, data, hyper)
    warm = None if begin_at is None else WarmStart.of(begin_at)
    try:
        if first is None:
            sample = run_nuts(*parts, settings, seed, progress, resume, warm)
        else:
            settings = cut_settings(settings, imputations) if cut else settings
            sample, stages = first.sample(parts, settings, seed, progress, resume, cut=cut)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"the runs of {table.source} determine no posterior that can be sampled: their losses "
            "have no scatter about the law, or the runs are too alike"
        ) from error
    if progress:
        progress("checking", 0, 1)
    law = None
    if check_law:
        compile_refit(spec, data, hyper, sample)
        fitted = Fitted(card, table.frame, spec, data, sample, settings, reference.loss, cut)
        law = partial(law_checks, fitted, seed)
    tree, info = draws_to_posterior(
        card, *parts, table, sample, reference, seed, interval, stages, law
    )
    if first is not None:
        info["stages"] = first.to_json(cut=cut)
        notes = [*first.notes, *notes]
    info |= {
        "interval": interval,
        "seed": seed,
        "source": without_folders(table.source),
        "where": where,
        "fingerprint": table.fingerprint,
        "kind": table.kind,
        "n_runs": len(table),
        "teachers_as_runs": 0 if teachers is None else len(teachers),
        "notes": [*table.notes, *_few(card, table), *notes, *_extension_notes(sample, draws)],
        "settings": asdict(settings),
        "warmed_up": sample.warmup,
        "extensions": sample.extensions,
        "seconds": {
            **{k: round(v, 3) for k, v in sample.seconds.items()},
            "total": round(time.perf_counter() - clock, 3),
        },
        "versions": {
            "bayes-distill": __version__,
            **{name: version(name) for name in ("jax", "numpyro", "arviz-stats", "xarray")},
        },
    }
    return Posterior(tree, card, reference, info)


def _few(card: Card, table: Runs) -> list[str]:
    """That a fit rests on learned priors, where the runs are few and the card has such."""
    from bayes_distill.runs.few_runs import few_runs_note

    note = None if card.priors else few_runs_note(len(table), table.kind)
    return [] if note is None else [note]


def _extension_notes(sample: Sample, draws: int) -> list[str]:
    """What it took that chains agree, where a first round of sampling was not enough."""
    if not sample.extensions:
        return []
    rounds = f"{sample.extensions} longer round{'s' if sample.extensions > 1 else ''}"
    transitions = draws * sample.transitions_per_draw
    return [
        f"Sampling went on for {rounds}, for chains disagreed or effective draws were few: "
        f"{sample.warmup} transitions of warm-up and {transitions} for {draws} draws of each chain."
    ]


def default_card(table: Runs) -> str:
    """Name of the card that a table is fitted with by default."""
    return table.source if table.source in model_names() else DEFAULT_CARDS[table.kind]


def law_of_card(model: Card | str | Path | None) -> Law | None:
    """The law of a card, where it says what columns a table has; else ``None``.

    What is wrong with a card is said later, once the table has been read.
    """
    if model is None:
        return None
    try:
        return (model if isinstance(model, Card) else load_card(model)).scaling_law
    except InputError:
        return None


def check_settings(
    chains: int,
    warmup: int,
    draws: int,
    cut: bool = False,
    imputations: int | None = None,
    seed: int = 0,
    extensions: int = 0,
) -> None:
    """Refuse chains that are too few or too short, and imputations without a cut or too few.

    Raises
    ------
    InputError
        Naming every setting at fault.
    """
    faults: list[Fault | str] = [*seed_faults(seed)]
    if chains < 2:
        faults.append(f"`chains` is {chains}: at least 2 are needed to tell whether they agree")
    if warmup < 100:
        faults.append(f"`warmup` is {warmup}: at least 100 are needed to adapt")
    if draws < 50:
        faults.append(f"`draws` is {draws}: at least 50 are needed for any interval")
    if not 0 <= extensions <= MOST_EXTENSIONS:
        faults.append(f"`extensions` is {extensions}: 0 to {MOST_EXTENSIONS} can be asked for")
    if imputations is not None and not cut:
        faults.append("`imputations` is for `cut=True`: add that, or leave it out")
    elif imputations is not None and imputations < 10:
        faults.append(f"`imputations` is {imputations}: at least 10 are needed for any interval")
    if faults:
        raise InputError(faults)


def check_card(card: Card, table: Runs) -> None:
    """Refuse runs that a card cannot be fitted to.

    Raises
    ------
    InputError
        If the card has no priors, is for another kind of runs, or there are too few of them.
    """
    law = card.scaling_law
    lacking = [each.name for each in law.extra_inputs if each.name not in table.frame]
    if lacking:
        raise InputError(
            f"the runs of {table.source} lack {', '.join(lacking)}, which the law of the card "
            f"{card.name} reads: read them with `law=card.scaling_law`, or give the table itself"
        )
    if card.members:
        raise InputError(
            f"the card {card.name} is of a stack, which is made of fits: fit the cards of its "
            "members and stack them again"
        )
    if card.coefficients is not None:
        raise InputError(
            f"the card {card.name} holds published coefficients, which are used as they are; "
            "to fit, name a card with priors"
        )
    if not law.has_teacher and table.kind != "supervised":
        raise InputError(
            f"the card {card.name} holds a supervised law, and {table.source} has runs with a "
            "teacher: leave them out (`where='teacher_loss.isna()'`) or use "
            '`model="distillation"`'
        )
    if law.has_teacher and table.kind == "supervised":
        raise InputError(
            f"the card {card.name} holds a distillation law, and no run of {table.source} has a "
            'teacher_loss: add it, or use `model="supervised"`'
        )
    frame = table.frame
    told_apart = [name for name in (*POINT, *input_names(frame)) if name in frame]
    different = len(frame[told_apart].drop_duplicates())
    if different < LEAST_DIFFERENT:
        raise InputError(
            f"{table.source} holds {len(table)} runs that are {different} in size, tokens and "
            f"teacher: a law needs at least {LEAST_DIFFERENT} that differ"
        )
    free = len(card.coordinate_priors)
    needed = free + 3
    if len(table) < needed:
        why = (
            f"; the {card.law} law has {free} coefficients of its own to learn, so give it"
            if free
            else ": give it"
        )
        raise InputError(f"{table.source} has {len(table)} usable runs{why} at least {needed}")
