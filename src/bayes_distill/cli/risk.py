"""``bayes-distill risk``: whether the teacher is too strong, and which one is best."""

from __future__ import annotations

from typing import Annotated

from bayes_distill.cli.artefacts import log_answer
from bayes_distill.cli.options import (
    AllowFailed,
    Fit,
    Inputs,
    LogTo,
    MostDraws,
    RegisterFile,
    option,
)
from bayes_distill.cli.output import print_records, print_sentences
from bayes_distill.cli.shared_options import Common, Points, spread_options


@spread_options
def risk(
    fit: Fit,
    *,
    points: Points,
    teachers: Annotated[
        str | None,
        option("Candidates to rank: name, and loss (and loss_se) or params and tokens.", "FILE"),
    ] = None,
    strongest: Annotated[
        str | None, option("Lowest teacher loss that is available (default: irreducible).", "LOSS")
    ] = None,
    set: Inputs = None,
    draws: MostDraws = "4000",
    register: RegisterFile = None,
    log_to: LogTo = None,
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Say how likely a stronger teacher would make the student worse, and rank teachers."""
    question = common.question()
    tracked = question.tracked(log_to)
    most = question.integer("draws", draws, 1)
    lowest = None if strongest is None else question.positive("strongest", strongest)
    inputs = question.assignments("set", set)
    from bayes_distill.predict.capacity_gap import risk as call

    given = {**points.arguments(), "teachers": teachers, "strongest": lowest, "draws": most}
    given |= {"inputs": inputs, "register": register}
    result = question.answer(call, fit, allow_failed=allow_failed, **given)
    log_answer(tracked, result, "risk.json", quiet=common.quiet)
    if common.printed(result):
        return

    from bayes_distill.predict.words import risk_sentences

    percent = f"{100 * question.interval:g}%"
    print_sentences(risk_sentences(result.to_json()))
    print_records(
        "Is the teacher too strong?",
        result.table.fillna({"name": "-"}).to_dict("records"),
        [
            *([("teacher", "{name}")] if "name" in result.table else []),
            ("params", "{params!q}"),
            ("tokens", "{tokens!q}"),
            ("teacher loss", "{teacher_loss_mean:.4f}"),
            ("P(stronger hurts)", "{p_stronger_teacher_hurts!p}"),
            ("best teacher loss", "{optimal_teacher_loss_mean:.3f}"),
            (
                f"{percent} credible",
                "{optimal_teacher_loss_lower:.3f} to {optimal_teacher_loss_upper:.3f}",
            ),
            ("P(no optimum)", "{p_boundary!p}"),
            ("excess loss", "{excess_loss_mean:.4f} (up to {excess_loss_upper:.4f})"),
            ("P(beats supervised)", "{p_beats_supervised!p}"),
        ],
        caption="Excess loss: what this teacher costs the student against the best one. P(no "
        "optimum): every stronger teacher is better, down to the strongest.",
        left=0,
    )
    if len(result.teachers):
        print_records(
            "Candidate teachers",
            result.teachers.to_dict("records"),
            [
                ("teacher", "{name}"),
                ("its loss", "{teacher_loss_mean:.4f}"),
                ("student", "{params!q}"),
                ("student tokens", "{tokens!q}"),
                ("student loss", "{loss_mean:.4f}"),
                (f"{percent} credible", "{loss_lower:.4f} to {loss_upper:.4f}"),
                ("P(best)", "{p_best!p}"),
                ("cost if chosen", "{regret_mean:.4f}"),
                ("P(beats supervised)", "{p_beats_supervised!p}"),
            ],
            caption="Best expected student loss first. Cost: expected loss above the best of them.",
        )
