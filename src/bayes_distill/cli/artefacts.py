"""Copies of what a command wrote or answered, as artefacts of an MLflow run (``--log-to``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayes_distill.cli.output import json_text, say
from bayes_distill.errors import InputError

if TYPE_CHECKING:
    from bayes_distill.cli.shared_options import Answer
    from bayes_distill.runs.trackers.artefacts import TrackedRun


def log_answer(run: TrackedRun | None, result: Answer, name: str, *, quiet: bool) -> None:
    """Log the JSON of an answer, if there is a run to log it to."""
    if run is not None:
        place = run.log_text(json_text(result.to_json()), name)
        say(f"logged to the run {run.run_id} as {place}", quiet)


def log_file(run: TrackedRun | None, path: str | Path, name: str, *, quiet: bool) -> None:
    """Log a copy of a file that was written, if there is a run to log it to.

    Raises
    ------
    InputError
        If the store does not take it; the file stays.
    """
    if run is None:
        return
    try:
        place = run.log_file(path, name)
    except InputError as error:
        raise InputError(f"{path} was written, and could not be logged: {error}") from None
    say(f"logged to the run {run.run_id} as {place}", quiet)
