"""``bayes-distill risk``: whether the teacher is too strong, and which one is best."""

from __future__ import annotations

from typing import Annotated

import typer

from bayes_distill.cli.options import (
    AllowFailed,
    At,
    Collector,
    Fit,
    Interval,
    Json,
    MostDraws,
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


def risk(
    fit: Fit,
    params: Params = None,
    tokens: Tokens = None,
    teacher_loss: TeacherLoss = None,
    teacher_params: TeacherParams = None,
    teacher_tokens: TeacherTokens = None,
    at: At = None,
    teachers: Annotated[
        str | None,
        typer.Option(
            help="Candidates to rank: name, and loss (and loss_se) or params and tokens.",
            metavar="FILE",
        ),
    ] = None,
    strongest: Annotated[
        str | None,
        typer.Option(
            help="Lowest teacher loss that is available (default: irreducible).", metavar="LOSS"
        ),
    ] = None,
    draws: MostDraws = "4000",
    allow_failed: AllowFailed = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Say how likely a stronger teacher would make the student worse, and rank teachers."""
    collect = Collector()
    probability, number = collect.probability("interval", interval), collect.integer("seed", seed)
    most = collect.integer("draws", draws, 1)
    lowest = None if strongest is None else collect.positive("strongest", strongest)
    from bayes_distill.predict.capacity_gap import risk as call

    try:
        result = call(
            fit,
            params,
            tokens,
            teacher_loss=teacher_loss,
            teacher_params=teacher_params,
            teacher_tokens=teacher_tokens,
            at=at,
            teachers=teachers,
            strongest=lowest,
            draws=most,
            interval=probability,
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
    from bayes_distill._input.numbers import format_quantity

    percent = f"{100 * probability:g}%"
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
