"""Supervised runs that a table of distilled ones holds: its teachers, each once.

A teacher with a measured loss, a size and tokens is a run of supervised training, however many
students it has. It says what supervised training reaches, on which the students bear only through
the place of the capacity gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_distill.runs.grouping import SAME_LOSS, SAME_SIZE, SAME_TOKENS, teacher_groups

if TYPE_CHECKING:
    from bayes_distill.runs.table import Runs

COLUMNS = ("params", "tokens", "loss")
STATED = {name: f"teacher_{name}" for name in COLUMNS}

# (params, tokens, loss) of teachers that the published table names by their loss alone. Of four
# profiles the budget is known (figures 2 and 3 of Busbridge et al. 2025), and a profile's best loss
# is that of the size which is optimal there; their sizes are where the law of table 6 has its
# minimum under eq. 69, near which the loss hardly depends on the size. Four more are of the family
# with some 20 tokens per parameter whose students are listed too; teachers of that family whose
# size is not certain are left out.
TEACHERS_OF_BUSBRIDGE = (
    (5.03e8, 7.60e9, 2.5596),  # best of the profile of 3e19 FLOPs
    (9.32e8, 1.449e10, 2.4125),  # 1e20
    (1.637e9, 2.580e10, 2.2917),  # 3e20
    (3.038e9, 4.807e10, 2.1689),  # 1e21
    (1.98e8, 4.9e9, 2.7545),
    (5.46e8, 1.23e10, 2.5038),
    (9.75e8, 2.13e10, 2.3705),
    (2.72e9, 5.44e10, 2.1784),
)
NAMED = {"busbridge2025": TEACHERS_OF_BUSBRIDGE}


def teachers_as_runs(table: Runs) -> pd.DataFrame:
    """Supervised runs (params, tokens, loss) that the teachers of a table are, each once.

    Of a named table, what is known of its teachers from elsewhere; else the teachers with a loss,
    a size and tokens, without those that the table lists as runs of their own.
    """
    if table.source in NAMED:
        return pd.DataFrame(NAMED[table.source], columns=list(COLUMNS))
    frame = table.frame
    if not set(STATED.values()) <= set(frame):
        return pd.DataFrame(columns=list(COLUMNS), dtype=float)
    known = frame[list(STATED.values())].notna().all(axis=1).to_numpy()
    some = frame[known]
    each = (
        some.groupby(teacher_groups(some))[list(STATED.values())].median()
        if len(some)
        else some[list(STATED.values())]
    )
    found = each.set_axis(list(COLUMNS), axis=1).reset_index(drop=True)
    supervised = frame[~table.distilled]
    return found[~_listed(found, supervised)].reset_index(drop=True)


def _listed(teachers: pd.DataFrame, runs: pd.DataFrame) -> np.ndarray:
    """Which teachers (n,) are among the supervised runs."""
    same = np.ones((len(teachers), len(runs)), bool)
    for name, within in (("params", SAME_SIZE), ("tokens", SAME_TOKENS), ("loss", SAME_LOSS)):
        mine, theirs = (np.log(t[name].to_numpy(float)) for t in (teachers, runs))
        same &= np.abs(mine[:, None] - theirs) <= within
    return np.asarray(same.any(axis=1))
