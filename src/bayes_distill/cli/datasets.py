"""``bayes-distill datasets``: named tables of real runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bayes_distill.cli.examples import epilog
from bayes_distill.cli.output import echo, print_json, print_sentences, print_table
from bayes_distill.cli.shared_options import Common, spread_options

app = typer.Typer(help="Named tables of real runs.")


@app.callback(invoke_without_command=True)
def datasets(context: typer.Context) -> None:
    """List named tables of real runs, or fetch one."""
    if context.invoked_subcommand is None:
        context.invoke(list_named, **asdict(Common()))


@app.command("list", epilog=epilog("datasets list"))
@spread_options
def list_named(common: Common) -> None:
    """List the named data."""
    common.check()
    from bayes_distill.runs import list_datasets

    found = list_datasets()
    if common.json:
        print_json({"datasets": [dataset.to_json() for dataset in found]})
        return
    names = " and ".join(d.name for d in found)
    print_sentences(
        [f"{len(found)} named tables of real runs: {names} stand for them wherever RUNS are taken."]
    )
    print_table(
        "Named data",
        ["name", "rows", "licence", "description"],
        [[d.name, str(d.rows), d.licence, d.description] for d in found],
        left=4,
    )


@app.command("fetch", epilog=epilog("datasets fetch"))
@spread_options
def fetch_named(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    common: Common,
) -> None:
    """Fetch a named table once, check it, and keep it."""
    common.check()
    import logging

    from bayes_distill.runs import fetch

    if common.quiet:
        logging.getLogger("pooch").setLevel(logging.WARNING)
    path = fetch(name)
    if common.json:
        print_json({"name": name, "path": str(path)})
    else:
        echo(str(path))
