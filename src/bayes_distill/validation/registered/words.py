"""How registered forecasts did, and whether a register is intact, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_distill._input.text import named
from bayes_distill.validation.held import words


def score_sentence(content: Mapping[str, Any]) -> str:
    """Of `Scores.to_json()`."""
    interval = content["interval"]
    share = content["coverage"][f"{100 * interval:.6g}"]
    said = f"{content['scored']} forecasts have a run: their intervals "
    said += words(share, interval, content["verdict"])
    said += f", with a mean CRPS of {content['crps']:.4g}"
    if content["failing"]:
        said += f"; intervals are too narrow for {named(content['failing'])}"
    return f"{said}."


def verify_sentence(content: Mapping[str, Any]) -> str:
    """Of `Verification.to_json()`."""
    lines = f"{content['lines']} line{'' if content['lines'] == 1 else 's'}"
    if content["intact"]:
        taken = " after its torn last line was taken off" if content["repaired"] else ""
        return f"The register is intact{taken}: {lines}, the last with sha256 {content['head']}."
    told = "; ".join(f"line {f['line']} {f['problem']}" for f in content["faults"][:5])
    more = len(content["faults"]) - 5
    told += f"; and {more} more" if more > 0 else ""
    torn = "the last line was not written to its end" if content["torn"] else ""
    return f"The register is not intact ({lines}): {'; '.join(filter(None, (told, torn)))}."
