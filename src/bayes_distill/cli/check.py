"""``bayes-distill check``: every fault and oddity of a table, without fitting."""

from __future__ import annotations

from typing import Annotated

import typer

from bayes_distill.cli.options import Interval, Json, Quiet, Seed, check_common
from bayes_distill.cli.output import error_line, print_json


def check(
    runs: Annotated[str, typer.Argument(metavar="RUNS", help="A table of runs, or named data.")],
    no_corrections: Annotated[
        bool, typer.Option("--no-corrections", help="Take named data as extracted.")
    ] = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> int:
    """Name every fault and oddity of a table of runs, without fitting."""
    check_common(seed, interval)
    from bayes_distill.runs import check_runs

    report = check_runs(runs, corrections=not no_corrections)
    if json:
        print_json(report.to_json())
    elif not quiet:
        kind = f"{report.kind} runs" if report.kind else "runs"
        verdict = f"{len(report.faults)} faults" if report.faults else "no faults"
        typer.echo(f"{runs}: {report.rows} {kind}, {verdict}")
        if report.faults or report.notes:
            typer.echo("  (rows count from 0, the first below the header)")
        for fault in report.faults:
            typer.echo(f"  fault: {fault}")
        for note in report.notes:
            typer.echo(f"  note: {note}")
    if report.faults:
        error_line(report.faults)
        return 2
    return 0
