"""``bayes-distill sensitivity``: what rests on the prior, and what on the runs."""

from __future__ import annotations

from bayes_distill.cli.options import AllowFailed, At, Fit
from bayes_distill.cli.output import print_table
from bayes_distill.cli.shared_options import Common, Students, spread_options


@spread_options
def sensitivity(
    fit: Fit,
    *,
    students: Students,
    at: At = None,
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Sensitivity of coefficients and forecasts to priors and likelihood, by power-scaling."""
    collect, _, _ = common.collector()
    from bayes_distill.checking.power_scaling import THRESHOLD
    from bayes_distill.checking.power_scaling import sensitivity as call

    with collect.joined():
        result = call(
            fit,
            **students.arguments(),
            at=at,
            allow_failed=allow_failed or bool(collect.faults),  # those are raised first
        )
    if common.printed(result):
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
