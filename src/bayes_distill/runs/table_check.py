"""Every fault and oddity of a table of runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_distill.errors import Fault
from bayes_distill.runs.reading import examine
from bayes_distill.runs.table import Kind, Runs, Skipped, kind_of

if TYPE_CHECKING:
    from bayes_distill.runs.reading import MappingSource


@dataclass(frozen=True, slots=True)
class RunsReport:
    """Every fault and oddity of a table of runs.

    Parameters
    ----------
    rows
        Number of runs in the table, with those that are skipped; 0 if it cannot be read.
    kind
        ``supervised``, ``distillation`` or ``mixed``, by the runs without a fault; ``None`` if
        there are none.
    faults
        What must be put right before anything can be fitted.
    notes
        What is odd or was corrected.
    columns
        What the table calls each column that is used, by canonical name.
    skipped
        Runs of an experiment tracker that are left out, with the reasons.
    """

    rows: int
    kind: Kind | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    columns: dict[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": self.rows,
            "kind": self.kind,
            "faults": [
                {"row": f.row, "column": f.column, "problem": f.problem} for f in self.faults
            ],
            "notes": list(self.notes),
            "columns": dict(self.columns),
            "skipped": [{"row": s.row, "run": s.run, "reason": s.reason} for s in self.skipped],
        }


def check(
    source: str | Path | pd.DataFrame | Runs,
    corrections: bool = True,
    mapping: MappingSource | None = None,
) -> RunsReport:
    """Find every fault and oddity of a table, and raise for none of them.

    Parameters
    ----------
    source
        What `read_runs` takes.
    corrections
        Whether the known faults of a named table are corrected.
    mapping
        What an experiment tracker calls the columns, as for `read_runs`.
    """
    if isinstance(source, Runs):
        columns = {str(name): str(name) for name in source.frame}
        return RunsReport(
            len(source) + len(source.skipped),
            source.kind,
            (),
            source.notes,
            columns,
            source.skipped,
        )
    examined = examine(source, corrections=corrections, mapping=mapping)
    kind = kind_of(examined.sound) if len(examined.sound) else None
    return RunsReport(
        examined.rows, kind, examined.faults, examined.notes, examined.columns, examined.skipped
    )
