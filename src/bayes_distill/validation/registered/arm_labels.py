"""Arms of the runs that came, by the columns that registered forecasts name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.cell_values import parse_labels
from bayes_distill.runs.column_names import plain_name
from bayes_distill.runs.table import LABELS
from bayes_distill.validation.registered.entries import Registered


def arm_labels(
    frame: pd.DataFrame, other: pd.DataFrame, register: Registered, *, given: bool
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Arm of every run, by column, and notes on forecasts of arms that cannot be joined.

    Parameters
    ----------
    frame, other
        Runs, and the columns of their table that are not used, by row.
    register
        What was forecast.
    given
        Whether the column was an argument: then it must be there.

    Raises
    ------
    InputError
        If it is not.
    """
    of_arms = register.forecasts[register.forecasts["arm"].notna()]
    if not len(of_arms):
        return {}, ()
    columns = {plain_name(str(name)): other[name] for name in other}
    columns |= {name: frame[name] for name in LABELS if name in frame}
    labels, notes = {}, []
    for by, rows in of_arms.groupby(of_arms["by"].fillna("")):
        column = columns.get(plain_name(str(by))) if by else None
        if column is not None:
            cells = pd.Series(parse_labels(column), index=column.index, dtype=object)
            labels[str(by)] = cells.reindex(frame.index).to_numpy()
        elif given:
            raise InputError(Fault(f"the runs have no column {by}", column="by"))
        else:
            lacks = f"the runs have no column {by}" if by else "their fit names no column of arms"
            notes.append(f"{len(rows)} forecasts of arms wait: {lacks}, see `by`")
    return labels, tuple(notes)
