"""``bayes-distill plot``: pictures of a fit."""

from __future__ import annotations

from typing import Annotated

import typer

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
from bayes_distill.errors import Fault
from bayes_distill.pictures.kinds import KINDS

HELP = "\n\n".join(
    [
        "Draw a picture of a fit. KIND is one of these, or the beginning of one:",
        *(f"{kind.name}: {kind.shows}" for kind in KINDS.values()),
    ]
)


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
    """Draw a picture of a fit."""
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
    from bayes_distill.pictures.drawing import draw

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
    drawn = draw(
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
    for note in drawn.notes:
        say(f"note: {note}", quiet)
    if json:
        print_json({"plot": str(out), "kind": drawn.kind, "notes": list(drawn.notes)})
    else:
        typer.echo(str(out))


plot.__doc__ = HELP  # with the kinds


def _list(json: bool) -> None:
    if json:
        print_json(
            {
                "kinds": [
                    {
                        "name": kind.name,
                        "shows": kind.shows,
                        "takes": list(kind.takes),
                        "needs": [list(ways) for ways in kind.needs],
                    }
                    for kind in KINDS.values()
                ]
            }
        )
        return
    print_table(
        "Kinds of plot",
        ["kind", "needs", "shows"],
        [
            [
                kind.name,
                ", ".join(
                    " or ".join(f"--{name.replace('_', '-')}" for name in ways)
                    for ways in kind.needs
                )
                or "nothing",
                kind.shows,
            ]
            for kind in KINDS.values()
        ],
        left=3,
    )
