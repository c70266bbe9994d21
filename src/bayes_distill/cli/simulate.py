"""``bayes-distill simulate``: a sweep of runs whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayes_distill.cli.options import Collector, Interval, Json, Quiet, Seed
from bayes_distill.cli.output import print_json, say
from bayes_distill.errors import Fault, InputError


def simulate(
    card: Annotated[str, typer.Argument(metavar="CARD", help="Model card: a name or TOML file.")],
    design: Annotated[
        str | None,
        typer.Option(
            help="Table of params, tokens and teacher_loss; 'paper' and 'chinchilla' are built in.",
            metavar="FILE",
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Where the runs go.", metavar="RUNS.csv")] = None,
    coefficients: Annotated[
        str | None,
        typer.Option(
            help="Published coefficients: a JSON file, or 'table6'. Default: those of the card, "
            "or one draw from its prior.",
            metavar="FILE",
        ),
    ] = None,
    noise: Annotated[
        str, typer.Option(help="Residual scale, in the card's sense.", metavar="NUMBER")
    ] = "0.005",
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Simulate runs from a card's law: the truth is known, so a fit can be judged."""
    collect = Collector()
    collect.probability("interval", interval)
    number, scale = collect.integer("seed", seed), collect.positive("noise", noise)
    for name, value in (("design", design), ("out", out)):
        collect.add(Fault("is needed", column=name) if value is None else None)
    from bayes_distill._input.files import unwritable

    if out is not None:
        suffix = Path(out).suffix
        problem = unwritable(out)
        if suffix not in (".csv", ".parquet", ".jsonl"):
            problem = f"{out} must end in .csv, .parquet or .jsonl"
        collect.add(Fault(problem, column="out") if problem else None)
    from bayes_distill.inference.simulation import simulate_from_card
    from bayes_distill.runs.writing import write_runs

    try:
        runs, truth = simulate_from_card(
            card, design or "paper", coefficients=coefficients, noise=scale, seed=number
        )
    except InputError as error:
        raise collect.join(error) from None
    collect.check()
    assert out is not None
    write_runs(runs, out)
    for note in runs.notes:
        say(f"note: {note}", quiet)
    if json:
        print_json(
            {
                "runs": len(runs),
                "out": out,
                "kind": runs.kind,
                "coefficients": truth,
                "noise": scale,
            }
        )
    else:
        typer.echo(f"{len(runs)} {runs.kind} runs written to {out}; the truth:")
        for coefficient, number_ in truth.items():
            typer.echo(f"  {coefficient:8s} {number_:.6g}")
