"""The fits that are compared or stacked, and what they must have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bayes_distill.errors import FailedFitError, Fault, InputError
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.posterior.stored_runs import as_table
from bayes_distill.runs import Runs
from bayes_distill.runs.table import CANONICAL
from bayes_distill.validation.groups import LeaveOut, split

Source = Posterior | str | Path


def load_fits(
    fits: Sequence[Source], *, allow_failed: bool = False, as_one: bool = True
) -> dict[str, Posterior]:
    """Load fits of the same runs: label -> posterior, in their order.

    A label is the name of the fit's card; where two fits are of one card, that of its file, or
    the name of the card with the fit's position behind it. `as_one` as in `check_together`.

    Raises
    ------
    InputError
        Naming every fit that cannot be used, and which differ in their runs or reference point.
    FailedFitError
        If a fit failed its checks and `allow_failed` is not set.
    """
    faults: list[Fault] = []
    loaded: list[Posterior] = []
    if len(fits) < 2:
        faults.append(Fault(f"{len(fits)} fit given: name at least two to compare", column="fits"))
    failed: FailedFitError | None = None
    for source in fits:
        try:
            loaded.append(load_posterior(source, allow_failed=allow_failed))
        except InputError as error:
            faults += error.faults
        except FailedFitError as error:
            failed = failed or error
    if faults:
        raise InputError(faults)
    if failed is not None:
        raise failed
    named = dict(zip(_labels(fits, loaded), loaded, strict=True))
    check_together(named, as_one=as_one)
    return named


def check_together(fits: dict[str, Posterior], *, as_one: bool = True) -> None:
    """Refuse fits that are not of the same runs, or do not count from the same point.

    Fits that count parameters differently are of the same runs if all but their params agree; they
    are refused where `as_one`, for their sizes mean different things.

    Raises
    ------
    InputError
        Naming those that differ.
    """
    faults = [
        Fault(f"{name} is a stack already: give the fits that it is made of", column="fits")
        for name, fit in fits.items()
        if fit.card.members
    ]
    if len({fit.card.counts for fit in fits.values()}) > 1:
        faults += _faults_of_counts(fits, as_one)
        if faults:
            raise InputError(faults)
        return
    prints = {name: fit.info.get("fingerprint") for name, fit in fits.items()}
    if len(set(prints.values())) > 1:
        faults.append(
            Fault(
                "these are not fits of the same runs: "
                + _groups({k: v and v[:8] for k, v in prints.items()}, "runs")
                + "; fit every card to the same table, with the same `where`",
                column="fits",
            )
        )
    else:
        points = {
            name: f"{fit.reference.params:.6g} params, {fit.reference.tokens:.6g} tokens, "
            f"loss {fit.reference.loss:.6g}"
            for name, fit in fits.items()
        }
        if len(set(points.values())) > 1:
            faults.append(
                Fault(
                    "these fits count from different points: "
                    + _groups(points, "reference")
                    + "; state the same [reference] in their cards, or none",
                    column="fits",
                )
            )
    if faults:
        raise InputError(faults)


def _faults_of_counts(fits: dict[str, Posterior], as_one: bool) -> list[Fault]:
    """What is wrong with fits that count parameters differently."""
    counts = _groups({name: fit.card.counts for name, fit in fits.items()}, "counts")
    if as_one:
        problem = f"these fits count parameters differently: {counts}"
        return [Fault(f"{problem}; they cannot be put together or refitted", column="fits")]
    stored = [fit.tree["runs"].dataset for fit in fits.values() if "runs" in fit.tree.children]
    same = len(stored) == len(fits) and all(
        np.array_equal(each[name], stored[0][name])
        for each in stored
        for name in ("tokens", "loss")
        if each[name].shape == stored[0][name].shape
    )
    if same and len({each.sizes["run"] for each in stored}) == 1:
        return []
    return [Fault("these are not fits of the same runs: tokens or losses differ", column="fits")]


def runs_table(fit: Posterior) -> Runs:
    """The runs of a fit, as fitted, to fit others cards or without some of them.

    Raises
    ------
    InputError
        If the fit does not hold its runs in full.
    """
    if "runs" in fit.tree.children:
        own = tuple(each.name for each in fit.law.extra_inputs)
        frame = as_table(fit.tree["runs"].dataset, (*CANONICAL, *own)).rename_axis(index="row")
        table = Runs(frame, str(fit.info.get("source", "runs")), inputs=own)
        if table.fingerprint == fit.info.get("fingerprint"):
            return table
    raise InputError(
        f"the fit of {fit.card.name} does not hold its runs in full: fit again with this version"
    )


def groups_to_leave_out(fits: Mapping[str, Posterior], min_runs: int = 8) -> LeaveOut | None:
    """What to leave out of the runs of some fits: ``params`` or ``group``, or ``None``.

    Runs of one student size are alike, so that one that is left out alone is known from the others.
    Student sizes are left out where at least two have `min_runs` runs, else labels of the column
    ``group``; ``None`` where neither is so, or the fits do not hold their runs.
    """
    try:
        table = runs_table(next(iter(fits.values())))
    except InputError:
        return None
    kinds: tuple[LeaveOut, ...] = ("params", "group")
    for kind in kinds:
        try:
            if len(split(table, kind, min_runs=min_runs)) > 1:
                return kind
        except InputError:
            continue
    return None


def _labels(sources: Sequence[Source], fits: Sequence[Posterior]) -> list[str]:
    names = [fit.card.name for fit in fits]
    for again in (_stem, _numbered):
        counts = Counter(names)
        names = [
            again(i, name, source) if counts[name] > 1 else name
            for i, (name, source) in enumerate(zip(names, sources, strict=True))
        ]
    return names


def _stem(place: int, name: str, source: Source) -> str:
    del place
    return name if isinstance(source, Posterior) else Path(source).stem


def _numbered(place: int, name: str, source: Source) -> str:
    del source
    return f"{name}-{place + 1}"


def _groups(values: Mapping[str, str | None], what: str) -> str:
    """Which fits share which value: ``a, b (runs 1f2e); c (runs 77aa)``."""
    found: dict[str | None, list[str]] = {}
    for name, value in values.items():
        found.setdefault(value, []).append(name)
    return ", against ".join(
        f"{' and '.join(names)} ({what} {value or 'not stored'})" for value, names in found.items()
    )
