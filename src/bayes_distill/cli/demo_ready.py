"""The first part of the demo: three questions to the posterior that ships."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

MODEL = "busbridge2025"
STUDENT, TEACHER, BUDGET = (1e9, 1e11), 2.0, 1e22
SCENARIO = "teacher-pretraining-and-inference"
PLAN_DRAWS = 200


@dataclass(frozen=True)
class Ready:
    """Answers as sentences for people and as plain data."""

    sentences: tuple[str, ...]
    answers: dict[str, Any]


def ask_ready(interval: float, seed: int) -> Ready:
    """Ask the shipped posterior for a forecast, a risk and a plan."""
    from bayes_distill._input.numbers import format_probability, format_quantity
    from bayes_distill.planning.plan import plan
    from bayes_distill.planning.words import plan_sentences
    from bayes_distill.posterior import load_posterior
    from bayes_distill.predict.capacity_gap import risk
    from bayes_distill.predict.forecast import forecast

    clock = time.perf_counter()
    posterior = load_posterior(MODEL)
    student = forecast(posterior, *STUDENT, teacher_loss=TEACHER, interval=interval, seed=seed)
    gap = risk(posterior, *STUDENT, teacher_loss=TEACHER, interval=interval)
    recipe = plan(
        posterior,
        STUDENT[0],
        BUDGET,
        scenario=SCENARIO,
        crossovers=False,
        draws=PLAN_DRAWS,
        interval=interval,
        seed=seed,
    )
    f, g = student.table.iloc[0], gap.table.iloc[0]
    answers = {"forecast": student.to_json(), "risk": gap.to_json(), "plan": recipe.to_json()}
    row = answers["plan"]["rows"][0]
    best = row["recipe"]
    size, tokens = (format_quantity(value) for value in STUDENT)
    percent = f"{100 * interval:g}%"
    sentences = (
        f"Forecast: a {size} student on {tokens} tokens from a teacher of loss {TEACHER} reaches "
        f"{f['loss_mean']:.3f} nats per token. With {percent} probability its mean curve lies "
        f"within {f['loss_lower']:.3f} to {f['loss_upper']:.3f}, and one new run lands within "
        f"{f['new_run_lower']:.3f} to {f['new_run_upper']:.3f}. It beats supervised training "
        f"on the same tokens with probability {format_probability(f['p_beats_supervised'])}.",
        "Risk: a slightly stronger teacher would make that student worse with probability "
        f"{format_probability(g['p_stronger_teacher_hurts'])}. Its best teacher has a loss within "
        f"{g['optimal_teacher_loss_lower']:.2f} to {g['optimal_teacher_loss_upper']:.2f} "
        f"({percent}); the one of loss {TEACHER} costs it {g['excess_loss_mean']:.4f} nats.",
        f"Plan for that student: {plan_sentences(answers['plan'])[0]} With a teacher that is paid "
        f"for, the best is one of {format_quantity(best['teacher_params'])} parameters on "
        f"{format_quantity(best['teacher_tokens'])} tokens, and "
        f"{format_quantity(best['student_tokens'])} tokens for the student; knowing the law "
        f"exactly would gain {row['regret']['mean']:.4f} on it.",
    )
    seconds = round(time.perf_counter() - clock, 2)
    return Ready(sentences, {"model": MODEL, "seconds": seconds, **answers})
