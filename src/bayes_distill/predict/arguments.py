"""Arguments that all questions have in common: points and a posterior, with their faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bayes_distill._input.intervals import interval_fault
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict.points import Points, Quantity, from_table, grid

if TYPE_CHECKING:
    from bayes_distill.laws import Law


def read_points(
    at: pd.DataFrame | str | Path | None,
    params: Quantity | None,
    tokens: Quantity | None,
    teacher_loss: Quantity | None,
    teacher_params: Quantity | None,
    teacher_tokens: Quantity | None,
    interval: float,
    unique_tokens: Quantity | None = None,
    inputs: Mapping[str, Quantity] | None = None,
    law: Law | None = None,
) -> Points:
    """Points of a call, with the faults of all its arguments in one error.

    `inputs` are those that the `law` declares.
    """
    faults: list[Fault] = []
    points = None
    single = (params, tokens, teacher_loss, teacher_params, teacher_tokens, unique_tokens)
    with collected(faults):
        points = grid(*single, inputs, law) if at is None else from_table(at, law)
    faults += interval_faults(interval) + double_faults(at, (*single, *(inputs or {}).values()))
    if faults or points is None:
        raise InputError(faults)
    return points


def interval_faults(interval: float) -> list[Fault]:
    """Faults of the probability inside an interval, as a list to which others are added."""
    fault = interval_fault(interval)
    return [] if fault is None else [fault]


def double_faults(
    at: pd.DataFrame | str | Path | None, single: Sequence[Quantity | None]
) -> list[Fault]:
    """Fault of points that are stated both as a table and as single values."""
    if at is None or all(value is None for value in single):
        return []
    return [Fault("give either a table or single values, not both", column="at")]


def load_beside(
    faults: list[Fault], source: Posterior | str | Path, allow_failed: bool
) -> Posterior:
    """Load a posterior; its faults are raised together with the other `faults` of a call.

    Raises
    ------
    InputError
        If there are faults, of either sort.
    FailedFitError
        If there are none and the fit failed its checks.
    """
    return loaded_beside(
        faults, lambda lenient: load_posterior(source, allow_failed=lenient), allow_failed
    )


def loaded_beside[Loaded](
    faults: list[Fault], load: Callable[[bool], Loaded], allow_failed: bool
) -> Loaded:
    """Like `load_beside`, of what `load` returns; it is told whether failed fits may be used."""
    try:
        # other faults of the call are raised before a failed fit is refused
        loaded = load(allow_failed or bool(faults))
    except InputError as error:
        raise InputError([*error.faults, *faults]) from None
    if faults:
        raise InputError(faults)
    return loaded


def loaded_early(source: Posterior | str | Path) -> Posterior | str | Path:
    """The posterior of a question, whose law says what a point has; the source where it is none.

    What is wrong with the source is said by `load_beside`, with the other faults of the call.
    """
    try:
        return load_posterior(source, allow_failed=True)
    except InputError:
        return source


def check_reads_sizes(posterior: Posterior, what: str) -> None:
    """Refuse `what` ("a plan") for a law that reads no params or no tokens."""
    lacks = [name for name in ("params", "tokens") if name not in posterior.law.needs]
    if lacks:
        raise _beyond_the_law(
            posterior,
            f"a law without {' and '.join(lacks)}, which {what} is about: ask for forecasts "
            "(`forecast(FIT, at=POINTS)`)",
            column="fit",
        )


def check_teachers(posterior: Posterior, points: Points) -> None:
    """Refuse teachers where the law has none."""
    if points.distilled.any() and not posterior.law.has_teacher:
        raise _beyond_the_law(
            posterior,
            "a supervised law and says nothing about teachers: leave the teacher out, or use a "
            "distillation fit",
            column="teacher_loss",
        )


def check_repeats(posterior: Posterior, points: Points) -> None:
    """Refuse repeated tokens where the law takes them for new ones."""
    if points.repeated.any() and not posterior.law.knows_repeats:
        raise _beyond_the_law(
            posterior,
            f"the law {posterior.law.name}, which takes repeated tokens for new ones: leave it "
            "out, or fit the card data-limited",
            column="unique_tokens",
        )


def _beyond_the_law(posterior: Posterior, problem: str, *, column: str) -> InputError:
    """What a posterior cannot answer because of the law that it is of."""
    return InputError(Fault(f"the {posterior.card.name} posterior is of {problem}", column=column))
