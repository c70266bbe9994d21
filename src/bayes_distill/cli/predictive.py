"""``bayes-distill predictive``: whether a fit predicts runs like its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bayes_distill.cli.options import AllowFailed, Collector, Fit, Interval, Json, Quiet, Seed
from bayes_distill.cli.output import print_json, print_table, say
from bayes_distill.errors import InputError

if TYPE_CHECKING:
    from bayes_distill.checking.checks import PredictiveChecks


def predictive(
    fit: Fit,
    vocabulary: Annotated[
        str, typer.Option(help="Entries of the tokenizer.", metavar="COUNT")
    ] = "32768",
    allow_failed: AllowFailed = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Prior predictive, posterior predictive and LOO-PIT checks against the fit's own runs."""
    collect = Collector()
    probability, number = collect.probability("interval", interval), collect.integer("seed", seed)
    entries = collect.positive("vocabulary", vocabulary)
    from bayes_distill.checking.checks import predictive as call

    try:
        result = call(
            fit,
            interval=probability,
            vocabulary=entries,
            seed=number,
            allow_failed=allow_failed or bool(collect.faults),  # those are raised first
        )
    except InputError as error:
        raise collect.join(error) from None
    collect.check()
    for note in result.notes:
        say(f"note: {note}", quiet)
    if json:
        print_json(result.to_json())
        return
    _print(result)


def _print(result: PredictiveChecks) -> None:
    surprising = result.prior.surprising
    rows = ", ".join(map(str, surprising[:20])) + (" ..." if len(surprising) > 20 else "")
    print_table(
        "Prior predictive losses",
        ["losses", "limit", "curves", "new runs"],
        [
            [
                r["range"],
                f"{r['limit']:.3g}",
                f"{r['share_of_curves']:.2%}",
                f"{r['share_of_runs']:.2%}",
            ]
            for r in result.prior.ranges.to_dict("records")
        ],
        caption="Share of the prior's losses for these runs that no run could have. "
        + (
            f"Runs outside the central 99% of the prior: rows {rows}."
            if surprising
            else "All runs lie within the central 99% of the prior."
        ),
    )
    percent = f"{100 * result.interval:g}%"
    table = result.posterior.table
    print_table(
        "Runs replicated from the fit, against the real ones",
        ["quantity", "real", f"replicated, {percent}", "P(larger)", "verdict"],
        [
            [
                r["meaning"],
                f"{r['observed_mean']:.3g}",
                f"{r['replicated_lower']:.3g} to {r['replicated_upper']:.3g}",
                f"{r['p_larger']:.3f}",
                r["verdict"],
            ]
            for r in table.to_dict("records")
        ],
        caption="\n".join(
            f"{r['name']}: {r['advice']}" for r in table.to_dict("records") if r["advice"]
        )
        or None,
    )
    pit = result.leave_one_out
    held = pit.coverage.to_dict("records")
    print_table(
        "Each run left out (PSIS), the others of its student size kept",
        ["", *(f"central {r['level']:.0%}" for r in held), "p of uniform LOO-PITs", "verdict"],
        [
            [
                "runs inside",
                *(f"{r['held']:.1%}" for r in held),
                f"{pit.p_uniform:.2g}",
                pit.verdict,
            ]
        ],
        caption=f"{pit.reading[:1].upper()}{pit.reading[1:]}." if pit.reading else None,
    )
