"""``bayes-distill sensitivity``: what rests on the prior, and what on the runs."""

from __future__ import annotations

from bayes_distill.cli.options import (
    AllowFailed,
    At,
    Collector,
    Fit,
    Interval,
    Json,
    Params,
    Quiet,
    Seed,
    TeacherLoss,
    TeacherParams,
    TeacherTokens,
    Tokens,
)
from bayes_distill.cli.output import print_json, print_table, say
from bayes_distill.errors import InputError


def sensitivity(
    fit: Fit,
    params: Params = None,
    tokens: Tokens = None,
    teacher_loss: TeacherLoss = None,
    teacher_params: TeacherParams = None,
    teacher_tokens: TeacherTokens = None,
    at: At = None,
    allow_failed: AllowFailed = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Sensitivity of coefficients and forecasts to priors and likelihood, by power-scaling."""
    collect = Collector()
    collect.probability("interval", interval)
    collect.integer("seed", seed)
    from bayes_distill.checking.power_scaling import THRESHOLD
    from bayes_distill.checking.power_scaling import sensitivity as call

    try:
        result = call(
            fit,
            params,
            tokens,
            teacher_loss=teacher_loss,
            teacher_params=teacher_params,
            teacher_tokens=teacher_tokens,
            at=at,
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
    print_table(
        "Sensitivity to the power of the prior and of the likelihood",
        ["answer", "kind", "prior", "likelihood", "prior that moves it most", "reading"],
        [
            [
                r["name"],
                r["kind"],
                f"{r['prior']:.3f}",
                f"{r['likelihood']:.3f}",
                r["moved_most_by"],
                r["diagnosis"],
            ]
            for r in result.table.to_dict("records")
        ],
        caption=f"Above {THRESHOLD:g} counts. Sensitive to both: prior and runs pull, and the "
        "prior's width matters. To the prior alone: the answer is the prior's.",
        left=2,
    )
