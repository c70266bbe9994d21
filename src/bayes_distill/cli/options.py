"""Options that several commands share, and their validation with every fault at once."""

from __future__ import annotations

from typing import Annotated

import typer

from bayes_distill.errors import Fault, InputError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Seed = Annotated[str, typer.Option(help="Seed of everything random.", metavar="INTEGER")]
Interval = Annotated[
    str, typer.Option(help="Probability inside every interval.", metavar="PROBABILITY")
]
AllowFailed = Annotated[
    bool, typer.Option("--allow-failed", help="Use a fit that failed its checks.")
]
Fit = Annotated[
    str, typer.Argument(metavar="FIT", help="File written by fit, or a card with a posterior.")
]
Params = Annotated[
    str | None, typer.Option(help="Student parameters, e.g. 1B or 1B,3B.", metavar="LIST")
]
Tokens = Annotated[str | None, typer.Option(help="Student tokens, e.g. 100B.", metavar="LIST")]
TeacherLoss = Annotated[str | None, typer.Option(help="Teacher's validation loss.", metavar="LIST")]
TeacherParams = Annotated[
    str | None, typer.Option(help="Teacher's parameters, instead of its loss.", metavar="LIST")
]
TeacherTokens = Annotated[
    str | None, typer.Option(help="Teacher's training tokens.", metavar="LIST")
]
UniqueTokens = Annotated[
    str | None,
    typer.Option(help="How many different tokens there are; beyond, they repeat.", metavar="LIST"),
]
MostDraws = Annotated[
    str, typer.Option("--draws", help="Most posterior draws to use.", metavar="INTEGER")
]
MappingFile = Annotated[
    str | None,
    typer.Option("--mapping", help="What a tracker calls the columns.", metavar="FILE.toml"),
]
At = Annotated[str | None, typer.Option("--at", help="A table of points instead.", metavar="FILE")]


def check_common(seed: str, interval: str) -> None:
    """Check the options that every command takes, where nothing depends on them.

    Raises
    ------
    InputError
        Naming those at fault.
    """
    collect = Collector()
    collect.integer("seed", seed)
    collect.probability("interval", interval)
    collect.check()


class Collector:
    """Gathers faults of options, so that one error names them all."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def integer(self, name: str, text: str, least: int = 0) -> int:
        """Read a whole number of at least `least`."""
        try:
            value = int(text)
        except ValueError:
            self.faults.append(Fault(f"{text!r} is not a whole number", column=name))
            return least
        if value < least:
            self.faults.append(Fault(f"{value} is less than {least}", column=name))
        return value

    def probability(self, name: str, text: str) -> float:
        """Read a number between 0 and 1."""
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

    def join(self, error: InputError) -> InputError:
        """Put the faults of a call behind those gathered here."""
        return InputError([*self.faults, *error.faults])

    def check(self) -> None:
        """Raise what was gathered, if anything was."""
        if self.faults:
            raise InputError(self.faults)
