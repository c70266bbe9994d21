"""``bayes-distill predictive``: whether a fit predicts runs like its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bayes_distill.cli.options import AllowFailed, Fit, option
from bayes_distill.cli.output import late_bar, print_records, print_sentences, print_table
from bayes_distill.cli.shared_options import Common, spread_options

if TYPE_CHECKING:
    from bayes_distill.checking.checks import PredictiveChecks


@spread_options
def predictive(
    fit: Fit,
    vocabulary: Annotated[str, option("Entries of the tokenizer.", "COUNT")] = "32768",
    allow_failed: AllowFailed = False,
    *,
    common: Common,
) -> None:
    """Prior predictive, posterior predictive and LOO-PIT checks against the fit's own runs."""
    question = common.question()
    entries = question.positive("vocabulary", vocabulary)
    from bayes_distill.checking.checks import predictive as call

    with question.joined(), late_bar(common.quiet) as progress:
        result = call(
            fit, vocabulary=entries, **question.arguments(allow_failed), progress=progress
        )
    if common.printed(result):
        return
    _print(result)


def _print(result: PredictiveChecks) -> None:
    from bayes_distill.checking.words import predictive_sentence

    print_sentences([predictive_sentence(result.to_json())])
    surprising = result.prior.surprising
    rows = ", ".join(map(str, surprising[:20])) + (" ..." if len(surprising) > 20 else "")
    print_records(
        "Prior predictive losses",
        result.prior.ranges.to_dict("records"),
        [
            ("losses", "{range}"),
            ("limit", "{limit:.3g}"),
            ("curves", "{share_of_curves:.2%}"),
            ("new runs", "{share_of_runs:.2%}"),
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
    print_records(
        "Runs replicated from the fit, against the real ones",
        table.to_dict("records"),
        [
            ("quantity", "{meaning}"),
            ("real", "{observed_mean:.3g}"),
            (f"replicated, {percent}", "{replicated_lower:.3g} to {replicated_upper:.3g}"),
            ("P(larger)", "{p_larger:.3f}"),
            ("verdict", "{verdict}"),
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
