"""A comparison of fits in a sentence, from its plain data: `Comparison.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COUNTS = 2.0  # standard errors from which a difference is one
LEFT_OUT = {
    "params": "student sizes left out",
    "group": "labels left out",
    "tail": "the dearest runs left out",
}


def comparison_sentence(content: Mapping[str, Any]) -> str:
    """Which fit predicts best, whether that counts, and what it rests on."""
    kind = next(iter(content["left_out"]), None)
    if kind is None:
        rows, score, error = content["fits"], "elpd_diff", "se_diff"
        grounds = "single runs left out (PSIS-LOO)"
    else:
        rows, score, error = content["left_out"][kind], "joint_lpd_diff", "joint_lpd_se_diff"
        grounds = LEFT_OUT.get(kind, f"{kind} left out")
    ordered = sorted(rows, key=lambda r: -r[score])
    best = ordered[0]["fit"]
    grounds = f"This rests on {grounds}."
    if len(ordered) == 1:
        return f"{best} is the only fit. {grounds}"
    second = ordered[1]
    behind, se = abs(second[score]), second[error]
    if se is None:  # a single group has no error
        return (
            f"{best} predicts best, {behind:.1f} nats ahead of {second['fit']}; whether that "
            f"counts, one group does not tell. {grounds}"
        )
    sure = behind > COUNTS * se
    do = f"Use {best}" if sure else "Use either, or their stack (`stack`)"
    return (
        f"{best} predicts best, {behind:.1f} nats ahead of {second['fit']} (standard error "
        f"{se:.1f}): the difference {'counts' if sure else 'does not count'}. {do}. {grounds}"
    )
