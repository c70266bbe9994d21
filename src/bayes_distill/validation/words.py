"""A validation in a sentence, from its plain data: `Validation.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_distill.validation.rows import percent

DO = {
    "as stated": "They can be relied on for runs like these",
    "too narrow": "Do not rely on them for runs like these: they are too narrow",
    "too wide": "They can be relied on for runs like these, and are wider than they need be",
}
UNTOLD = (
    "That neither shows that they can be relied on nor that they cannot: there are too few "
    "independent runs"
)
CLEARLY_LESS, FEWEST = 0.1, 6.0
"""Below its level by this a share is no ground to rely on; nor is one of so few runs."""
WHAT = {
    "params": "each student size left out in turn",
    "group": "each label left out in turn",
    "tail": "the dearest runs left out",
    "compute": "the runs above each budget left out",
}


def validation_sentence(content: Mapping[str, Any]) -> str:
    """Whether bands of the card hold what they promise on runs that it did not see."""
    level = percent(content["interval"])
    overall = content["overall"]
    said = (
        f"The {level}% bands of {content['model']} hold {100 * overall['coverage'][level]:.0f}% of "
        f"{overall['runs']} left-out runs. "
    )
    bands, effective = overall.get("bands"), overall.get("effective_runs")
    if content.get("factors"):  # what matters is how far the bands hold
        far = content["rows"][-1]
        said += "".join(
            f"At {r['above']:g} to {r['factor']:g} times the compute of those fitted: "
            f"{100 * r['coverage'][level]:.0f}%, {r['verdict']}. "
            for r in content["rows"]
        )
        bands, effective = far["verdict"], far["effective_runs"]
    if bands is None:  # of an earlier version
        return said.strip()
    share = (content["rows"][-1] if content.get("factors") else overall)["coverage"][level]
    few = effective is not None and effective < FEWEST
    less = share < content["interval"] - CLEARLY_LESS
    do = UNTOLD if bands == "as stated" and (few or less) else DO[bands]
    grounds = WHAT.get(content["leave_out"], "runs left out")
    worth = f", worth {effective:.3g} independent runs" if effective is not None else ""
    factor = overall.get("factor")
    far_out = (
        f", the dearest at {factor:.3g} times the compute of those fitted"
        if factor and factor > 1 and not content.get("factors")
        else ""
    )
    verdict = content["verdict"]
    sampling = "" if verdict == "pass" else f" The sampling of some refits: {verdict}."
    return f"{said}{do}. This rests on {grounds}{worth}{far_out}.{sampling}"
