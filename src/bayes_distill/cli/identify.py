"""``bayes-distill identify``: what the runs identify of coefficients, and the next run to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bayes_distill.cli.options import (
    AcceleratorName,
    AllowFailed,
    Coefficient,
    Fit,
    MostDraws,
    TeacherLoss,
    Utilisation,
    option,
)
from bayes_distill.cli.output import late_bar, print_records, print_sentences, print_table
from bayes_distill.cli.shared_options import Common, Group, spread_options

if TYPE_CHECKING:
    from bayes_distill.identification.identifiability import Identifiability
    from bayes_distill.identification.next_run import NextRun

SHOWN = 8  # candidates in the table for people


@dataclass(frozen=True)
class Target(Group):
    """Options that say what the next run is for, and what it can be."""

    coefficient: Coefficient = None
    target_params: Annotated[
        str | None, option("Or a forecast: its student's parameters.", "LIST")
    ] = None
    target_tokens: Annotated[str | None, option("Tokens of that student.", "LIST")] = None
    teacher_loss: TeacherLoss = None
    at: Annotated[
        str | None, typer.Option("--at", help="A table of such forecasts instead.", metavar="FILE")
    ] = None
    candidates: Annotated[
        str | None, option("Runs to choose from: params, tokens, teacher_loss.", "FILE")
    ] = None
    budget: Annotated[
        str | None,
        option("Most FLOPs of the next run, or '2 PF-days'.", "FLOPS"),
    ] = None
    flops: Annotated[str, option("eq69 or 6nd.", "NAME")] = "eq69"
    device: AcceleratorName = None


@spread_options
def identify(
    fit: Fit,
    *,
    target: Target,
    utilisation: Utilisation = None,
    reach: Annotated[str, option("How far beyond the runs to look.", "FACTOR")] = "2",
    draws: MostDraws = "4000",
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Report what the runs identify of each coefficient, and which run would add most."""
    question = common.question()
    share = None if utilisation is None else question.number("utilisation", utilisation)
    from bayes_distill.identification.identify import identify as call
    from bayes_distill.identification.next_run import LEAST_DRAWS

    factor = question.positive("reach", reach)
    most = question.integer("draws", draws, LEAST_DRAWS)
    with question.joined(), late_bar(common.quiet) as progress:
        result = call(
            fit,
            **target.arguments(),
            utilisation=share,
            reach=factor,
            draws=most,
            **question.arguments(allow_failed),
            progress=progress,
        )
        coefficients = result.coefficients
    if common.printed(result):
        return
    from bayes_distill.identification.words import identification_sentence

    print_sentences([identification_sentence(result.to_json())])
    _print_report(coefficients)
    _print_next(result.next_run)


def _print_report(report: Identifiability) -> None:
    percent = f"{100 * report.interval:g}%"
    print_table(
        "What the runs identify",
        [
            "coefficient",
            "kind",
            "median",
            percent,
            f"prior, {percent}",
            "variance removed",
            "known from the runs",
        ],
        [
            [
                r["name"],
                r["kind"],
                f"{r['posterior_median']:.4g}",
                f"{r['posterior_lower']:.4g} to {r['posterior_upper']:.4g}",
                f"{r['prior_lower']:.3g} to {r['prior_upper']:.3g}",
                f"{max(r['contraction'], 0):.0%}",
                "yes" if r["identified"] else "no",
            ]
            for r in report.table.to_dict("records")
        ],
        caption="Variance removed: share of the prior's, on the log (or logit) scale.",
        left=2,
    )
    print_table(
        "Combinations that the runs identify best and least",
        ["identified", "combination", "of", "within a factor of", "before the runs"],
        [
            [r["learnt"], r["combination"], r["of"], _factor(r["sd"]), _factor(r["prior_sd"])]
            for r in report.combinations.to_dict("records")
        ],
        caption="Products of powers, one standard deviation up or down. odds(s) = s / (1 - s).",
        left=3,
    )
    pairs = report.correlations.to_dict("records")
    if pairs:
        print_records(
            "Coefficients of which the runs identify the trade-off, and neither by itself",
            pairs,
            [
                ("first", "{first}"),
                ("second", "{second}"),
                ("rank correlation", "{correlation:+.3f}"),
            ],
            left=2,
        )


def _print_next(following: NextRun) -> None:
    from bayes_distill._input.numbers import format_quantity

    targets = following.targets.to_dict("records")
    shown = following.table.head(SHOWN)
    marked = following.table[following.table["recommended"] != ""]
    if not marked.index.isin(shown.index).all():
        import pandas as pd

        shown = pd.concat([shown, marked[~marked.index.isin(shown.index)]])
    named = bool((shown["name"] != "").any())
    print_table(
        "The next run: how much of the variance of "
        + ", ".join(t["name"] for t in targets)
        + " it would remove",
        [
            *(["run"] if named else []),
            "",
            "params",
            "tokens",
            "teacher loss",
            "FLOPs",
            "variance removed",
            "outside runs",
        ],
        [
            [
                *([r["name"]] if named else []),
                r["recommended"],
                format_quantity(r["params"]),
                format_quantity(r["tokens"]),
                "none" if math.isnan(r["teacher_loss"]) else f"{r['teacher_loss']:.3f}",
                f"{r['flops']:.2g}",
                f"{r['information_gain']:.1%}",
                "yes" if r["outside"] else "no",
            ]
            for r in shown.to_dict("records")
        ],
        caption="Expected, the mean over the targets; the best of each size, and cheap: "
        "at least 80% of the best for the least compute. FLOPs: of the student's training.\n"
        + "\n".join(
            f"{t['name']}: sd {t['sd']:.3g} now, {t['sd_after']:.3g} after the best ({t['scale']})"
            for t in targets
        ),
        left=2 if named else 1,
    )


def _factor(sd: float) -> str:
    """A standard deviation of a logarithm as a factor."""
    return f"{math.exp(sd):.3g}" if sd < 20 else "anything"
