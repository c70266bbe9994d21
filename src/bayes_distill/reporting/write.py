"""From a posterior to one HTML file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from bayes_distill._input.files import atomic_path, text_of, unwritable
from bayes_distill._input.intervals import interval_fault
from bayes_distill._input.outputs import PAGE
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.planning.plan import Plan
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import check_reads_sizes, load_beside
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.verdicts import UNKNOWN, fit_verdicts, law_notes
from bayes_distill.reporting.accuracy import Accuracy, recipe_accuracy, student_accuracy
from bayes_distill.reporting.decision import decision_of
from bayes_distill.reporting.page import page_of, vega_bundle
from bayes_distill.reporting.plots_as_svg import figures_of
from bayes_distill.reporting.ranges import ranges_of
from bayes_distill.reporting.recipe_tables import recipe_tables
from bayes_distill.reporting.student_tables import student_tables
from bayes_distill.reporting.tables import Table
from bayes_distill.reporting.validation_words import validation_of
from bayes_distill.validation.read import read_validation
from bayes_distill.validation.result import Validation

STUDENT_DRAWS, PLAN_DRAWS = 1000, 128
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False, repr=False)
class Report(Result):
    """A report that was written.

    Parameters
    ----------
    path
        The HTML file.
    size
        Its bytes.
    seconds
        How long it took.
    accuracy
        Measured errors of the explorer's numbers, by kind.
    notes
        Sentences for people.
    fit
        Verdicts on the fit, ``sampling`` and ``law``.
    """

    path: Path
    size: int
    seconds: float
    accuracy: dict[str, Accuracy]
    notes: tuple[str, ...]
    fit: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)

    def shown_tables(self) -> dict[str, pd.DataFrame]:
        """Heading -> table, for a notebook."""
        return {f"{self.path}": pd.DataFrame([asdict(a) for a in self.accuracy.values()])}

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "report": str(self.path),
            "bytes": self.size,
            "seconds": self.seconds,
            "accuracy": {
                key: {
                    "name": a.name,
                    "unit": a.unit,
                    "usual": a.usual,
                    "largest": a.largest,
                    "points": a.points,
                }
                for key, a in self.accuracy.items()
            },
            "notes": list(self.notes),
            "fit": dict(self.fit),
        }


def report(
    posterior: Posterior | str | Path,
    out: str | Path,
    *,
    plan: Plan | str | Path | None = None,
    validation: Validation | str | Path | None = None,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Report:
    """Write one self-contained HTML file: what the fit says, and an explorer of its forecasts.

    Parameters
    ----------
    posterior, interval
        As in `forecast`.
    out
        Where the page goes; it needs no network and no server.
    plan
        A `Plan`, or a file with what `Plan.to_json` gave, to be shown with it.
    validation
        A `Validation`, or its file, to be shown with it: ``leave_out="compute"`` says how far
        forecasts can be relied on.
    seed
        Seed of the scatter of new runs and of the points at which the explorer is checked.
    allow_failed
        Whether a posterior whose fit failed its checks may be used; the page says so.
    progress
        Called with a phase, steps done and steps in all.
    overwrite
        Whether `out` may replace an input, or a file that is no report.

    Raises
    ------
    InputError
        Naming every argument at fault.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    """
    start = perf_counter()
    inputs = (posterior, plan, validation)
    posterior, planned, validation = examine(
        posterior,
        out,
        plan=plan,
        validation=validation,
        interval=interval,
        seed=seed,
        allow_failed=allow_failed,
        overwrite=overwrite,
    )
    ranges = ranges_of(posterior, planned)
    say = progress or (lambda *_: None)
    say("tables", 0, 3)
    many = posterior.thin(STUDENT_DRAWS)

    def recipes_and_accuracy() -> tuple[dict[str, Table], dict[str, Accuracy]]:
        found = recipe_tables(posterior, many, ranges, interval, seed, PLAN_DRAWS)
        return found, recipe_accuracy(posterior, found, ranges, interval, seed)

    # jobs that leave Python alone much of the time: two cores are not idle
    with ThreadPoolExecutor(2) as pool:
        recipes_at_work, bundled = pool.submit(recipes_and_accuracy), pool.submit(vega_bundle)
        students = student_tables(many, ranges, interval, seed)
        accuracy = student_accuracy(posterior, students, ranges, interval, seed)
        drawn = figures_of(posterior, interval, seed)
        decision, figures = decision_of(posterior, planned, ranges, drawn, interval, seed)
        validated = validation_of(posterior, validation)
        say("recipes", 1, 3)
        recipes, of_recipes = recipes_at_work.result()
        vega = bundled.result()
    say("page", 2, 3)
    text = page_of(
        posterior,
        ranges,
        students,
        recipes,
        accuracy | of_recipes,
        decision,
        figures,
        validated,
        planned,
        interval,
        vega,
        (many.n_draws, min(PLAN_DRAWS, posterior.n_draws)),
    )
    with atomic_path(out, PAGE, inputs=inputs, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    say("page", 3, 3)
    size = len(text.encode("utf-8"))
    return Report(
        Path(out),
        size,
        perf_counter() - start,
        accuracy | of_recipes,
        (*posterior.warnings, *law_notes(posterior)),
        fit_verdicts(posterior),
    )


def examine(
    posterior: Posterior | str | Path,
    out: str | Path,
    *,
    plan: Plan | str | Path | None,
    validation: Validation | str | Path | None = None,
    interval: float,
    seed: int,
    allow_failed: bool,
    overwrite: bool = False,
) -> tuple[Posterior, dict[str, Any] | None, Validation | None]:
    """Read the arguments of `report`: the posterior, the plan as plain data, and the validation.

    Raises
    ------
    InputError, FailedFitError
        As `report`.
    """
    faults = [f for f in [interval_fault(interval)] if f is not None]
    if seed < 0:
        faults.append(Fault(f"{seed} is less than 0", column="seed"))
    problem = unwritable(out, PAGE, inputs=(posterior, plan, validation), overwrite=overwrite)
    if problem is not None:
        faults.append(Fault(problem, column="out"))
    planned: dict[str, Any] | None = None
    with collected(faults):
        planned = plan.to_json() if isinstance(plan, Plan) else _read_plan(plan)
    validated: Validation | None = None
    with collected(faults):
        validated = (
            read_validation(validation) if isinstance(validation, (str, Path)) else validation
        )
    loaded = load_beside(faults, posterior, allow_failed)
    check_reads_sizes(loaded, "a report")
    return loaded, planned, validated


def _read_plan(source: str | Path | None) -> dict[str, Any] | None:
    """A plan as plain data, from a file of JSON.

    Raises
    ------
    InputError
        If the file is missing or holds something else.
    """
    if source is None:
        return None
    path = Path(source)
    try:
        text = text_of(path)
    except FileNotFoundError:
        raise InputError(Fault(f"{path} does not exist", column="plan")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(Fault(f"{path} cannot be read: {reason}", column="plan")) from None
    try:
        found = json.loads(text)
        complete = all(
            {"scenario", "budget", "recipe", "optimum", "loss", "regret"} <= set(row)
            for row in found["rows"]
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        complete = False
    if not complete:
        raise InputError(Fault(f"{path} is not the output of `plan(FIT).to_json()`", column="plan"))
    return dict(found)
