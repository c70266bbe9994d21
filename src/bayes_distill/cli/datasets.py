"""``bayes-distill datasets``: named tables of real runs."""

from __future__ import annotations

from typing import Annotated

import typer

from bayes_distill.cli.options import Interval, Json, Quiet, Seed, check_common
from bayes_distill.cli.output import print_json, print_table

app = typer.Typer(help="Named tables of real runs.", no_args_is_help=True)


@app.command("list")
def list_named(
    json: Json = False, seed: Seed = "0", interval: Interval = "0.9", quiet: Quiet = False
) -> None:
    """List the named data."""
    del quiet
    check_common(seed, interval)
    from bayes_distill.runs import list_datasets

    found = list_datasets()
    if json:
        print_json({"datasets": [dataset.to_json() for dataset in found]})
        return
    print_table(
        "Named data",
        ["name", "rows", "licence", "description"],
        [[d.name, str(d.rows), d.licence, d.description] for d in found],
        left=4,
    )


@app.command("fetch")
def fetch_named(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Fetch a named table once, check it, and keep it."""
    check_common(seed, interval)
    import logging

    from bayes_distill.runs import fetch

    if quiet:
        logging.getLogger("pooch").setLevel(logging.WARNING)
    path = fetch(name)
    if json:
        print_json({"name": name, "path": str(path)})
    else:
        typer.echo(str(path))
