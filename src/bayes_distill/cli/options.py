"""Options that several commands share, and their validation with every fault at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill._input.text import shown
from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    from bayes_distill._input.outputs import Kind
    from bayes_distill.runs.trackers.artefacts import TrackedRun


def option(text: str | None, metavar: str, panel: str | None = None) -> Any:
    """An option whose flag has the name of its parameter."""
    return typer.Option(help=text, metavar=metavar, rich_help_panel=panel)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Markdown = Annotated[bool, typer.Option("--md", help="Print tables as Markdown.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print tables as CSV, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Seed = Annotated[str, option("Seed of everything random.", "INTEGER")]
Interval = Annotated[str, option("Probability inside every interval.", "PROBABILITY")]
AllowFailed = Annotated[
    bool, typer.Option("--allow-failed", help="Use a fit that failed its checks.")
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace an input, or a file of another kind, by the output."),
]
Fit = Annotated[
    str, typer.Argument(metavar="FIT", help="File written by fit, or a card with a posterior.")
]
Runs = Annotated[str, typer.Argument(metavar="RUNS", help="A table of runs, or named data.")]
Card = Annotated[str, typer.Argument(metavar="CARD", help="Model card: a name or TOML file.")]
Model = Annotated[str | None, option("Model card: a name or a TOML file.", "CARD")]
NoCorrections = Annotated[
    bool, typer.Option("--no-corrections", help="Take named data as extracted.")
]
MappingFile = Annotated[
    str | None,
    typer.Option("--mapping", help="What a tracker calls the columns.", metavar="FILE.toml"),
]
Columns = Annotated[
    str | None,
    option("Columns of a mapping inline, e.g. params=config.n*1e6.", "NAME=SOURCE,..."),
]
DESIGN = "Table of params, tokens and teacher_loss; 'paper' and 'chinchilla' are built in."
Design = Annotated[str | None, option(DESIGN, "FILE")]
Params = Annotated[str | None, option("Student parameters, e.g. 1B or 1B,3B.", "LIST")]
Tokens = Annotated[str | None, option("Student tokens, e.g. 100B.", "LIST")]
TeacherLoss = Annotated[str | None, option("Teacher's validation loss.", "LIST")]
TeacherParams = Annotated[str | None, option("Teacher's parameters, instead of its loss.", "LIST")]
TeacherTokens = Annotated[str | None, option("Teacher's training tokens.", "LIST")]
UniqueTokens = Annotated[
    str | None, option("How many different tokens there are; beyond, they repeat.", "LIST")
]
Inputs = Annotated[
    list[str] | None,
    option("A column that the law reads, as NAME=LIST; once for each.", "NAME=LIST"),
]
At = Annotated[str | None, option("A table of points instead.", "FILE")]
Coefficient = Annotated[str | None, option("What the next run is to narrow.", "NAMES")]
DEVICE = "Hours and money"
AcceleratorName = Annotated[
    str | None, option("Accelerator, e.g. a100, h100 or tpu-v5p.", "NAME", DEVICE)
]
Utilisation = Annotated[
    str | None, option("Share of its peak that training reaches: 0.4.", "0..1", DEVICE)
]
RegisterFile = Annotated[
    str | None, option("A register that the answer is appended to, for score.", "FILE.jsonl")
]
LogTo = Annotated[
    str | None,
    option("An MLflow run that gets a copy: mlflow:RUN_ID or mlflow:STORE#RUN_ID.", "RUN"),
]
MostDraws = Annotated[str, option("Most posterior draws to use.", "INTEGER")]
OptionalDraws = Annotated[str | None, option("Most posterior draws to use.", "INTEGER")]
Count = Annotated[str, option(None, "INTEGER")]
KeptDraws = Annotated[str, option("Kept, per chain.", "INTEGER")]
LeastRuns = Annotated[str, option("Least runs of a group that is left out.", "INTEGER")]
Groups = Annotated[str | None, option("Sizes or labels to leave out, e.g. 143M,1.82B.", "LIST")]
RefitWorkers = Annotated[str | None, option("Refits at a time, each a process.", "INTEGER")]
Scheduler = Annotated[str | None, option("A Dask cluster, e.g. tcp://host:8786.", "ADDRESS")]
RefitFolder = Annotated[
    str | None, option("Keeps finished refits; a second call goes on.", "FOLDER")
]


MOST = 2**62
"""Largest whole number of an option, as `_input.intervals.LARGEST_SEED`."""


class Collector:
    """Gathers faults of options, so that one error names them all."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.read: set[str] = set()
        """Options that were read as numbers here."""

    def integer(self, name: str, text: str, least: int = 0, most: int = MOST) -> int:
        """Read a whole number of at least `least` and at most `most`."""
        self.read.add(name)
        try:
            value = int(text)
        except ValueError:
            self.faults.append(Fault(f"'{shown(text)}' is not a whole number", column=name))
            return least
        if value < least:
            self.faults.append(Fault(f"{value} is less than {least}", column=name))
        elif value > most:
            self.faults.append(Fault(f"{value} is more than {most}", column=name))
            return least
        return value

    def number(self, name: str, text: str) -> float:
        """Read any number."""
        self.read.add(name)
        try:
            return float(text)
        except ValueError:
            self.add(Fault(f"{text!r} is not a number", column=name))
            return 0.0

    def probability(self, name: str, text: str) -> float:
        """Read a number between 0 and 1."""
        self.read.add(name)
        try:
            value = float(text)
        except ValueError:
            self.faults.append(Fault(f"{text!r} is not a number", column=name))
            return 0.5
        if not 0 < value < 1:
            self.faults.append(Fault(f"{text} is not between 0 and 1 (0.9 means 90%)", column=name))
            return 0.5
        return value

    def positive(self, name: str, text: str) -> float:
        """Read a positive number, with a suffix if need be."""
        from bayes_distill._input.numbers import parse_quantity

        self.read.add(name)
        try:
            value = parse_quantity(text)
        except ValueError as error:
            self.faults.append(Fault(str(error), column=name))
            return 1.0
        if not 0 < value < float("inf"):
            self.faults.append(Fault(f"{text} is not positive", column=name))
            return 1.0
        return value

    def add(self, fault: Fault | None) -> None:
        """Add a fault that was found elsewhere, if there is one."""
        if fault is not None:
            self.faults.append(fault)

    def assignments(self, name: str, texts: list[str] | None) -> dict[str, str] | None:
        """Read ``NAME=LIST``, once for each name; ``None`` if there are none."""
        found: dict[str, str] = {}
        for text in texts or ():
            key, sign, value = text.partition("=")
            if not sign or not key.strip() or not value.strip():
                self.add(Fault(f"'{shown(text)}' is not NAME=LIST", column=name))
            elif key.strip() in found:
                self.add(Fault(f"{key.strip()} is stated twice", column=name))
            found[key.strip()] = value
        return found or None

    def whole(self, **texts: str | None) -> dict[str, int | None]:
        """Read whole numbers, by name; ``None`` for those that were left out."""
        return {
            name: None if text is None else self.integer(name, text) for name, text in texts.items()
        }

    def place(
        self,
        name: str,
        place: str | Path | None,
        kind: Kind,
        *,
        inputs: Iterable[object] = (),
        overwrite: bool = False,
        endings: Collection[str] = (),
    ) -> None:
        """Add a fault if a file cannot or must not be written there, or ends in no `endings`.

        `kind`, `inputs` and `overwrite` are those of `outputs.output_problem`.
        """
        if place is None:
            return
        from bayes_distill._input.files import unwritable

        problem = unwritable(place, kind, inputs=inputs, overwrite=overwrite)
        if endings and Path(place).suffix not in endings:
            *others, last = endings
            before = f"{', '.join(others)} or " if others else ""
            problem = f"{place} must end in {before}{last}"
        self.add(Fault(problem, column=name) if problem else None)

    def tracked(self, address: str | None) -> TrackedRun | None:
        """The run of ``--log-to``, which is looked up; its faults are added."""
        if address is None:
            return None
        from bayes_distill.runs.trackers.artefacts import TrackedRun

        try:
            return TrackedRun.of(address)
        except InputError as error:
            self.faults += [replace(fault, column="log_to") for fault in error.faults]
            return None

    def needed(self, **values: str | None) -> None:
        """Add a fault for each value that was left out."""
        for name, value in values.items():
            self.add(Fault("is needed", column=name) if value is None else None)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Run a call, and raise its faults behind those gathered here.

        Raises
        ------
        InputError
            With all of them, if there are any.
        """
        try:
            yield
        except InputError as error:
            raise InputError([*self.faults, *self.new(error.faults)]) from None
        self.check()

    def new(self, faults: Iterable[Fault]) -> list[Fault]:
        """Faults that a call found, less those of numbers that were at fault before it.

        The call got another number, or finds the same.
        """
        told = {fault.column for fault in self.faults if fault.row is None} & self.read
        return [
            fault
            for fault in faults
            if fault not in self.faults and (fault.row is not None or fault.column not in told)
        ]

    def check(self) -> None:
        """Raise what was gathered, if anything was."""
        if self.faults:
            raise InputError(self.faults)
