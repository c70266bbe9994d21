"""``bayes-distill design``: which runs to do next for a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill._input.outputs import TABLE
from bayes_distill.cli.options import (
    AcceleratorName,
    AllowFailed,
    MostDraws,
    Overwrite,
    Utilisation,
    option,
)
from bayes_distill.cli.output import late_bar, print_records, print_sentences
from bayes_distill.cli.shared_options import Common, Group, spread_options

if TYPE_CHECKING:
    from bayes_distill.identification.designs.result import Design


@dataclass(frozen=True)
class Asked(Group):
    """Options that say what runs are for, and which there are."""

    pool: Annotated[
        str | None, option("Runs to choose from: params, tokens, teacher_loss, ...", "FILE")
    ] = None
    target: Annotated[
        str | None, option("Runs whose losses are wanted, a table; or --decide.", "FILE")
    ] = None
    decide: Annotated[
        str | None,
        option("A plan that follows, e.g. 'plan --params 7B --budget 1e23'.", "PLAN"),
    ] = None
    criterion: Annotated[str, option("Of targets: variance, width or information.", "NAME")] = (
        "variance"
    )
    about: Annotated[
        str, option("Of targets: loss, or gap (whether the teacher is too strong).", "NAME")
    ] = "loss"
    cost: Annotated[
        str, option("eq69, 6nd, or a column of the pool; COLUMN**0.5 is a power.", "NAME")
    ] = "eq69"
    device: AcceleratorName = None


@spread_options
def design(
    fit: Annotated[
        str,
        typer.Argument(
            metavar="FIT|CARD", help="File written by fit, or a card: without runs, its prior."
        ),
    ],
    *,
    budget: Annotated[
        str | None, option("Of all runs together: FLOPs, '2 PF-days', or as --cost.", "FLOPS")
    ] = None,
    asked: Asked,
    batch: Annotated[str | None, option("Most runs.", "INTEGER")] = None,
    spend_all: Annotated[
        bool,
        typer.Option("--spend-all", help="Also runs that are not worth their cost to the plan."),
    ] = False,
    utilisation: Utilisation = None,
    reach: Annotated[str, option("How far beyond the runs a grid goes.", "FACTOR")] = "2",
    draws: MostDraws = "2000",
    out: Annotated[str | None, option("A table of the runs to launch.", "FILE.csv")] = None,
    overwrite: Overwrite = False,
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Choose the next runs for a budget: those that tell most of a forecast, or of a plan."""
    question = common.question()
    question.needed(budget=budget)
    settings: dict[str, Any] = {
        "batch": None if batch is None else question.integer("batch", batch, 1),
        "reach": question.positive("reach", reach),
        "draws": question.integer("draws", draws, 1),
        "utilisation": None if utilisation is None else question.number("utilisation", utilisation),
    }
    inputs = (fit, asked.pool, asked.target)
    question.place("out", out, TABLE, inputs=inputs, overwrite=overwrite, endings=(".csv",))
    from bayes_distill.identification.designs.design import design as call

    if out is not None and not overwrite:
        from bayes_distill.runs.writing import keep_losses

        with question.joined():
            keep_losses(out)
    with question.joined(), late_bar(common.quiet) as progress:
        result = call(
            fit,
            "1" if budget is None else budget,
            **asked.arguments(),
            **settings,
            spend_all=spend_all,
            seed=question.seed,
            allow_failed=question.lenient(allow_failed),
            progress=progress,
        )
    if out is not None:
        result.save(out, overwrite=overwrite)
    if not common.printed(result):
        _print(result)


def _print(result: Design) -> None:
    from bayes_distill.identification.designs.words import design_sentence

    print_sentences([design_sentence(result.to_json())])
    rows = result.table.to_dict("records")
    decision = result.criterion == "value"
    share = "{gain:.2g}" if decision or result.criterion == "information" else "{gain:.1%}"
    print_records(
        "Runs to do, in order",
        rows,
        [
            ("row", "{row}"),
            *([("run", "{name}")] if (result.table["name"] != "").any() else []),
            ("params", "{params!q}"),
            ("tokens", "{tokens!q}"),
            *(
                [("teacher", "{teacher_loss:.3f}")]
                if result.table["teacher_loss"].gt(0).any()
                else []
            ),
            ("cost", "{cost:.2g}"),
            ("adds", share),
            *([("worth", "{worth:.2g}")] if result.table["worth"].notna().any() else []),
            ("layers", "{shape_layers}"),
            ("width", "{shape_width}"),
            ("outside runs", "{outside}"),
        ],
        caption="Adds: beside the runs above it, expected. "
        + (
            "Worth: that over what the same compute would gain in the plan's budget."
            if decision
            else ""
        ),
        left=1,
    )
    if len(result.targets):
        print_records(
            "What is left unknown",
            result.targets.to_dict("records"),
            [("target", "{name}"), ("sd", "{sd:.3g}"), ("sd after", "{sd_after:.3g}")],
        )
