"""Forecasts and risks in sentences, from their plain data: answer, interval, grounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayes_distill._input.numbers import format_probability, format_quantity
from bayes_distill._input.text import shown

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


def risk_sentences(content: Mapping[str, Any]) -> list[str]:
    """`GapRisk.to_json` in sentences: one a point, or for listed teachers one a student."""
    percent = f"{100 * content['interval']:g}%"
    said = [risk_sentence(row, percent) for row in content["rows"] if "name" not in row]
    students: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in content["rows"]:
        if "name" in row:
            students.setdefault((row["params"], row["tokens"]), []).append(row)
    for student, rows in students.items():
        ranked = [t for t in content["teachers"] if (t["params"], t["tokens"]) == student]
        said.append(_listed_teachers(rows, ranked, percent))
    return said


def _listed_teachers(
    rows: Sequence[Mapping[str, Any]], ranked: Sequence[Mapping[str, Any]], percent: str
) -> str:
    """The best of somebody's teachers for one student, and how probably each is too strong."""
    first = ranked[0]
    better = first["p_beats_supervised"]
    verdict = "better" if better >= SURE else "worse" if better <= HARDLY else "perhaps better"
    several = len(ranked) > 1
    which = (
        f"Of {len(ranked)} teachers, {shown(first['name'])} is best"
        if several
        else f"{shown(first['name'])} is the only teacher"
    )
    sure = f" with probability {format_probability(first['p_best'])}" if several else ""
    said = (
        f"{which} for a {_student(rows[0])}{sure}: it reaches {first['loss']['mean']:.3f} "
        f"({percent}: {_ends(first['loss'])}), {verdict} than without a teacher (P(beats "
        f"supervised on equal tokens) {format_probability(better)})."
    )
    if several:
        second = ranked[1]
        said += (
            f" The next, {shown(second['name'])}, reaches {second['loss']['mean']:.3f} "
            f"(best with probability {format_probability(second['p_best'])})."
        )
    hurts = [
        f"{shown(row['name'])} {format_probability(row['p_stronger_teacher_hurts'])}"
        for row in rows
    ]
    best = rows[0]["optimal_teacher_loss"]
    farthest = {
        "supervised": max(rows, key=lambda r: r["rests_on"]["supervised"]["extrapolation"] or 1.0),
        "distilled": max(rows, key=lambda r: r["rests_on"]["extrapolation"] or 1.0),
    }
    return (
        f"{said} P(a slightly stronger teacher is worse): {_few(hurts)}. The best "
        f"teacher of all has a loss of {best['mean']:.3f} ({percent}: {_ends(best)}). "
        + grounds_in_words(
            [
                ("supervised", farthest["supervised"]["rests_on"]["supervised"]),
                ("distilled", farthest["distilled"]["rests_on"]),
            ]
        )
    )


def _few(names: Sequence[str], most: int = 8) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


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
        counted = f"{kind} runs"
        if runs is not None:
            teachers = mine[0].get("teachers") or 0
            told = [f"{runs - teachers} {kind} runs"] if runs > teachers or not teachers else []
            counted = " and ".join([*told, *([f"{teachers} teachers"] if teachers else [])])
        factor = max(side["extrapolation"] or 1.0 for side in mine)
        far = f" (up to {factor:.2g} times outside them)" if factor > 1 else ""
        parts.append(f"{counted}{far}")
    return f"This rests on {', and on '.join(parts)}."


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
