"""``bayes-distill plot``: plots of a fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer
from typer.core import TyperCommand

from bayes_distill.cli.options import (
    AllowFailed,
    At,
    Collector,
    Interval,
    Json,
    Quiet,
    Seed,
    TeacherLoss,
    TeacherParams,
    TeacherTokens,
)
from bayes_distill.cli.output import print_json, print_table, say
from bayes_distill.cli.spelling import as_typed, flag
from bayes_distill.errors import Fault, InputError

ARGUMENTS = {"kind": "KIND", "posterior": "FIT"}  # of the Python function, as the usage names them
CHOICE = "KIND is one of these, or the beginning of one:"


class PlotCommand(TyperCommand):
    """The command with a help that lists the plots, for which their files are read."""

    @property
    def help(self) -> str | None:
        """What the command does, and what each plot shows."""
        from bayes_distill.plots import PLOTS

        listed = [f"{entry.name}: {as_typed(entry.shows)}" for entry in PLOTS.values()]
        return "\n\n".join([f"{self._summary} {CHOICE}", *listed])

    @help.setter
    def help(self, summary: str | None) -> None:
        self._summary = summary


def plot(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="What to draw; see above.")
    ] = None,
    fit: Annotated[
        str | None,
        typer.Argument(
            metavar="FIT",
            help="File written by fit, or a card with a posterior; for coverage, reliability and "
            "ranks the results' JSON.",
        ),
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="File to write: .png, .svg or .pdf.", metavar="FILE")
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the kinds.")] = False,
    params: Annotated[
        str | None, typer.Option(help="Student parameters, or a range.", metavar="LIST")
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(help="Student tokens, or a range.", metavar="LIST")
    ] = None,
    teacher_loss: TeacherLoss = None,
    teacher_params: TeacherParams = None,
    teacher_tokens: TeacherTokens = None,
    at: At = None,
    budget: Annotated[
        str | None, typer.Option(help="Budgets in FLOPs, or a range.", metavar="LIST")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Who pays for the teacher, as in plan.", metavar="NAMES")
    ] = None,
    utility: Annotated[str | None, typer.Option(help="As in plan.", metavar="UTILITY")] = None,
    flops: Annotated[str | None, typer.Option(help="eq69 or 6nd.", metavar="COUNT")] = None,
    max_tokens: Annotated[
        str | None, typer.Option(help="Most student tokens.", metavar="TOKENS")
    ] = None,
    max_teacher_tokens: Annotated[
        str | None, typer.Option(help="Most teacher tokens.", metavar="TOKENS")
    ] = None,
    max_teacher_params: Annotated[
        str | None, typer.Option(help="Largest teacher.", metavar="PARAMS")
    ] = None,
    runs: Annotated[
        str | None, typer.Option(help="Runs to show: a table, or named data.", metavar="RUNS")
    ] = None,
    draws: Annotated[
        str | None, typer.Option(help="Most posterior draws to use.", metavar="INTEGER")
    ] = None,
    coefficient: Annotated[
        str | None, typer.Option(help="What the next run is to narrow.", metavar="NAMES")
    ] = None,
    unit: Annotated[
        str, typer.Option(help="Unit of the runs' losses, for the labels.", metavar="TEXT")
    ] = "nats per token",
    allow_failed: AllowFailed = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Draw a plot of a fit."""
    collect = Collector()
    number, probability = collect.integer("seed", seed), collect.probability("interval", interval)
    most = None if draws is None else collect.integer("draws", draws, 1)
    if show_list:
        collect.check()
        _list(json)
        return
    if out is None:
        collect.add(Fault("is needed: a file that ends in .png, .svg or .pdf", column="out"))
    import matplotlib as mpl

    mpl.use("Agg")
    from bayes_distill.plots.drawing import draw_plot

    options = {
        "params": params,
        "tokens": tokens,
        "teacher_loss": teacher_loss,
        "teacher_params": teacher_params,
        "teacher_tokens": teacher_tokens,
        "at": at,
        "budget": budget,
        "scenario": scenario,
        "utility": utility,
        "flops": flops,
        "max_tokens": max_tokens,
        "max_teacher_tokens": max_teacher_tokens,
        "max_teacher_params": max_teacher_params,
        "runs": runs,
        "draws": most,
        "coefficient": coefficient,
    }
    try:
        entry, drawing = draw_plot(
            kind,
            fit,
            options,
            out=out,
            interval=probability,
            seed=number,
            unit=unit,
            allow_failed=allow_failed,
            faults=tuple(collect.faults),
        )
    except InputError as error:
        raise InputError(
            replace(fault, column=ARGUMENTS.get(fault.column or "", fault.column))
            for fault in error.faults
        ) from None
    for note in drawing.notes:
        say(f"note: {note}", quiet)
    if json:
        print_json({"plot": str(out), "kind": entry.name, "notes": list(drawing.notes)})
    else:
        typer.echo(str(out))


def _list(json: bool) -> None:
    from bayes_distill.plots import PLOTS

    if json:
        print_json(
            {
                "kinds": [
                    {
                        "name": entry.name,
                        "shows": as_typed(entry.shows),
                        "takes": list(entry.takes),
                        "needs": [list(ways) for ways in entry.needs],
                    }
                    for entry in PLOTS.values()
                ]
            }
        )
        return
    print_table(
        "Kinds of plot",
        ["kind", "needs", "shows"],
        [
            [
                entry.name,
                ", ".join(" or ".join(map(flag, ways)) for ways in entry.needs) or "nothing",
                as_typed(entry.shows),
            ]
            for entry in PLOTS.values()
        ],
        left=3,
    )
