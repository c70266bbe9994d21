"""Sentences about a plan, from its plain data: `Plan.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_distill._input.numbers import format_probability, format_quantity
from bayes_distill._input.text import shown
from bayes_distill.predict.words import grounds_in_words

LARGEST = "1e28"  # the largest budget that crossovers are looked for at
SURE = 0.95
HARDLY_ANY = 0.005  # of the posterior: what is not worth a clause


def crossover_sentences(content: Mapping[str, Any]) -> tuple[str, ...]:
    """At which budgets distilling is better: a sentence for each student and scenario of a plan."""
    percent = f"{100 * content['interval']:g}%"
    pairs: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row in content["crossovers"]:
        pairs.setdefault((row["scenario"], row["params"]), {})[row["direction"]] = row
    return tuple(_crossover(pair, percent) for pair in pairs.values())


def _crossover(pair: Mapping[str, Mapping[str, Any]], percent: str) -> str:
    """Both directions of one student and scenario in a sentence, the most probable answer first."""
    stops = pair["better_below"]
    starts = pair.get("better_above")
    always = stops["p_always_better"] if starts is None else starts["p_always_better"]
    answers = [
        (always, f"at every budget up to {LARGEST} FLOPs", ""),
        (stops["p_never_better"], f"at no budget up to {LARGEST} FLOPs", ""),
        (1 - stops["p_none"], "up to a budget, and not beyond it", _where(stops, percent)),
    ]
    if starts is not None:
        # draws in which it is better both below a budget and from a higher one on count twice
        twice = 1 - starts["p_none"] - (stops["p_always_better"] - always) > HARDLY_ANY
        said = "again from a budget on" if twice else "from a budget on, and not below it"
        answers.append((1 - starts["p_none"], said, _where(starts, percent)))
    answers = sorted((a for a in answers if a[0] > HARDLY_ANY), key=lambda a: -a[0])
    parts = [
        f"{said}{where}"
        if share > SURE
        else f"{said} with probability {format_probability(share)}{where}"
        for share, said, where in answers
    ]
    told = (
        " No run was supervised: this rests on the prior and the law."
        if stops["rests_on"]["supervised"]["prior"]
        else ""
    )
    who = f"{stops['scenario']}, {format_quantity(stops['params'])} student"
    return f"{who}: distilling is better {'; '.join(parts)}.{told}"


def _where(row: Mapping[str, Any], percent: str) -> str:
    """Where the crossovers lie of those draws that have one."""
    budget = row["budget_if_any"]
    if budget["median"] is None:
        return ""
    low, middle, high = (format_quantity(budget[end]) for end in ("lower", "median", "upper"))
    return f" ({low} to {high} FLOPs, {percent} of these; median {middle})"


PARTS = {
    "max_tokens": "its tokens",
    "max_teacher_params": "the teacher",
    "max_teacher_tokens": "the teacher's tokens",
}
"""What a recipe has at each limit, in a sentence."""
PAID = {
    "best-case": ", where the teacher is free",
    "teacher-inference": ", where its logits are paid for",
    "teacher-pretraining": ", where its training is paid for",
    "teacher-pretraining-and-inference": ", where its training and logits are paid for",
}
"""What of a teacher each scenario charges, in a sentence."""
BETTER, WORSE = 0.9, 0.1  # P(beats supervised) from which a teacher is worth it, or is not


def plan_sentences(content: Mapping[str, Any]) -> tuple[str, ...]:
    """What to do with each budget: `Plan.to_json()` in sentences, one or two a budget and student.

    First supervised training, then whether each scenario of the plan beats it, then what that rests
    on.
    """
    percent = f"{100 * content['interval']:g}%"
    asked: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in content["rows"]:
        if row["problem"] is None:
            size = None if row["size_chosen"] else row["params"]
            asked.setdefault((row["budget"], size), []).append(row)
    hardware = content.get("hardware")
    return tuple(_answer(rows, percent, hardware) for rows in asked.values())


def teacher_sentences(planned: Mapping[str, Any]) -> list[str]:
    """Which of the listed teachers is best, a sentence for each scenario of the first student."""
    said = []
    for rows in teachers_by_scenario(planned):
        best = rows[0]
        better, first = best["p_beats_supervised"], format_probability(best["p_best"])
        verdict = "beats" if better >= 0.9 else "does not beat" if better <= 0.1 else "may beat"
        student = f"{format_quantity(best['params'])} student and {best['budget']:.3g} FLOPs"
        several = len(rows) > 1
        one = (
            f"Of your {len(rows)} teachers, {shown(best['name'])} is best"
            if several
            else f"{shown(best['name'])} is your only teacher"
        )
        tokens = format_quantity(best["student_tokens"])
        sentence = (
            f"{one} for a {student} under "
            f"{best['scenario']}{PAID.get(best['scenario'], '')} (P(best) {first}): "
            f"{best['loss']['mean']:.3f} ({best['loss']['lower']:.3f} to "
            f"{best['loss']['upper']:.3f}) on {tokens} tokens. It {verdict} training "
            f"without a teacher (probability {format_probability(better)})."
        ).replace("e+", "e")
        if several and rows[1]["regret"]["mean"] is not None:
            more = rows[1]["loss"]["mean"] - best["loss"]["mean"]
            sentence += f" The next, {shown(rows[1]['name'])}, ends {more:.4f} higher."
        said.append(sentence)
    return said


def teachers_by_scenario(planned: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """Affordable teachers, best first, of the first student and budget, by scenario."""
    ranked = [t for t in planned.get("teachers", []) if t["affordable"]]
    first = ranked[0] if ranked else {}
    mine = [t for t in ranked if (t["budget"], t["params"]) == (first["budget"], first["params"])]
    return [
        [t for t in mine if t["scenario"] == name]
        for name in dict.fromkeys(t["scenario"] for t in mine)
    ]


def sentences_of_any_teacher(content: Mapping[str, Any]) -> tuple[str, ...]:
    """`plan_sentences`, which where teachers are listed are of others than these."""
    said = plan_sentences(content)
    if not content.get("teachers"):
        return said
    return tuple(f"Were any teacher to be had: {each}" for each in said)


def _answer(rows: list[Mapping[str, Any]], percent: str, hardware: Mapping[str, Any] | None) -> str:
    """One budget, and one student unless its size was chosen."""
    first = rows[0]
    alone = first["supervised"]
    said = (
        f"{_budget(first, hardware)}: without a teacher, a "
        f"{format_quantity(alone['params'])} model on {format_quantity(alone['tokens'])} tokens "
        f"reaches {_loss(alone, percent)}."
    )
    taught = [row for row in rows if row["recipe"]["teacher_loss"] is not None]
    said += "".join(f" {_verdict(row, percent)}" for row in taught)
    return f"{said} {_ground(rows)}"


def _verdict(row: Mapping[str, Any], percent: str) -> str:
    """Whether one scenario beats supervised training."""
    better = row["p_beats_supervised"]
    do = "do it" if better >= BETTER else "do not" if better <= WORSE else "undecided"
    gain = row["improvement"]["mean"]
    by = f"{abs(gain):.3f} {'better' if gain >= 0 else 'worse'}"
    student = (
        "" if not row["size_chosen"] else f"a student of {format_quantity(row['params'])} reaches "
    )
    limits = [PARTS[name] for name in row.get("at_limit", ()) if name in PARTS]
    at = f"; {' and '.join(limits)} at the limit" if limits else ""
    run = row["loss"].get("predictive") or {}
    one = (
        f"; one run {run['lower']:.3f} to {run['upper']:.3f}"
        if run.get("lower") is not None
        else ""
    )
    return (
        f"Distil, {row['scenario']}: {do} ({student}{_loss(row['loss'], percent)}{one}, {by}; "
        f"P(beats supervised on equal budget) {format_probability(better)}{at})."
    )


def _ground(rows: list[Mapping[str, Any]]) -> str:
    """What the numbers rest on, of both kinds of run that they need."""
    sides = []
    for row in rows:
        told = row["rests_on"]
        if "supervised" in told:
            sides += [("supervised", told["supervised"]), ("distilled", told)]
        else:
            sides.append(("supervised", told))
    return grounds_in_words(sides)


def _loss(found: Mapping[str, Any], percent: str) -> str:
    return f"{found['mean']:.3f} ({percent}: {found['lower']:.3f} to {found['upper']:.3f})"


def _budget(row: Mapping[str, Any], hardware: Mapping[str, Any] | None) -> str:
    """A budget in FLOPs, PF-days and, where a device was named, its hours and money."""
    told = row.get("budget_as") or {}
    said = f"{row['budget']:.3g} FLOPs".replace("e+", "e")
    if "pf_days" not in told:
        return said
    parts = [f"{format_quantity(told['pf_days'])} PF-days"]
    if hardware is not None:
        at = f"{hardware['device']} at {100 * hardware['utilisation']:.3g}%"
        parts.append(f"{format_quantity(told['gpu_hours'])} GPU-hours of {at}")
    if told.get("cost") is not None:
        parts.append(f"cost {format_quantity(told['cost'])}")
    return f"{said} ({', '.join(parts)})"
