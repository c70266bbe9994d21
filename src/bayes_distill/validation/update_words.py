"""What new runs changed, in a sentence: `Update.to_json()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_distill._input.text import named


def update_sentence(content: Mapping[str, Any]) -> str:
    """How many runs are new, what moved most, and how many of them surprise."""
    new, surprises = content["new_runs"], content["surprises"]
    said = f"{new} new run{'' if new == 1 else 's'}"
    if content["moved"]:
        most = content["moved"][0]
        said += f" moved {most['name']} most, by {most['sd']:+.2f} of its standard deviations"
    if not surprises:
        return f"{said}; no new run is a surprise to the earlier fit."
    rows = named([str(each["row"]) for each in surprises], 5)
    verb = "is a surprise" if len(surprises) == 1 else "are surprises"
    return f"{said}; {len(surprises)} of them {verb} to the earlier fit (row {rows})."
