"""Forecasts and risks in sentences, from their plain data: answer, interval, grounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayes_distill._input.numbers import format_probability, format_quantity

SURE, HARDLY = 0.9, 0.1


def forecast_sentence(row: Mapping[str, Any], percent: str) -> str:
    """One of the rows of `Forecast.to_json`."""
    teacher = row["teacher_loss"]
    under = "without a teacher" if teacher is None else f"under a teacher of loss {teacher:.4g}"
    said = (
        f"A {_student(row)} {under} reaches {row['mean']:.3f} nats per token "
        f"({percent}: {_ends(row['credible'])}; one run {_ends(row['predictive'])})."
    )
    if teacher is None:
        return f"{said} {grounds_in_words([('supervised', row['rests_on'])])}"
    told = row["rests_on"]
    better = row["p_beats_supervised"]
    verdict = "better" if better >= SURE else "worse" if better <= HARDLY else "perhaps better"
    sides = [("supervised", told["supervised"]), ("distilled", told)]
    return (
        f"{said} That is {verdict} than without the teacher on as many tokens "
        f"({row['supervised']['mean']:.3f}; "
        f"P(beats supervised on equal tokens) {format_probability(better)}). "
        f"{grounds_in_words(sides)}"
    )


def risk_sentence(row: Mapping[str, Any], percent: str) -> str:
    """One of the rows of `GapRisk.to_json`."""
    hurts, best, excess = (
        row[name] for name in ("p_stronger_teacher_hurts", "optimal_teacher_loss", "excess_loss")
    )
    told = row["rests_on"]
    strong = "not too strong" if hurts <= HARDLY else "too strong"
    strong = f"perhaps {strong}" if HARDLY < hurts < SURE else strong
    return (
        f"A teacher of loss {row['teacher_loss']:.4g} is {strong} for a {_student(row)}: a "
        f"slightly stronger one would make it worse with probability {format_probability(hurts)}. "
        f"The best teacher has a loss of {best['mean']:.3f} ({percent}: {_ends(best)}); this one "
        f"costs {excess['mean']:.4f} nats per token against it. "
        f"{grounds_in_words([('supervised', told['supervised']), ('distilled', told)])}"
    )


def grounds_in_words(sides: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """What numbers rest on, by kind of run (``supervised``, ``distilled``) and `rests_on` of it."""
    parts = []
    for kind in ("supervised", "distilled"):
        mine = [side for name, side in sides if name == kind]
        if not mine:
            continue
        runs = mine[0]["runs"]
        if mine[0]["prior"]:
            parts.append(f"no {kind} run (the prior and the law alone)")
            continue
        counted = f"{runs} {kind} runs" if runs is not None else f"{kind} runs"
        factor = max(side["extrapolation"] or 1.0 for side in mine)
        far = f" (up to {factor:.2g} times outside them)" if factor > 1 else ""
        parts.append(f"{counted}{far}")
    return f"This rests on {' and '.join(parts)}."


def _student(row: Mapping[str, Any]) -> str:
    size, tokens = row["params"], row["tokens"]  # a law of another kind may read neither
    student = "student" if size is None else f"{format_quantity(size)} student"
    on = "" if tokens is None else f" on {format_quantity(tokens)} tokens"
    inputs = ", ".join(
        f"{name} {value if isinstance(value, str) else format(value, '.4g')}"
        for name, value in row.get("inputs", {}).items()
    )
    return f"{student}{on}{f' with {inputs}' if inputs else ''}"


def _ends(interval: Mapping[str, float]) -> str:
    return f"{interval['lower']:.3f} to {interval['upper']:.3f}"
