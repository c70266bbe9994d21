"""Rank fits of the same runs: by PSIS-LOO, by runs that were left out, by extrapolation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from bayes_distill._input.progress import Progress
from bayes_distill.comparison.counts import counts_note, counts_table
from bayes_distill.comparison.fits import Source, groups_to_leave_out, load_fits
from bayes_distill.comparison.left_out import (
    Content,
    left_out_notes,
    left_out_table,
    read_validations,
)
from bayes_distill.comparison.loo import loo_table
from bayes_distill.comparison.refits import prepare_refits, run_refits
from bayes_distill.comparison.result import Comparison
from bayes_distill.comparison.weights import weight_faults
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.posterior import Posterior
from bayes_distill.validation.groups import LeaveOut
from bayes_distill.validation.result import Validation

KINDS = get_args(LeaveOut)
AUTO = "auto"
TOO_CLOSE = 4.0  # nats: below this a standard error of a difference is not to be trusted


def compare(
    fits: Sequence[Source],
    *,
    leave_out: str | Sequence[str] = (),
    tail: str | None = None,
    validation: Sequence[Validation | Content | str | Path] = (),
    weights: str | Sequence[float] = AUTO,
    min_runs: int = 8,
    groups: Sequence[str] | None = None,
    chains: int = 4,
    warmup: int = 1000,
    draws: int = 1000,
    seed: int = 0,
    interval: float = 0.9,
    workers: int | None = None,
    scheduler: Any = None,
    resume: str | Path | None = None,
    allow_failed: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Rank fits of the same runs.

    PSIS-LOO comes at no cost, from what each fit stored. Leaving out whole groups and
    extrapolating need refits: on request, or from validations that exist already.

    Parameters
    ----------
    fits
        At least two posteriors or files written by `fit`, of the same runs.
    leave_out
        Refit every card without groups of runs: any of ``params``, ``group`` and ``tail``, as
        `validate` has them. ``tail`` is the extrapolation: fit the rest, predict the best.
    tail
        A condition on the runs kept for fitting, such as ``"params < 5e8"`` or ``"loss > 2.3"``;
        asks for ``tail``.
    validation
        Results of `validate`, or files that `Validation.save` wrote, one for each fit and kind.
    weights
        Where the weights for a stack come from: ``params`` or ``group`` (stacking on the joint
        densities of the groups, which must be there), ``loo`` (on those of single runs), or shares
        in the order of `fits`. ``auto`` takes groups if some are left out here, and else single
        runs, with a note where there are groups.
    min_runs, groups, chains, warmup, draws, seed, interval, workers, scheduler, resume
        Of the refits, as in `validate`.
    allow_failed
        Whether fits that failed their checks may be compared.
    progress
        Called with (phase, refits done, refits in all).

    Raises
    ------
    InputError
        Naming everything that is wrong, before anything is fitted.
    FailedFitError
        If a fit failed its checks and that is not allowed.
    """
    prepared = check(
        fits,
        leave_out=leave_out,
        tail=tail,
        validation=validation,
        weights=weights,
        allow_failed=allow_failed,
        settings={
            "min_runs": min_runs,
            "groups": groups,
            "chains": chains,
            "warmup": warmup,
            "draws": draws,
            "seed": seed,
            "interval": interval,
            "workers": workers,
            "scheduler": scheduler,
        },
    )
    loaded, table, stored, refits = prepared
    found = dict(stored)
    if refits:
        results = run_refits(
            refits,
            interval,
            workers=workers,
            scheduler=scheduler,
            resume=resume,
            progress=progress,
        )
        for kind, by_label in results.items():
            found[kind] = {label: result.to_json() for label, result in by_label.items()}
    tables = {kind: left_out_table(found[kind]) for kind in KINDS if kind in found}
    chosen, source = _weights(weights, list(loaded), table, tables)
    one_count = len({fit.card.counts for fit in loaded.values()}) == 1
    grouped = groups_to_leave_out(loaded, min_runs) if weights == AUTO and one_count else None
    notes = [
        *(f"{name}: {text}" for name, fit in loaded.items() for text in fit.warnings),
        *_loo_notes(table),
        *(note for kind, each in tables.items() for note in left_out_notes(kind, each)),
    ]
    if source == "loo" and grouped is not None:
        notes.append(
            "the weights are by single runs, each predicted with others like it among the runs: "
            f'`leave_out="{grouped}"` weighs by what a new one is predicted with'
        )
    by_counts = counts_table(loaded, interval)
    if len(by_counts):
        notes.append(counts_note(by_counts))
    return Comparison(table, tables, chosen, source, tuple(notes), by_counts)


