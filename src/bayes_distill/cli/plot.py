"""``bayes-distill plot``: plots of a fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import typer
from typer.core import TyperCommand

from bayes_distill.cli.options import (
    AllowFailed,
    At,
    Coefficient,
    Collector,
    OptionalDraws,
    Overwrite,
    option,
)
from bayes_distill.cli.output import print_json, print_sentences, print_table
from bayes_distill.cli.shared_options import Common, Students, spread_options
from bayes_distill.cli.spelling import as_typed, flag
from bayes_distill.errors import Fault, InputError

ARGUMENTS = {"kind": "KIND", "posterior": "FIT"}  # of the Python function, as the usage names them
CHOICE = "KIND is one of these, or the beginning of one:"


@dataclass(frozen=True)
class Shown(Students):
    """Options that say what a plot shows; each plot takes some of them."""

    params: Annotated[str | None, option("Student parameters, or a range.", "LIST")] = None
    tokens: Annotated[str | None, option("Student tokens, or a range.", "LIST")] = None
    at: At = None
    teachers: Annotated[str | None, option("Teachers to compare, a table as in risk.", "FILE")] = (
        None
    )
    budget: Annotated[str | None, option("Budgets in FLOPs, or a range.", "LIST")] = None
    scenario: Annotated[str | None, option("Who pays for the teacher, as in plan.", "NAMES")] = None
    utility: Annotated[str | None, option("As in plan.", "UTILITY")] = None
    flops: Annotated[str | None, option("eq69 or 6nd.", "COUNT")] = None
    max_tokens: Annotated[str | None, option("Most student tokens.", "TOKENS")] = None
    max_teacher_tokens: Annotated[str | None, option("Most teacher tokens.", "TOKENS")] = None
    max_teacher_params: Annotated[str | None, option("Largest teacher.", "PARAMS")] = None
    runs: Annotated[str | None, option("Runs to show: a table, or named data.", "RUNS")] = None
    draws: OptionalDraws = None
    coefficient: Coefficient = None


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


@spread_options
def plot(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="What to draw; see above.")
    ] = None,
    fit: Annotated[
        str | None,
        typer.Argument(
            metavar="FIT",
            help="File written by fit, or a card with a posterior, which holds no runs; for "
            "coverage and reliability the JSON of validate, for ranks that of calibrate, for "
            "registered-forecasts that of score; for arms-along-compute a file of arms.",
        ),
    ] = None,
    out: Annotated[str | None, option("File to write: .png, .svg or .pdf.", "FILE")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the kinds.")] = False,
    *,
    shown: Shown,
    unit: Annotated[
        str, option("Unit of the runs' losses, for the labels.", "TEXT")
    ] = "nats per token",
    overwrite: Overwrite = False,
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Draw a plot of a fit."""
    collect = Collector()
    seed = collect.integer("seed", common.seed)
    interval = collect.probability("interval", common.interval)
    draws = None if shown.draws is None else collect.integer("draws", shown.draws, 1)
    if show_list:
        collect.check()
        _list(common.json)
        return
    if out is None:
        collect.add(Fault("is needed: a file that ends in .png, .svg or .pdf", column="out"))
    import matplotlib as mpl

    mpl.use("Agg")
    from bayes_distill.plots.drawing import draw_plot

    try:
        entry, drawing = draw_plot(
            kind,
            fit,
            shown.arguments() | {"draws": draws},
            out=out,
            interval=interval,
            seed=seed,
            unit=unit,
            allow_failed=allow_failed,
            overwrite=overwrite,
            faults=tuple(collect.faults),
        )
    except InputError as error:
        raise InputError(
            replace(fault, column=ARGUMENTS.get(fault.column or "", fault.column))
            for fault in error.faults
        ) from None
    common.say_notes(drawing.notes)
    if common.json:
        print_json({"plot": str(out), "kind": entry.name, "notes": list(drawing.notes)})
    else:
        named = str(out) if fit is None else f"{out}, from {fit}"
        print_sentences([f"A picture of the kind {entry.name} was written to {named}."])


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
    how = "'bayes-distill plot KIND FIT --out FILE'"
    print_sentences([f"{len(PLOTS)} kinds of picture; one is drawn by {how}."])
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
