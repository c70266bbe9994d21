"""Known faults of the named tables: corrected openly, or pointed out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from bayes_distill.runs.datasets import DATASETS

SWAPPED_ROWS = tuple(range(348, 354))
_SWAP = {7.75e9: 4.82e9, 4.82e9: 7.75e9}

OUTLIERS = (0, 1, 2, 3, 4)
WITHOUT_OUTLIERS = "tokens > 0.43 * params"
"""Condition that drops exactly the five `OUTLIERS` of hoffmann2022, by size and not by loss."""

NAMED_NOTES: dict[str, tuple[str, ...]] = {
    "hoffmann2022": (
        "The five highest losses (rows 0 to 4) are outliers by the account of those who read the "
        "figure off, and who fit the other 240 runs; leave them out with "
        f'`where="{WITHOUT_OUTLIERS}"`.',
    ),
}
"""What users of a named table should read, by its name."""


def correct(name: str, frame: pd.DataFrame, apply: bool) -> tuple[pd.DataFrame, list[str]]:
    """Correct a named table where it needs it, and say so; rows keep their numbers.

    Parameters
    ----------
    name
        Name of the table.
    frame
        Its canonical frame, as extracted. It is not changed.
    apply
        Whether to correct it, or only to say what is wrong.
    """
    if name != "busbridge2025":
        return frame, []
    reason = (
        "100.5B tokens fit a 4.82B student and 159.2B a 7.75B student at 20 tokens per parameter, "
        "and as extracted the larger student is the worse one"
    )
    if not apply:
        return frame, [
            "No correction is applied: the sizes 7.75B and 4.82B of rows 348 to 353 are taken as "
            f"extracted, though they are swapped ({reason})."
        ]
    frame = frame.copy()
    frame.loc[list(SWAPPED_ROWS), "params"] = frame.loc[list(SWAPPED_ROWS), "params"].map(_SWAP)
    return frame, [
        "Corrected: the sizes 7.75B and 4.82B of rows 348 to 353 are swapped in the extracted "
        f"table and have been put right ({reason}); take them as extracted with "
        "`corrections=False`."
    ]


def sibling_note(path: Path) -> list[str]:
    """Point to the name of a named table whose file is read by its path."""
    size, digest = path.stat().st_size, None
    for dataset in DATASETS.values():
        if size == dataset.size:
            digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
            if digest == dataset.sha256:
                return [
                    f"This file is the named data {dataset.name}: give that name instead of the "
                    "path to have its known faults corrected or pointed out."
                ]
    return []
