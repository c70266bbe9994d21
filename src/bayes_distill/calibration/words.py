"""A calibration in a sentence, from its plain data: `Calibration.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEVEL = "90"


def calibration_sentence(content: Mapping[str, Any]) -> str:
    """Whether posteriors of a card hold the truths that they were simulated from."""
    quantities = content["quantities"]
    ends = [f"{100 * f(q['coverage'][LEVEL] for q in quantities):.0f}%" for f in (min, max)]
    amiss = [q["name"] for q in quantities if q["verdict"] != "pass"]
    said = (
        f"{LEVEL}% intervals of {content['model']} hold the truth in "
        f"{' to '.join(dict.fromkeys(ends))} of {content['sweeps']} simulated replicates"
    )
    if content["verdict"] == "pass":
        do = "The sampler and its intervals can be relied on for this design"
    else:
        which = f": ranks of {', '.join(amiss)} are not uniform" if amiss else ""
        word = "not be relied on" if content["verdict"] == "fail" else "be relied on with care"
        do = f"Intervals of this design should {word}{which}"
    from_ = "" if content["simulator"] == content["model"] else f" from {content['simulator']}"
    return (
        f"{said}. {do}. This rests on {len(quantities)} quantities of {content['sweeps']} fits, "
        f"and on runs simulated{from_}, not on real ones."
    )
