"""A check of a table in a sentence, from its plain data: `RunsReport.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPEN = ("?", "look distilled")
"""What stands in notes that leave open what the runs are."""


def check_sentence(content: Mapping[str, Any], source: str) -> str:
    """Whether the table can be fitted, and what has to be done first."""
    faults = content["faults"]
    kind = {"distillation": "distilled", "mixed": "supervised and distilled"}.get(
        content["kind"], content["kind"] or ""
    )
    runs = f"{kind} runs".strip()
    if faults:
        rows = {fault["row"] for fault in faults if fault["row"] is not None}
        where = f" in {len(rows)} of {content['rows']} rows" if rows else ""
        one = len(faults) == 1
        mend = f"Mend {'it' if one else 'them'}{' or leave the rows out' if rows else ''}"
        counted = f"{len(faults)} fault{'' if one else 's'}{where}"
        return f"{source} cannot be fitted yet: {counted}. {mend}, then check again."
    skipped = content["rows"] - content["used"]
    left = f", {skipped} skipped" if skipped else ""
    asked = sum(any(sign in note for sign in OPEN) for note in content["notes"])
    first = f" Settle {asked} question{'s' if asked > 1 else ''} below first." if asked else ""
    return f"{source} can be fitted: {content['used']} {runs}{left}, no faults.{first}"
