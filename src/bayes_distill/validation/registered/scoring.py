"""How registered forecasts did, once the runs came."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_distill._input.intervals import interval_fault
from bayes_distill._input.types import NUMBER, SOURCE, check_types
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.runs import Runs
from bayes_distill.runs.reading import read_with_others
from bayes_distill.validation.held import held
from bayes_distill.validation.registered.arm_labels import arm_labels
from bayes_distill.validation.registered.entries import read_forecasts
from bayes_distill.validation.registered.events import MEANINGS, NEEDED, happened
from bayes_distill.validation.registered.from_quantiles import crps, ends, interval_score, pit
from bayes_distill.validation.registered.joining import joined
from bayes_distill.validation.registered.later_runs import LaterRuns
from bayes_distill.validation.registered.result import NO_EVENTS, Scores
from bayes_distill.validation.rows import percent, within

if TYPE_CHECKING:
    from bayes_distill.runs.reading import ColumnsSource, MappingSource

LEVELS = (0.5, 0.8, 0.9, 0.95)
TOLERANCE = 0.02
MOST_TOLERANCE = 0.5
FEW = 3  # runs below which a kind of question gets no verdict


def score(
    forecasts: str | Path,
    runs: Runs | pd.DataFrame | str | Path,
    *,
    where: str | None = None,
    corrections: bool = True,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    by: str | None = None,
    tolerance: float = TOLERANCE,
    interval: float = 0.9,
) -> Scores:
    """Score the forecasts of a register by the runs that were done since.

    Parameters
    ----------
    forecasts
        A register that `forecast`, `risk`, `plan` or `arms` wrote. It must be intact, see `verify`.
    runs, where, corrections, mapping, columns
        A table of runs, as in `fit`; those that the fit of a forecast had are left out.
    by
        Name of the column that names the arm of a run, for forecasts of `arms`; by default that of
        the table which `arms` was asked of.
    tolerance
        Largest difference of the logarithms of sizes and tokens at which a run is of a forecast.
        Losses of teachers may differ by a quarter of it.
    interval
        Probability inside the interval of the interval score and of the verdicts.

    Raises
    ------
    InputError
        If a file is at fault, or no run is of any forecast.
    """
    check_types(
        forecasts=(forecasts, SOURCE),
        by=(by, (str, type(None))),
        tolerance=(tolerance, NUMBER),
        interval=(interval, NUMBER),
    )
    fault = interval_fault(interval)
    faults = [] if fault is None else [fault]
    if not 0 < tolerance <= MOST_TOLERANCE:
        problem = f"{tolerance:g} is not between 0 and {MOST_TOLERANCE:g}"
        faults.append(Fault(problem, column="tolerance"))
    table = None
    other = register = None
    with collected(faults):
        register = read_forecasts(forecasts)
    with collected(faults):
        table, other = read_with_others(
            runs, corrections=corrections, mapping=mapping, columns=columns
        )
        table = table if where is None else table.where(where)
    if faults or table is None or other is None or register is None:
        raise InputError(faults)
    register = register.named_by(by)
    labels, without = arm_labels(table.frame, other, register, given=by is not None)
    later = LaterRuns.of(table.frame, tolerance, labels)
    pairs = joined(register.forecasts, later)
    if not len(pairs):
        none = (
            f"none of the {len(table)} runs is of one of the {len(register.forecasts)} forecasts "
            f"of {forecasts}, to {tolerance:g} in log sizes, or their fits had it: see `tolerance`"
        )
        raise InputError([none, *without])
    waiting = len(register.forecasts) - pairs["forecast"].nunique()
    events = happened(register.events, later)
    notes = (*table.notes, *register.notes, *without)
    notes += (*_waiting_notes(waiting), *_event_notes(register.events, events))
    return scores_of(pairs, interval, waiting, notes, events)


def scores_of(
    pairs: pd.DataFrame,
    interval: float,
    waiting: int = 0,
    notes: tuple[str, ...] = (),
    events: pd.DataFrame | None = None,
) -> Scores:
    """Scores of pairs of a forecast and a run, which are as from `joining.joined`.

    `events` are probabilities that came true or not, as from `events.happened`.
    """
    levels = tuple(sorted({*LEVELS, interval}))
    scored = pd.DataFrame([_scored(pair, levels, interval) for pair in pairs.to_dict("records")])
    kinds = _kinds(scored, levels, interval)
    probabilities = NO_EVENTS if events is None else events
    return Scores(scored, kinds, levels, interval, waiting, notes, probabilities)


def _scored(pair: dict[Any, Any], levels: tuple[float, ...], interval: float) -> dict[str, Any]:
    """One pair of a forecast and a run with its scores."""
    probabilities, quantiles = pair.pop("probabilities"), pair.pop("quantiles")
    row: dict[str, Any] = {k: v for k, v in pair.items() if k not in ("known_runs", "by")}
    for level in levels:
        lower, upper = ends(probabilities, quantiles, level)
        row |= {f"new_run_lower_{percent(level)}": lower, f"new_run_upper_{percent(level)}": upper}
    name = percent(interval)
    bounds = row[f"new_run_lower_{name}"], row[f"new_run_upper_{name}"]
    row["median"] = ends(probabilities, quantiles, 0.0)[0]
    row["interval_score"] = interval_score(*bounds, row["loss"], interval)
    row["crps"] = crps(probabilities, quantiles, row["loss"])
    row["pit"] = pit(probabilities, quantiles, row["loss"])
    return row


def _kinds(scored: pd.DataFrame, levels: tuple[float, ...], interval: float) -> pd.DataFrame:
    """Scores of all rows, and of each kind of question: the command, teacher, place, and model."""
    teacher = scored["teacher_loss"].notna() | scored["teacher_params"].notna()
    outside = scored["outside"].map({True: "outside the runs", False: "inside the runs"})
    splits = {
        "command": scored["kind"],
        "teacher": teacher.map({True: "distilled", False: "supervised"}),
        "place": outside.fillna("place not known"),
        "model": scored["model"],
    }
    found = [_summary("all", "all", scored, levels, interval)]
    for question, labels in splits.items():
        for label in sorted(labels.unique()):
            mine = scored[(labels == label).to_numpy()]
            found.append(_summary(question, str(label), mine, levels, interval))
    return pd.DataFrame(found)


def _summary(
    question: str, kind: str, rows: pd.DataFrame, levels: tuple[float, ...], interval: float
) -> dict[str, Any]:
    # forecasts of one run are right or wrong together
    judged = held(within(rows, interval), rows["row"].astype(str).to_numpy(), interval)
    runs = rows["row"].nunique()
    return {
        "question": question,
        "kind": kind,
        "scored": len(rows),
        "runs": runs,
        **{f"coverage_{percent(v)}": float(within(rows, v).mean()) for v in levels},
        "interval_score": float(rows["interval_score"].mean()),
        "crps": float(rows["crps"].mean()),
        "error": float((rows["mean"] - rows["loss"]).mean()),
        "effective_runs": judged.effective,
        "verdict": judged.verdict if runs >= FEW else "too few runs",
    }


def _waiting_notes(waiting: int) -> tuple[str, ...]:
    return (f"{waiting} forecasts wait for a run",) if waiting else ()


def _event_notes(asked: pd.DataFrame, scored: pd.DataFrame) -> tuple[str, ...]:
    """What runs would have to come, for probabilities that cannot be scored by those that did."""
    notes = []
    for event, needed in NEEDED.items():
        left = int((asked["event"] == event).sum() - (scored["event"] == event).sum())
        if left:
            notes.append(
                f"{left} {'probability' if left == 1 else 'probabilities'} that "
                f"{MEANINGS[event]} cannot be scored: it takes {needed}, not all known to the fit"
            )
    return tuple(notes)
