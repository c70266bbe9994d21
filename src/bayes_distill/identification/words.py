"""What runs identify, in a sentence, from its plain data: `Identification.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_distill._input.numbers import format_quantity

MOST = 3  # coefficients that are told with their intervals


def identification_sentence(content: Mapping[str, Any]) -> str:
    """What is known, what is not, and the run that would tell most."""
    percent = f"{100 * content['interval']:g}%"
    mine = [c for c in content["coefficients"] if c["kind"] == "published"]
    known = [c for c in mine if c["identified"]]
    told = ", ".join(
        f"{c['name']} ({percent}: {c['lower']:.3g} to {c['upper']:.3g})" for c in known[:MOST]
    )
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    vague = ", ".join(c["name"] for c in mine if not c["identified"])
    unknown = f", and not {vague}" if vague else ""
    first = (
        f"The runs identify {told}{more}{unknown}. "
        if known
        else f"The runs do not identify {vague}. "
    )
    return first + run_sentence(content["next_run"])


def run_sentence(content: Mapping[str, Any]) -> str:
    """The next run that would tell most: `NextRun.to_json()`."""
    best = next(c for c in content["candidates"] if c["recommended"] == "best")
    cheap = next((c for c in content["candidates"] if c["recommended"] == "cheap"), None)
    targets = ", ".join(t["name"] for t in content["targets"])
    said = (
        f"The next run to do is {_run(best)}: it would remove {best['gain']:.0%} of the variance "
        f"of {targets}, for {_flops(best)}"
    )
    if cheap is not None:
        said += f"; {_run(cheap)} removes {cheap['gain']:.0%} for {_flops(cheap)}"
    where = ", outside the runs," if best["outside"] else ""
    return f"{said}. That is expected{where} and rests on the law."


def _run(candidate: Mapping[str, Any]) -> str:
    size, tokens = (format_quantity(candidate[name]) for name in ("params", "tokens"))
    loss = candidate["teacher_loss"]
    teacher = "" if loss is None else f" under a teacher of loss {loss:.3g}"
    return f"{size} on {tokens} tokens{teacher}"


def _flops(candidate: Mapping[str, Any]) -> str:
    return f"{candidate['flops']:.2g} FLOPs".replace("e+", "e")
