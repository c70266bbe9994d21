"""``bayes-distill report``: one HTML file about a fit that a team can pass around."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayes_distill.cli.options import AllowFailed, Collector, Fit, Interval, Json, Quiet, Seed
from bayes_distill.cli.output import print_json, progress_bar, say
from bayes_distill.errors import Fault, InputError


def report(
    fit: Fit,
    out: Annotated[
        str | None, typer.Option(help="Where the page goes.", metavar="FILE.html")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(help="Output of plan --json, to be shown too.", metavar="FILE")
    ] = None,
    allow_failed: AllowFailed = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Write one HTML file: verdict, coefficients, plots, and an explorer of the forecasts."""
    collect = Collector()
    probability, number = collect.probability("interval", interval), collect.integer("seed", seed)
    target = Path(out) if out else Path(f"{Path(fit).stem}.html")
    if target.suffix.lower() not in (".html", ".htm"):
        collect.add(Fault(f"{target} should end in .html", column="out"))
    from bayes_distill.reporting.write import examine
    from bayes_distill.reporting.write import report as call

    try:
        if collect.faults:  # only look for more of them
            examine(fit, target, plan=plan, interval=probability, seed=number, allow_failed=True)
            collect.check()
        with progress_bar(quiet) as progress:
            result = call(
                fit,
                target,
                plan=plan,
                interval=probability,
                seed=number,
                allow_failed=allow_failed,
                progress=progress,
            )
    except InputError as error:
        raise InputError(
            [*collect.faults, *(f for f in error.faults if f not in collect.faults)]
        ) from None
    for note in result.notes:
        say(f"note: {note}", quiet)
    if json:
        print_json(result.to_json())
    else:
        typer.echo(f"{result.path}: {result.size / 1e6:.1f} MB, {result.seconds:.0f} s")
