"""What `bayes-distill check` says about a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_distill.errors import Fault
from bayes_distill.runs.reading import examine
from bayes_distill.runs.table import Kind, Runs, kind_of


@dataclass(frozen=True, slots=True)
class RunsReport:
    """Every fault and oddity of a table of runs.

    Parameters
    ----------
    rows
        Number of runs in the table; 0 if it cannot be read.
    kind
        ``supervised``, ``distillation`` or ``mixed``, by the runs without a fault; ``None`` if
        there are none.
    faults
        What must be put right before anything can be fitted.
    notes
        What is odd or was corrected.
    """

    rows: int
    kind: Kind | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What ``check --json`` prints."""
        return {
            "rows": self.rows,
            "kind": self.kind,
            "faults": [
                {"row": f.row, "column": f.column, "problem": f.problem} for f in self.faults
            ],
            "notes": list(self.notes),
        }


def check_runs(source: str | Path | pd.DataFrame | Runs, corrections: bool = True) -> RunsReport:
    """Find every fault and oddity of a table, and raise for none of them.

    Parameters
    ----------
    source
        What `read_runs` takes.
    corrections
        Whether the known faults of a named table are corrected.
    """
    if isinstance(source, Runs):
        return RunsReport(len(source), source.kind, (), source.notes)
    examined = examine(source, corrections=corrections)
    kind = kind_of(examined.sound) if len(examined.sound) else None
    return RunsReport(examined.rows, kind, examined.faults, examined.notes)
