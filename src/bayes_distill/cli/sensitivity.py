"""``bayes-distill sensitivity``: what rests on the prior, and what on the runs."""

from __future__ import annotations

from bayes_distill.cli.options import AllowFailed, Fit
from bayes_distill.cli.output import late_bar, print_records, print_sentences
from bayes_distill.cli.shared_options import Common, Points, spread_options


@spread_options
def sensitivity(
    fit: Fit,
    *,
    points: Points,
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Sensitivity of coefficients and forecasts to priors and likelihood, by power-scaling."""
    question = common.question()
    from bayes_distill.checking.power_scaling import THRESHOLD
    from bayes_distill.checking.power_scaling import sensitivity as call

    with question.joined(), late_bar(common.quiet) as progress:
        result = call(
            fit,
            **points.arguments(),
            allow_failed=question.lenient(allow_failed),
            progress=progress,
        )
    if common.printed(result):
        return
    from bayes_distill.checking.words import sensitivity_sentence

    print_sentences([sensitivity_sentence(result.to_json())])
    print_records(
        "Sensitivity to the power of the prior and of the likelihood",
        result.table.to_dict("records"),
        [
            ("answer", "{name}"),
            ("kind", "{kind}"),
            ("prior", "{prior:.3f}"),
            ("likelihood", "{likelihood:.3f}"),
            ("prior that moves it most", "{moved_most_by}"),
            ("reading", "{diagnosis}"),
        ],
        caption=f"Above {THRESHOLD:g} counts. Sensitive to both: prior and runs pull, and the "
        "prior's width matters. To the prior alone: the answer is the prior's.",
        left=2,
    )