Checked = tuple[
    dict[str, Posterior], pd.DataFrame, dict[str, dict[str, Content]], dict[tuple[str, str], Any]
]


def check(
    fits: Sequence[Source],
    *,
    leave_out: str | Sequence[str],
    tail: str | None,
    validation: Sequence[Validation | Content | str | Path],
    weights: str | Sequence[float],
    allow_failed: bool,
    settings: Mapping[str, Any],
) -> Checked:
    """Check everything and fit nothing: fits, their LOO table, validations, refits to run.

    Raises
    ------
    InputError
        Naming everything that is wrong.
    """
    kinds, faults = _kinds(leave_out, tail)
    faults += [] if isinstance(weights, str) else weight_faults(weights, len(fits))
    loaded: dict[str, Posterior] = {}
    table = pd.DataFrame()
    stored: dict[str, dict[str, Content]] = {}
    refits: dict[tuple[str, str], Any] = {}
    with collected(faults):
        # other faults of the call are raised before a failed fit is refused
        as_one = bool(kinds or validation)
        loaded = load_fits(fits, allow_failed=allow_failed or bool(faults), as_one=as_one)
        table = loo_table(loaded)
    if len(table):
        table.insert(1, "card", [loaded[name].card.name for name in table["fit"]])
        table.insert(2, "law", [loaded[name].law.name for name in table["fit"]])
        with collected(faults):
            stored = read_validations(validation, loaded)
        with collected(faults):
            refits = prepare_refits(loaded, kinds, tail=tail, settings=settings)
    twice = [kind for kind in stored if kind in kinds]
    faults += [
        Fault(f"{kind} is in `validation` already: give one of the two", column="leave_out")
        for kind in twice
    ]
    if isinstance(weights, str) and weights not in ("loo", AUTO):
        faults += _weight_source_faults(weights, {*kinds, *stored})
    if faults:
        raise InputError(faults)
    return loaded, table, stored, refits


def _kinds(leave_out: str | Sequence[str], tail: str | None) -> tuple[list[str], list[Fault]]:
    """What to leave out, each once, and what is wrong with that."""
    kinds = leave_out.split(",") if isinstance(leave_out, str) else list(leave_out)
    kinds = list(dict.fromkeys(name.strip() for name in kinds))
    if tail is not None and "tail" not in kinds:
        kinds.append("tail")
    wrong = [
        Fault(f"{name!r} is none of {', '.join(KINDS)}", column="leave_out")
        for name in kinds
        if name not in KINDS
    ]
    return [name for name in kinds if name in KINDS], wrong


def _weight_source_faults(weights: str, there: set[str]) -> list[Fault]:
    if weights == "tail":
        return [
            Fault(
                "tail is one group, and stacking on it would leave one fit: use loo, params or "
                "group",
                column="weights",
            )
        ]
    if weights not in KINDS:
        return [
            Fault(
                f"{weights!r} is none of auto, loo, params, group, nor numbers such as 0.7,0.3",
                column="weights",
            )
        ]
    if weights not in there:
        return [
            Fault(f'needs `leave_out="{weights}"`, or its validations', column="weights"),
        ]
    return []


def _weights(
    weights: str | Sequence[float],
    names: Sequence[str],
    by_loo: pd.DataFrame,
    left_out: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, float], str]:
    """Weights in the order of the fits, and where they come from."""
    if weights == AUTO:
        weights = next((kind for kind in ("params", "group") if kind in left_out), "loo")
    if isinstance(weights, str):
        table = by_loo if weights == "loo" else left_out[weights]
        found = dict(zip(table["fit"], table["weight"], strict=True))
        return {name: float(found[name]) for name in names}, weights
    total = sum(weights)
    return {name: float(w) / total for name, w in zip(names, weights, strict=True)}, "given"


def _loo_notes(table: pd.DataFrame) -> list[str]:
    notes = []
    shaky = table[table["high_pareto_k"] > 0]
    if len(shaky):
        counts = ", ".join(f"{r['fit']}: {r['high_pareto_k']}" for r in shaky.to_dict("records"))
        notes.append(
            f"leave-one-out is unreliable for runs with a high Pareto k ({counts}), and too "
            "favourable for fits that have many of them: compare by `leave_out` too"
        )
    close = table.loc[(table["rank"] > 1) & (table["elpd_diff"] > -TOO_CLOSE), "fit"].tolist()
    if close:
        notes.append(
            f"{', '.join(close)} predicts single runs as well as the best fit does (less than "
            f"{TOO_CLOSE:g} nats apart)"
        )
    return notes
