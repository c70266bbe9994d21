"""Groups of options that several commands take, and the decorator that spreads them out."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Protocol, get_type_hints

from bayes_distill.cli.options import (
    At,
    Collector,
    Count,
    Csv,
    Groups,
    Interval,
    Json,
    KeptDraws,
    LeastRuns,
    Markdown,
    Params,
    Quiet,
    RefitFolder,
    RefitWorkers,
    Scheduler,
    Seed,
    TeacherLoss,
    TeacherParams,
    TeacherTokens,
    Tokens,
)
from bayes_distill.cli.output import late_bar, print_json, say
from bayes_distill.cli.tables import Format, tables_as
from bayes_distill.errors import Fault, InputError


class Answer(Protocol):
    """What the Python function of a command returns."""

    @property
    def notes(self) -> Any:
        """Sentences for people."""

    def to_json(self) -> dict[str, Any]:
        """One JSON object."""


@dataclass(frozen=True)
class Common:
    """Options of every command."""

    json: Json = False
    md: Markdown = False
    csv: Csv = False
    seed: Seed = "0"
    interval: Interval = "0.9"
    quiet: Quiet = False

    def form(self) -> Format:
        """How tables are printed.

        Raises
        ------
        InputError
            If more than one form is asked for.
        """
        named = [n for n in ("json", "md", "csv") if getattr(self, n)]
        if len(named) > 1:
            raise InputError(Fault(f"goes without --{named[1]}: give one", column=named[0]))
        return "md" if self.md else "csv" if self.csv else "text"

    def check(self) -> None:
        """Check them where nothing depends on them.

        Raises
        ------
        InputError
            Naming those at fault.
        """
        collect = Collector()
        collect.integer("seed", self.seed)
        collect.probability("interval", self.interval)
        collect.check()

    def question(self) -> Question:
        """A collector that holds interval and seed, and their faults."""
        return Question(self)

    def say_notes(self, notes: Any) -> None:
        """Print notes on stderr unless they are unwanted."""
        for note in notes:
            say(f"note: {note}", self.quiet)

    def printed(self, result: Answer) -> bool:
        """Print notes of a result, verdicts on the fit and, with ``--json``, the JSON.

        Returns whether that was printed.
        """
        self.say_notes(result.notes)
        fit = getattr(result, "fit", None)
        if fit is not None and fit["sampling"] != "none":
            from bayes_distill.predict.verdicts import one_line

            say(one_line(fit), self.quiet)
        if self.json:
            print_json(result.to_json())
        return self.json


class Question(Collector):
    """Gathers the faults of a question to a fit.

    Attributes
    ----------
    interval
        Probability inside every interval.
    seed
        Seed of everything random.
    quiet
        Whether nothing is said besides the answer.
    """

    def __init__(self, common: Common) -> None:
        super().__init__()
        self.interval = self.probability("interval", common.interval)
        self.seed = self.integer("seed", common.seed)
        self.quiet = common.quiet

    def lenient(self, allow_failed: bool) -> bool:
        """Whether the call takes a failed fit: also where there are faults, raised before that."""
        return allow_failed or bool(self.faults)

    def arguments(self, allow_failed: bool) -> dict[str, Any]:
        """Interval, seed and leave to use a failed fit, as arguments of the Python functions."""
        return {
            "interval": self.interval,
            "seed": self.seed,
            "allow_failed": self.lenient(allow_failed),
        }

    def answer[R](
        self, call: Callable[..., R], fit: Any, *, allow_failed: bool, **arguments: Any
    ) -> R:
        """What a Python function says of a fit, under a bar; its faults join those of the options.

        `arguments` are those besides interval, seed and leave to use a failed fit.
        """
        with self.joined(), late_bar(self.quiet) as progress:
            return call(fit, **arguments, **self.arguments(allow_failed), progress=progress)


@dataclass(frozen=True)
class Group:
    """Options that go to a Python function as they are."""

    def arguments(self) -> dict[str, Any]:
        """Arguments of the Python function, by name."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Students(Group):
    """Options that give students and their teachers."""

    params: Params = None
    tokens: Tokens = None
    teacher_loss: TeacherLoss = None
    teacher_params: TeacherParams = None
    teacher_tokens: TeacherTokens = None


@dataclass(frozen=True)
class Points(Students):
    """Options that give students, or a table of them."""

    at: At = None


@dataclass(frozen=True)
class LeftOut:
    """Options that give the groups of runs to be left out."""

    min_runs: LeastRuns = "8"
    groups: Groups = None

    def names(self) -> list[str] | None:
        """Groups by name, or ``None`` for all."""
        return None if self.groups is None else self.groups.split(",")


@dataclass(frozen=True)
class Sampling:
    """Options of each fit of commands that fit many times."""

    chains: Count = "4"
    warmup: Count = "1000"
    draws: KeptDraws = "1000"

    def settings(self, collect: Collector, common: Common) -> dict[str, Any]:
        """Settings of each fit, with their faults added to `collect`."""
        return collect.whole(
            chains=self.chains, warmup=self.warmup, draws=self.draws, seed=common.seed
        )


@dataclass(frozen=True)
class Spread:
    """Options that spread work over processes and over calls."""

    workers: RefitWorkers = None
    scheduler: Scheduler = None
    resume: RefitFolder = None


@dataclass(frozen=True)
class Refits(Spread, Sampling):
    """Options of commands that refit cards."""


def spread_options[R](command: Callable[..., R]) -> Callable[..., R]:
    """Let each parameter that is annotated with a dataclass stand for the options in its fields.

    The signature that Typer reads has these fields in place of the parameter; the call makes the
    dataclass of them.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    spread: list[Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        if dataclasses.is_dataclass(hint):
            groups[parameter.name] = hint
            spread += _fields(hint)
        else:
            kind = Parameter.KEYWORD_ONLY
            spread.append(parameter.replace(annotation=hint, kind=kind))

    @functools.wraps(command)
    def called(**options: Any) -> R:
        made = {
            name: group(**{f.name: options.pop(f.name) for f in dataclasses.fields(group)})
            for name, group in groups.items()
        }
        forms = [group.form() for group in made.values() if isinstance(group, Common)]
        with tables_as(forms[0] if forms else "text"):
            return command(**options, **made)

    signature = inspect.Signature(spread, return_annotation=hints["return"])
    called.__signature__ = signature  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in spread} | {"return": hints["return"]}
    return called


def _fields(group: Any) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
        for f in dataclasses.fields(group)
    ]
