"""``bayes-distill arms``: which of several recipes is better where nobody has run them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from bayes_distill._input.outputs import FIT
from bayes_distill.cli.options import AllowFailed, Count, KeptDraws, Overwrite, RegisterFile, option
from bayes_distill.cli.output import late_bar, print_sentences, print_table
from bayes_distill.cli.shared_options import Common, spread_options

if TYPE_CHECKING:
    from bayes_distill.comparison.arms_result import Arms


@spread_options
def arms(
    runs: Annotated[
        str, typer.Argument(metavar="RUNS|FIT", help="A table of runs, or a fit of its arms.")
    ],
    by: Annotated[str | None, option("Column that names the arm of a run.", "COLUMN")] = None,
    at: Annotated[
        list[str] | None,
        option("Where to compare, as params=7B,tokens=140B; may be repeated.", "POINT"),
    ] = None,
    across_validation_sets: Annotated[
        bool,
        typer.Option(
            "--across-validation-sets", help="Compare losses on different validation sets too."
        ),
    ] = False,
    out: Annotated[str | None, option("Where the fit of the arms goes.", "FIT.nc")] = None,
    chains: Count = "4",
    warmup: Count = "1000",
    draws: KeptDraws = "1000",
    register: RegisterFile = None,
    allow_failed: AllowFailed = False,
    overwrite: Overwrite = False,
    *,
    common: Common,
) -> None:
    """Compare arms: P(better), the gap, how much more compute the other needs, where they cross."""
    question = common.question()
    settings = question.whole(chains=chains, warmup=warmup, draws=draws)
    if out is not None:
        question.place("out", out, FIT, inputs=(runs,), overwrite=overwrite)
    from bayes_distill.comparison.arms import arms as call

    with question.joined(), late_bar(question.quiet) as progress:
        result = call(
            runs,
            by,
            at,
            across_validation_sets=across_validation_sets,
            progress=progress,
            register=register,
            **settings,  # type: ignore[arg-type]
            **question.arguments(allow_failed),
        )
    if out is not None:
        result.posterior.save(out, overwrite=overwrite)
    if common.printed(result):
        return
    _print(result, f"{100 * question.interval:g}%")


def _print(result: Arms, percent: str) -> None:
    from bayes_distill._input.numbers import format_probability, format_quantity
    from bayes_distill.comparison.arms_words import arms_sentence

    rows = result.table.to_dict("records")
    print_sentences(arms_sentence(r, percent) for r in rows)
    print_table(
        "Arms",
        [
            "a",
            "b",
            "params",
            "tokens",
            "P(a better)",
            f"gap a - b ({percent})",
            f"compute that b needs ({percent})",
            "they cross at (FLOPs)",
        ],
        [
            [
                str(r["a"]),
                str(r["b"]),
                format_quantity(r["params"]),
                format_quantity(r["tokens"]),
                format_probability(r["p_a_better"]),
                f"{r['gap_mean']:+.4f} ({r['gap_lower']:+.4f} to {r['gap_upper']:+.4f})",
                f"{r['multiplier_median']:.3g}x ({r['multiplier_lower']:.3g} to "
                f"{r['multiplier_upper']:.3g})",
                "-"
                if math.isnan(r["crossing_median"]) or r["p_no_crossing"] > 0.5
                else f"{r['crossing_median']:.2g}",
            ]
            for r in rows
        ],
        caption="Compute that b needs: times that of the point, to reach the loss of a there.",
        left=2,
    )
