"""``bayes-distill risk``: whether the teacher is too strong, and which one is best."""

from __future__ import annotations

from typing import Annotated

from bayes_distill.cli.options import AllowFailed, At, Fit, MostDraws, option
from bayes_distill.cli.output import print_table
from bayes_distill.cli.shared_options import Common, Students, spread_options


@spread_options
def risk(
    fit: Fit,
    *,
    students: Students,
    at: At = None,
    teachers: Annotated[
        str | None,
        option("Candidates to rank: name, and loss (and loss_se) or params and tokens.", "FILE"),
    ] = None,
    strongest: Annotated[
        str | None, option("Lowest teacher loss that is available (default: irreducible).", "LOSS")
    ] = None,
    draws: MostDraws = "4000",
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Say how likely a stronger teacher would make the student worse, and rank teachers."""
    collect, interval, seed = common.collector()
    most = collect.integer("draws", draws, 1)
    lowest = None if strongest is None else collect.positive("strongest", strongest)
    from bayes_distill.predict.capacity_gap import risk as call

    with collect.joined():
        result = call(
            fit,
            **students.arguments(),
            at=at,
            teachers=teachers,
            strongest=lowest,
            draws=most,
            interval=interval,
            seed=seed,
            allow_failed=allow_failed or bool(collect.faults),  # those are raised first
        )
    if common.printed(result):
        return
    from bayes_distill._input.numbers import format_quantity

    percent = f"{100 * interval:g}%"
    print_table(
        "Is the teacher too strong?",
        [
            "params",
            "tokens",
            "teacher loss",
            "P(stronger hurts)",
            "best teacher loss",
            f"{percent} credible",
            "P(no optimum)",
            "excess loss",
            "P(beats supervised)",
        ],
        [
            [
                format_quantity(r["params"]),
                format_quantity(r["tokens"]),
                f"{r['teacher_loss_mean']:.4f}",
                f"{r['p_stronger_teacher_hurts']:.2f}",
                f"{r['optimal_teacher_loss_mean']:.3f}",
                f"{r['optimal_teacher_loss_lower']:.3f} to {r['optimal_teacher_loss_upper']:.3f}",
                f"{r['p_boundary']:.2f}",
                f"{r['excess_loss_mean']:.4f} (up to {r['excess_loss_upper']:.4f})",
                f"{r['p_beats_supervised']:.2f}",
            ]
            for r in result.table.to_dict("records")
        ],
        caption="Excess loss: what this teacher costs the student against the best one. P(no "
        "optimum): every stronger teacher is better, down to the strongest.",
        left=0,
    )
    if len(result.teachers):
        print_table(
            "Candidate teachers",
            [
                "teacher",
                "its loss",
                "student",
                "student tokens",
                "student loss",
                f"{percent} credible",
                "P(best)",
                "cost if chosen",
                "P(beats supervised)",
            ],
            [
                [
                    str(r["name"]),
                    f"{r['teacher_loss_mean']:.4f}",
                    format_quantity(r["params"]),
                    format_quantity(r["tokens"]),
                    f"{r['loss_mean']:.4f}",
                    f"{r['loss_lower']:.4f} to {r['loss_upper']:.4f}",
                    f"{r['p_best']:.2f}",
                    f"{r['regret_mean']:.4f}",
                    f"{r['p_beats_supervised']:.2f}",
                ]
                for r in result.teachers.to_dict("records")
            ],
            caption="Best expected student loss first. Cost: expected loss above the best of them.",
        )
