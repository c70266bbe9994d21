"""A fit of more runs that begins where a fit of some of them ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import seed_faults
from bayes_distill._input.progress import Progress
from bayes_distill._input.types import SOURCE, WHOLE, check_types
from bayes_distill.errors import InputError, collected
from bayes_distill.inference.fit import check_card, check_settings, fit
from bayes_distill.inference.warm_start import WarmStart
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.shipped import no_runs
from bayes_distill.posterior.stored_runs import as_table, rows_in
from bayes_distill.predict.arguments import load_beside
from bayes_distill.predict.points import of_frame
from bayes_distill.predict.results.display import Result
from bayes_distill.runs import read_runs
from bayes_distill.runs.table import CANONICAL, Runs

if TYPE_CHECKING:
    from bayes_distill.runs.reading import ColumnsSource, MappingSource

WARMUP = 200
"""Transitions of warm-up at most, where a fit holds the sampler's state."""
SURPRISING = 0.05
"""Chance of a false alarm among all new runs."""


@dataclass(frozen=True, eq=False, repr=False)
class Update(Result):
    """A fit of all runs, and what the new ones changed.

    Parameters
    ----------
    posterior
        Of all runs.
    moved
        One row a coefficient, that which moved most first: ``name``, ``before`` and ``after``
        (means), and ``sd``, by how many of the earlier standard deviations it moved.
    surprises
        New runs that the earlier fit would hardly have forecast, least likely first: ``row`` of
        the table of new runs, the point, ``loss``, ``forecast_median``, ``forecast_lower`` and
        ``forecast_upper`` (the central 90%), and ``p``, the probability of a loss as far off,
        times the number of new runs.
    new_runs
        Number of new runs.
    notes
        Sentences for people.
    """

    shown: ClassVar[Mapping[str, str]] = {"moved": "What moved", "surprises": "Surprises"}

    posterior: Posterior
    moved: pd.DataFrame
    surprises: pd.DataFrame
    new_runs: int
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """``moved`` and ``surprises`` as plain data, beside what `fit` tells of the posterior."""
        return {
            "new_runs": self.new_runs,
            "moved": self.moved.to_dict("records"),
            "surprises": [
                {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
                for row in self.surprises.to_dict("records")
            ],
        }


def update(
    posterior: Posterior | str | Path,
    runs: Runs | pd.DataFrame | str | Path,
    *,
    where: str | None = None,
    corrections: bool = True,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    chains: int | None = None,
    warmup: int | None = None,
    draws: int | None = None,
    extensions: int = 1,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    resume: str | Path | None = None,
) -> Update:
    """Fit all runs, those of a fit and new ones, from where that fit ended.

    The model is that of a fresh fit of all runs, and so is the posterior: only the start of the
    chains and the metric come from the earlier fit, which shortens warm-up.

    Parameters
    ----------
    posterior, allow_failed
        A fit with its runs, as in `forecast`; no stack, and no fit in two stages.
    runs, where, corrections, mapping, columns
        New runs, as in `fit`. Those that the fit has already are left out.
    chains, draws
        By default as many chains as the fit, and half as many draws of each, at least 500.
    warmup
        Transitions of warm-up at most: by default 200, or 1,000 where the fit is of a version that
        did not store its sampler's state.
    extensions, seed, progress, resume
        As in `fit`.

    Raises
    ------
    InputError, FailedFitError
        As `fit` and `forecast`.
    """
    check_types(
        posterior=(posterior, (Posterior, *SOURCE)),
        chains=(chains, (*WHOLE, type(None))),
        warmup=(warmup, (*WHOLE, type(None))),
        draws=(draws, (*WHOLE, type(None))),
    )
    before, new, both, known = prepare(
        posterior,
        runs,
        where=where,
        corrections=corrections,
        mapping=mapping,
        columns=columns,
        seed=seed,
        allow_failed=allow_failed,
    )
    notes = [f"{known} runs are in the fit already"] if known else []
    start = WarmStart.of(before)
    if start is None:
        notes.append("the fit does not hold its sampler's state: warm-up begins at a mode")
    stored = before.info.get("settings", {})
    settings: dict[str, Any] = {
        "chains": chains or int(stored.get("chains", 4)),
        "warmup": warmup or (WARMUP if start is not None else 1000),
        "draws": draws or max(500, int(stored.get("draws", 1000)) // 2),
        "extensions": extensions,
    }
    check_settings(**settings, seed=seed)
    surprises = surprises_of(before, new, seed)
    after = fit(
        both,
        before.card,
        seed=seed,
        interval=float(before.info.get("interval", 0.9)),
        progress=progress,
        resume=resume,
        begin_at=before,
        **settings,
    )
    info = {**after.info, "where": before.info.get("where")}
    after = Posterior(after.tree, after.card, after.reference, info)
    return Update(after, moved(before, after), surprises, len(new), tuple(notes))


def prepare(
    posterior: Posterior | str | Path,
    runs: Runs | pd.DataFrame | str | Path,
    *,
    where: str | None,
    corrections: bool,
    mapping: MappingSource | None,
    columns: ColumnsSource | None,
    seed: int = 0,
    allow_failed: bool,
) -> tuple[Posterior, pd.DataFrame, Runs, int]:
    """Check everything and fit nothing; the arguments are those of `update`.

    Returns the fit, its new runs, all runs, and how many of the table it has already.

    Raises
    ------
    InputError, FailedFitError
        As `update`.
    """
    faults = seed_faults(seed)
    table = None
    with collected(faults):
        table = read_runs(runs, corrections=corrections, mapping=mapping, columns=columns)
        table = table if where is None else table.where(where)
    before = load_beside(faults, posterior, allow_failed)
    assert table is not None
    old = _fitted_runs(before)
    known = rows_in(table.frame, old)
    new = table.frame[~known]
    if new.empty:
        raise InputError(f"the fit has all {len(known)} runs of {table.source} already")
    both = _joined(before, old, new, table)
    check_card(before.card, both)
    return before, new, both, int(known.sum())


def _fitted_runs(posterior: Posterior) -> pd.DataFrame:
    """The runs of a fit, canonical columns.

    Raises
    ------
    InputError
        If it has none, or is more than one fit.
    """
    if posterior.card.members:
        raise InputError(f"{posterior.card.name} is a stack: update the fits that it is made of")
    if posterior.info.get("stages"):
        raise InputError("the fit was made in two stages: make it again, of all runs")
    if "runs" not in posterior.tree.children:
        raise no_runs(posterior, "an update fits them again")
    return as_table(posterior.tree["runs"].dataset, CANONICAL)


def _joined(posterior: Posterior, old: pd.DataFrame, new: pd.DataFrame, table: Runs) -> Runs:
    """All runs as one table: new rows are numbered from behind the earlier ones."""
    first = int(old.index.max()) + 1
    later = new.set_axis(range(first, first + len(new)), axis="index")
    parts = [part.dropna(axis="columns", how="all") for part in (old, later)]
    frame = pd.concat(parts)
    frame = frame[[name for name in CANONICAL if name in frame]].rename_axis(index="row")
    source = f"{posterior.info.get('source', 'runs')} + {table.source}"
    return Runs(frame, source, table.notes)


def moved(before: Posterior, after: Posterior) -> pd.DataFrame:
    """By how many of the earlier standard deviations each coefficient moved."""
    now = {c["name"]: c for c in after.info["coefficients"]}
    rows = []
    for each in before.info.get("coefficients", []):
        if each["name"] in now and each["sd"] > 0:
            mean = float(now[each["name"]]["mean"])
            apart = (mean - each["mean"]) / each["sd"]
            rows.append({"name": each["name"], "sd": apart, "before": each["mean"], "after": mean})
    rows.sort(key=lambda row: -abs(row["sd"]))
    return pd.DataFrame(rows, columns=["name", "sd", "before", "after"])


def surprises_of(posterior: Posterior, new: pd.DataFrame, seed: int) -> pd.DataFrame:
    """New runs (canonical columns) that a fit would hardly have forecast."""
    points = of_frame(new)
    generator = np.random.default_rng(seed)
    loss = points.loss_draws(posterior)
    forecast = posterior.new_run(
        loss,
        points.distilled,
        generator,
        params=points.params,
        effects_seed=seed,
        **points.groups,
    )
    measured = new["loss"].to_numpy(float)
    below = (forecast < measured).sum(axis=0)
    least = np.minimum(below, len(forecast) - below)
    p = np.minimum(2 * (least + 1) / (len(forecast) + 1), 1.0)
    adjusted = np.minimum(p * len(new), 1.0)
    lower, median, upper = np.quantile(forecast, [0.05, 0.5, 0.95], axis=0)
    table = pd.DataFrame(
        {
            "row": new.index.to_numpy(),
            "params": points.params,
            "tokens": points.tokens,
            "teacher_loss": points.teacher_loss,
            "loss": measured,
            "forecast_median": median,
            "forecast_lower": lower,
            "forecast_upper": upper,
            "p": adjusted,
        }
    )
    least_p = 2 * len(new) / (len(forecast) + 1)
    # many new runs and few draws: nothing could be as unlikely as that
    far = adjusted <= max(SURPRISING, least_p) if least_p < 1 else least == 0
    surprising: pd.DataFrame = table[far].sort_values("p", kind="stable").reset_index(drop=True)
    return surprising
