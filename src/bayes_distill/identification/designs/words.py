"""A design in a sentence, from its plain data: `Design.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_distill._input.text import named

REMOVED = {
    "variance": "of the variance of",
    "width": "of the width of the predictive interval of",
}


def design_sentence(content: Mapping[str, Any]) -> str:
    """What the runs cost, and what they tell."""
    chosen, value = content["chosen"], content["value"]
    if not chosen:
        return "No run is chosen: none is worth its cost."
    runs = "1 run" if len(chosen) == 1 else f"{len(chosen)} runs"
    said = f"{runs} for {content['spent']:.3g}, which leaves {content['left']:.3g} of the budget: "
    if content["criterion"] == "value":
        regret = content["regret"]
        return (
            f"{said}the expected regret of the plan falls by {value['mean']:.3g} "
            f"(+- {value['error']:.1g}), from {regret['now']:.3g} to {regret['after']:.3g}. "
            "That is expected, and rests on the law."
        )
    targets = named([target["name"] for target in content["targets"]], 3)
    if content["criterion"] == "information":
        gained = f"they tell {value['mean']:.3g} nats (+- {value['error']:.1g}) of"
    else:
        share = f"{value['mean']:.1%} (+- {value['error']:.1%})"
        gained = f"they are expected to remove {share} {REMOVED[content['criterion']]}"
    return f"{said}{gained} {targets}. That rests on the law."
