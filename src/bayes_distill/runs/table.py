"""A validated table of finished training runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.text import shown
from bayes_distill.errors import InputError
from bayes_distill.runs.checkpoints import NO_RUN, PAIR, run_groups
from bayes_distill.runs.conditions import rows_where

Kind = Literal["supervised", "distillation", "mixed"]

REQUIRED = ("params", "tokens", "loss")
NUMERIC = (
    *REQUIRED,
    "teacher_loss",
    "teacher_loss_se",
    "teacher_params",
    "teacher_tokens",
    "unique_tokens",
)
POINT = tuple(name for name in NUMERIC if name not in ("loss", "teacher_loss_se"))
"""Columns that say what was trained, on how much, under which teacher."""
LABELS = ("run", "group")
CANONICAL = (*NUMERIC, *LABELS)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A run of an experiment tracker that is left out.

    Parameters
    ----------
    row
        Its position among all that were read, from 0.
    run
        Its name, if it has one.
    reason
        Why it is left out.
    """

    row: int
    run: str | None
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}{f' ({self.run})' if self.run else ''}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Runs:
    """Finished training runs, one row each; made by `read_runs` or `simulate`.

    Parameters
    ----------
    frame
        Columns ``params``, ``tokens`` (counts) and ``loss`` (nats per token, or any other unit
        throughout), and where the table has them ``teacher_loss`` and its standard error
        ``teacher_loss_se`` (same unit), ``teacher_params``, ``teacher_tokens``,
        ``unique_tokens`` (how many of ``tokens`` are different ones; empty means all), ``run``
        and ``group``. The index, named ``row``, is the run's position in the table as read, from 0.
    source
        Path or name of the data, for people.
    notes
        What was corrected or is odd, one sentence each.
    skipped
        Runs of an experiment tracker that are left out, with the reasons.
    inputs
        Further columns of `frame`, which a law declares (`Law.extra_inputs`).
    """

    frame: pd.DataFrame
    source: str
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        missing = [name for name in REQUIRED if name not in self.frame]
        strangers = [
            str(name) for name in self.frame if name not in (*CANONICAL, PAIR, *self.inputs)
        ]
        if missing or strangers:
            raise TypeError(
                f"a frame of runs lacks {missing} or has unknown {strangers}: use read_runs"
            )

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def distilled(self) -> NDArray[np.bool_]:
        """Whether each run had a teacher, shape ``(len(self),)``."""
        return distilled(self.frame)

    @property
    def kind(self) -> Kind:
        """``supervised``, ``distillation``, or ``mixed`` where the table has runs of both."""
        return kind_of(self.frame)

    @property
    def fingerprint(self) -> str:
        """Sha256 in hex over the numbers of the table, in the order of its rows.

        The same runs give the same fingerprint whatever the file's format, the order and the
        names of its columns, and how its numbers are written. Names count where they say which
        rows are checkpoints of one run.
        """
        digest = hashlib.sha256(f"runs {len(self)}".encode())
        for name in (*NUMERIC, *sorted(self.inputs)):
            if name in self.frame and self.frame[name].notna().any():
                numbers = self.frame[name].to_numpy(dtype="<f8", copy=True)
                numbers[np.isnan(numbers)] = np.nan  # not all NaN have the same bits
                digest.update(name.encode() + numbers.tobytes())
        checkpoints = run_groups(self.frame)
        if (checkpoints != NO_RUN).any():
            digest.update(b"checkpoints" + checkpoints.astype("<i8").tobytes())
        return digest.hexdigest()

    def where(self, expr: str) -> Runs:
        """Keep the runs for which a condition holds; rows keep their numbers.

        Parameters
        ----------
        expr
            A condition over the canonical columns and ``row``, such as
            ``"loss > 2.3 and params < 1e9"``: columns, numbers, text, comparisons, ``and``, ``or``,
            ``not``, ``in (1, 2)``, arithmetic, ``isna(...)``, ``notna(...)``. It is parsed, and
            never run as Python.

        Raises
        ------
        InputError
            If `expr` is not such a condition, or holds for no run.
        """
        frame = self.frame.rename_axis(index="row")
        keep = rows_where(frame, expr)
        said = shown(expr, 200)
        if not keep.any():
            raise InputError(f"the condition '{said}' leaves none of the {len(self)} runs")
        note = f"{int(keep.sum())} of {len(self)} runs are used: those with {said}."
        return replace(self, frame=frame.loc[keep], notes=(*self.notes, note))


def input_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """Columns of a frame of runs that are not of every table."""
    return tuple(str(name) for name in frame if name not in CANONICAL)


def distilled(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each row of a canonical frame has a teacher, by its loss or its size."""
    has_teacher = np.zeros(len(frame), dtype=bool)
    for name in ("teacher_loss", "teacher_params"):
        if name in frame:
            has_teacher |= frame[name].notna().to_numpy()
    return has_teacher


def kind_of(frame: pd.DataFrame) -> Kind:
    """Kind of a canonical frame with at least one row."""
    has_teacher = distilled(frame)
    if not has_teacher.any():
        return "supervised"
    return "distillation" if has_teacher.all() else "mixed"
