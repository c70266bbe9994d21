"""What is odd about a table without being wrong: duplicates, outliers, swapped sizes, units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_quantity
from bayes_distill._input.text import named as named_text
from bayes_distill.runs.cell_values import parse_labels
from bayes_distill.runs.factors import column_in_text, disagreement, explaining_columns
from bayes_distill.runs.outliers import suspected_outliers
from bayes_distill.runs.table import NUMERIC, REQUIRED, distilled
from bayes_distill.runs.unique_tokens import has_repeats, unique_tokens

FEW = 8
SAME_SIZE = 0.01
SAME_LOSS = 0.001
WORSE = 0.005
RATIO = (0.1, 1e5)
GUESSING = float(np.log(2**18))
UNTRAINED = 5.0


def quality_notes(frame: pd.DataFrame, other: pd.DataFrame | None = None) -> list[str]:
    """What is odd in a canonical frame of sound runs, one sentence each.

    `other` are the columns of the table that are not used, with the same index.
    """
    if len(frame) == 0 or not set(REQUIRED) <= set(frame.columns):
        return []
    other = pd.DataFrame(index=frame.index) if other is None else other.loc[frame.index]
    disagree, factor = disagreement(frame, other)
    notes = [
        _perplexities(frame),
        _teachers_without_loss(frame, other),
        _duplicates(frame),
        _near_duplicates(frame),
        disagree,
        _below_teacher(frame),
        _outliers(frame),
        *_larger_but_worse(frame, None if factor is None else other[factor]),
        *explaining_columns(frame, other.drop(columns=[factor] if factor else [])),
        _extreme_ratios(frame),
        _repeated_tokens(frame),
    ]
    return [note for note in notes if note]


def rows_text(rows: Iterable[int]) -> str:
    """Name rows as people do: ``row 3``, ``rows 0 to 4, 7 and 12``; shortened when many."""
    ordered = sorted({int(row) for row in rows})
    spans: list[list[int]] = []
    for row in ordered:
        if spans and row == spans[-1][-1] + 1:
            spans[-1].append(row)
        else:
            spans.append([row])
    # two in a row are two rows; three or more are a span
    parts = [part for s in spans for part in ([s] if len(s) > 2 else [[row] for row in s])]
    named = [f"{p[0]} to {p[-1]}" if len(p) > 1 else str(p[0]) for p in parts[:FEW]]
    unnamed = sum(map(len, parts[FEW:]))
    if unnamed:
        named.append(f"{unnamed} more")
    word = "row" if len(ordered) == 1 else "rows"
    return f"{word} {' and '.join([', '.join(named[:-1]), named[-1]] if named[1:] else named)}"


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[name for name in NUMERIC if name in frame]]


def _duplicates(frame: pd.DataFrame) -> str | None:
    again = _numbers(frame).duplicated(keep="first")
    if not again.any():
        return None
    copies = frame.index[_numbers(frame).duplicated(keep=False)]
    return (
        f"{_runs(int(again.sum()))} repeat another in every number, among {rows_text(copies)}: "
        "keep them only if they are runs of their own."
    )


def _near_duplicates(frame: pd.DataFrame) -> str | None:
    from scipy import spatial

    numbers = _numbers(frame).drop_duplicates()
    scales = {"params": SAME_SIZE, "tokens": SAME_SIZE, "loss": SAME_LOSS}
    # another teacher is another run, however close, so its numbers must agree to rounding
    steps = np.array([scales.get(str(name), 1e-9) for name in numbers])
    filled = numbers.where(numbers > 0).to_numpy()
    points = np.where(
        np.isnan(filled), -1e12, np.log(np.where(np.isnan(filled), 1, filled)) / steps
    )
    tree: Any = spatial.KDTree  # scipy has no types
    pairs = tree(points).query_pairs(1.0, p=np.inf)
    if not pairs:
        return None
    index = numbers.index
    named = [f"{index[a]} and {index[b]}" for a, b in sorted((min(p), max(p)) for p in pairs)]
    more = f", and {len(named) - FEW} pairs more" if len(named) > FEW else ""
    return (
        f"Near-duplicates (sizes within {SAME_SIZE:.0%}, losses within {SAME_LOSS:.1%}): rows "
        f"{', '.join(named[:FEW])}{more}."
    )


def _below_teacher(frame: pd.DataFrame) -> str | None:
    if "teacher_loss" not in frame:
        return None
    below = frame.index[frame["loss"] < frame["teacher_loss"]]
    if len(below) == 0:
        return None
    of = int(frame["teacher_loss"].notna().sum())
    return (
        f"{len(below)} of {of} students end below their teacher, which the paper's law has only "
        f"as noise: {rows_text(below)}."
    )


def _outliers(frame: pd.DataFrame) -> str | None:
    has_teacher = distilled(frame)
    rows = [*suspected_outliers(frame[has_teacher]), *suspected_outliers(frame[~has_teacher])]
    if not rows:
        return None
    verb = "has a loss" if len(rows) == 1 else "have losses"
    return (
        f"Suspected outliers: {rows_text(rows)} {verb} far above what the other runs say for "
        "such sizes."
    )


def _larger_but_worse(frame: pd.DataFrame, factor: pd.Series[Any] | None = None) -> list[str]:
    same = ("tokens", "unique_tokens", "teacher_loss", "teacher_params", "teacher_tokens")
    keys: list[Any] = [name for name in same if name in frame]
    if factor is not None:
        keys.append(factor.astype(str).rename("factor"))
    worse: list[tuple[int, int]] = []
    for _, group in frame.groupby(keys, dropna=False, sort=False):
        for row, params, loss in zip(group.index, group["params"], group["loss"], strict=True):
            smaller = group["loss"][group["params"] < params]
            if len(smaller) and loss > smaller.min() * (1 + WORSE):
                worse.append((int(row), int(smaller.idxmin())))
    if not worse:
        return []
    worse.sort()
    cases = [
        f"row {row} ({format_quantity(frame['params'][row])}, {frame['loss'][row]:.4g}) against "
        f"row {other} ({format_quantity(frame['params'][other])}, {frame['loss'][other]:.4g})"
        for row, other in worse[:FEW]
    ]
    more = f", and {len(worse) - FEW} more" if len(worse) > FEW else ""
    return [
        f"A larger model is worse than a smaller one on the same tokens (and teacher) by more than "
        f"{WORSE:.1%}; are sizes swapped? {', '.join(cases)}{more}."
    ]


def _perplexities(frame: pd.DataFrame) -> str | None:
    """Ask about losses that are too high for the natural logarithm of a perplexity.

    Above log 262144, the largest vocabulary in use, a model is worse than a guess. Below that,
    models of some size are better than 5 nats per token after a billion tokens.
    """
    trained = frame["loss"][(frame["params"] >= 3e7) & (frame["tokens"] >= 1e9)]
    high = len(trained) >= 3 and bool((trained > UNTRAINED).mean() > 0.5)
    if not (high or (frame["loss"] > GUESSING).mean() > 0.1):
        return None
    low, most = frame["loss"].min(), frame["loss"].max()
    logs = f"{np.log(low):.2f} to {np.log(most):.2f}" if low > 1 else f"up to {np.log(most):.2f}"
    return (
        f"Losses are {low:.3g} to {most:.3g}, which is much for nats per token: are they "
        f"perplexities? If so, give their natural logarithms, {logs}."
    )


def _teachers_without_loss(frame: pd.DataFrame, other: pd.DataFrame) -> str | None:
    """Note a column that names teachers, where nothing is known of them."""
    alone = ~distilled(frame)
    for name in other:
        if "teacher" not in str(name).casefold():
            continue
        labels = pd.Series(parse_labels(other[name]), index=frame.index, dtype=object)
        named = frame.index[labels.notna() & alone]
        if len(named):
            shown = named_text(list(dict.fromkeys(labels[named])), 3)
            return (
                f"Column {column_in_text(str(name))} names teachers ({shown}) of "
                f"{_runs(len(named))} that have neither teacher_loss nor teacher_params and "
                "teacher_tokens: they look distilled, and are taken for supervised ones. Give the "
                "teachers' losses, or leave these runs out."
            )
    return None


def _extreme_ratios(frame: pd.DataFrame) -> str | None:
    ratio = frame["tokens"] / frame["params"]
    extreme = frame.index[(ratio < RATIO[0]) | (ratio > RATIO[1])]
    if len(extreme) == 0:
        return None
    return (
        f"Tokens per parameter are outside {RATIO[0]:g} to {RATIO[1]:g} in {rows_text(extreme)}: "
        "check the units."
    )


def _repeated_tokens(frame: pd.DataFrame) -> str | None:
    again = has_repeats(frame)
    if not again.any():
        return None
    most = (frame["tokens"] / unique_tokens(frame)).max()
    return (
        f"{int(again.sum())} of {_runs(len(frame))} saw tokens more than once (at most {most:.3g} "
        "times): only the law data-limited tells these from new ones."
    )


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
