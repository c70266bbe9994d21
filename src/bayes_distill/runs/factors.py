"""Columns that a table has besides those that are used, and that its losses depend on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.text import shown
from bayes_distill.runs.cell_values import parse_cells, parse_labels
from bayes_distill.runs.grouping import clusters, condition_groups, teacher_groups
from bayes_distill.runs.outliers import surface_residuals
from bayes_distill.runs.table import distilled

DISAGREE = 0.02
"""Difference of two losses, relative to the larger, that another seed does not make."""
EXPLAINED = 0.5
"""Share of the variance among equal runs from which a column is taken for a factor."""
MOST_LEVELS = 12
LEAST_RUNS = 12
SIGNIFICANT = 1e-3
"""Of the p-value of a column, times the number of columns."""
SAME_QUANTITY = 0.9
"""Rank correlation with the loss from which a column is another measure of it."""


def replicates(frame: pd.DataFrame) -> np.ndarray:
    """Group of every run (n,) by size, tokens, different tokens and teacher."""
    keys = [
        condition_groups(frame["params"].to_numpy(float), frame["tokens"].to_numpy(float)),
        teacher_groups(frame),
    ]
    if "unique_tokens" in frame:
        keys.append(clusters(np.log(frame["unique_tokens"].to_numpy(float)), 0.02)[0])
    _, group = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
    return np.asarray(group.reshape(-1))


def disagreement(frame: pd.DataFrame, other: pd.DataFrame) -> tuple[str | None, str | None]:
    """What to say of equal runs whose losses disagree, and the column that tells them apart.

    Parameters
    ----------
    frame
        Canonical frame of sound runs.
    other
        The columns that are not used, with the same index.

    Returns
    -------
    tuple
        A sentence, and the name of a column of `other`; ``None`` where there is neither.
    """
    group = replicates(frame)
    losses = frame["loss"].groupby(group)
    spread = 1 - losses.transform("min") / losses.transform("max")
    if not (spread > DISAGREE).any():
        return None, None
    size = int((spread > DISAGREE).sum())
    first = group[int(np.argmax(spread.to_numpy()))]
    rows = frame.index[group == first]
    said = "Equal params and tokens" + (" and teachers" if distilled(frame).any() else "")
    where = f"{size} rows, such as {rows[0]} and {rows[-1]}"
    said = f"{said}, losses differ by {'up to ' if size > 2 else ''}{spread.max():.0%} ({where})"
    column = _factor(frame["loss"], group, other)
    if column is None:
        return f"{said}: replicates disagree by more than seeds do; are they of one set-up?", None
    one = shown(next(label for label in parse_labels(other[column]) if label is not None), 20)
    name = column_in_text(column)
    return (
        f"{said}: is column {name} a factor? If so, fit one of its values at a time (in a mapping, "
        f'[keep.where] "{shown(column)}" = "{one}")'
    ), column


def column_in_text(name: str) -> str:
    """The name of a column in backticks; the word column stands before it."""
    return f"`{shown(name).replace('`', chr(39))}`"


def _factor(loss: pd.Series[float], group: np.ndarray, other: pd.DataFrame) -> str | None:
    """The column whose levels explain most of the variance among equal runs."""
    logs = np.log(loss.to_numpy(float))
    centred = logs - pd.Series(logs).groupby(group).transform("mean").to_numpy()
    repeated = pd.Series(group).groupby(group).transform("size").to_numpy() > 1
    total = float(np.sum(centred**2))
    best, share = None, EXPLAINED
    for name in other:
        levels = pd.Series(parse_labels(other[name]), dtype=object)
        known = repeated & levels.notna().to_numpy()
        count = int(levels[known].nunique())
        if not 2 <= count <= min(MOST_LEVELS, int(known.sum()) // 2):
            continue
        # the levels as they are within a group: whatever goes with the size tells nothing
        effects = pd.get_dummies(levels[known]).to_numpy(float)
        means = pd.DataFrame(effects).groupby(group[known]).transform("mean").to_numpy()
        within = effects - means
        solution = np.linalg.lstsq(within, centred[known], rcond=None)[0]
        explained = 1 - float(np.sum((centred[known] - within @ solution) ** 2)) / total
        if explained > share:
            best, share = str(name), explained
    return best


def explaining_columns(frame: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Sentences on columns that go with what a smooth surface leaves of the losses.

    The surface is that of `suspected_outliers`. Levels are compared by the test of Kruskal and
    Wallis, numbers by Spearman's rank correlation; columns that rank the runs as their losses do
    are other measures of the loss, and are left out.
    """
    has_teacher = distilled(frame)
    # by least squares: absolute deviations put the surface through the runs of one level
    parts = [surface_residuals(frame[kind], False) for kind in (has_teacher, ~has_teacher)]
    found = [part for part in parts if part is not None]
    if not found or len(other.columns) == 0:
        return []
    residual = pd.concat(found)
    if len(residual) < LEAST_RUNS:
        return []
    tested = {
        str(name): p
        for name in other
        if (p := _p_value(residual, frame["loss"], other[name])) is not None
    }
    notes = []
    for name, p in sorted(tested.items(), key=lambda each: each[1]):
        if p * len(tested) < SIGNIFICANT:
            notes.append(
                f"Column {column_in_text(name)} goes with what params and tokens leave unexplained "
                f"(p = {p:.0e}): is it a factor?"
            )
    return notes[:3]


def _p_value(
    residual: pd.Series[float], loss: pd.Series[float], column: pd.Series[Any]
) -> float | None:
    """Of no relation between a column and the residuals; ``None`` if it is not to be tested."""
    from scipy import special

    cells = column.loc[residual.index]
    values, problems = parse_cells(cells)
    numbers = pd.Series(values, index=residual.index)
    known = numbers.notna() & np.isfinite(numbers)
    if not problems and known.sum() >= LEAST_RUNS and numbers[known].nunique() > 4:
        ranks, others = numbers[known].rank(), residual[known].rank()
        measured = ranks.corr(loss.loc[ranks.index].rank())
        if abs(measured) > SAME_QUANTITY:
            return None
        r, n = float(ranks.corr(others)), len(ranks)
        if not abs(r) < 1:
            return None
        return float(2 * special.stdtr(n - 2, -abs(r) * np.sqrt((n - 2) / (1 - r**2))))
    levels = pd.Series(parse_labels(cells), index=residual.index, dtype=object).dropna()
    sizes = levels.value_counts()
    if len(levels) < LEAST_RUNS or not 2 <= len(sizes) <= MOST_LEVELS or sizes.min() < 2:
        return None
    ranks = residual.loc[levels.index].rank()
    mean = ranks.groupby(levels).mean()
    n = len(ranks)
    statistic = 12 / (n * (n + 1)) * float((sizes * (mean - (n + 1) / 2) ** 2).sum())
    return float(special.chdtrc(len(sizes) - 1, statistic))
