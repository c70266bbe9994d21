"""``bayes-distill models``: the cards that ship."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bayes_distill.cli.examples import epilog
from bayes_distill.cli.output import echo, print_json, print_sentences, print_table
from bayes_distill.cli.shared_options import Common, spread_options

app = typer.Typer(help="Model cards that ship.")


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the model cards that ship, or show one."""
    if context.invoked_subcommand is None:
        context.invoke(list_models, **asdict(Common()))


@app.command("list", epilog=epilog("models list"))
@spread_options
def list_models(common: Common) -> None:
    """List the model cards."""
    common.check()
    from bayes_distill.cards.listing import models

    cards = models().to_dict("records")
    if common.json:
        print_json({"models": cards})
        return
    ready = [card["name"] for card in cards if card["posterior"]]
    print_sentences(
        [
            f"{len(cards)} model cards: {', '.join(ready)} can be asked at once; the others are "
            "fitted to runs first ('bayes-distill fit RUNS --model NAME')."
        ]
    )
    print_table(
        "Model cards",
        ["name", "law", "data", "ready to use", "title"],
        [
            [
                card["name"],
                card["law"],
                card["data"] or "yours",
                "yes" if card["posterior"] else "fit first",
                card["title"],
            ]
            for card in cards
        ],
        left=5,
    )


@app.command("show", epilog=epilog("models show"))
@spread_options
def show_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A card's name or TOML file.")],
    *,
    common: Common,
) -> None:
    """Show a model card: as TOML to copy and edit, or as JSON."""
    common.check()
    from pathlib import Path

    from bayes_distill.cards import load_card, model_names, models_folder, shipped_posterior

    card = load_card(name)
    if common.json:
        shipped = shipped_posterior(name)
        content = card.model_dump(mode="json")
        content["departures"] = content["discrepancy"]  # its earlier name
        print_json({**content, "posterior": str(shipped) if shipped else None})
        return
    path = models_folder() / name / "card.toml" if name in model_names() else Path(name)
    echo(path.read_text(encoding="utf-8"), end="")
