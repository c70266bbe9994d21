"""Two arms at one point in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bayes_distill._input.numbers import format_probability, format_quantity
from bayes_distill._input.text import shown

TELLS = 0.05  # of the variance of a gap: less is no news
SETTLED = 3.0  # standard deviations of a run's forecast that it hardly comes out away from it


def arms_sentence(row: Mapping[Any, Any], percent: str) -> str:
    """Which of two arms is better, by how much, and what would change that: a row of `Arms.table`.

    The first named is the one that is more probably better.
    """
    p, a, b = row["p_a_better"], row["a"], row["b"]
    ends = row["gap_lower"], row["gap_upper"]
    gap = row["gap_mean"]
    if p < 0.5:
        p, a, b, gap, ends = 1 - p, b, a, -gap, (-ends[1], -ends[0])
    said = (
        f"At {format_quantity(row['params'])} parameters on {format_quantity(row['tokens'])} "
        f"tokens {shown(str(a))} is better than {shown(str(b))} with probability "
        f"{format_probability(p)}, by {-gap:.4f} ({percent}: {-ends[1]:.4f} to {-ends[0]:.4f})."
    )
    explained, needed = row["telling_explained"], row["telling_needed"]
    if math.isnan(explained) or explained < TELLS:
        return f"{said} No run of a tenth of its compute or less would tell much more."
    would = (
        "and could hardly turn it round"
        if needed > SETTLED
        else f"and {needed:.1f} standard deviations off its forecast it would make them equal"
    )
    return (
        f"{said} Most would be told by a run of {shown(str(row['telling_arm']))} with "
        f"{format_quantity(row['telling_params'])} parameters on "
        f"{format_quantity(row['telling_tokens'])} tokens: it takes away "
        f"{100 * explained:.0f}% of what is uncertain of the gap (its variance), {would}."
    )
