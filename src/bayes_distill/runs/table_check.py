"""Every fault and oddity of a table of runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.datasets import DATASETS
from bayes_distill.runs.few_runs import few_runs_note, too_few
from bayes_distill.runs.possible_factors import PossibleFactor, possible_factors
from bayes_distill.runs.reading import examine, open_tracker
from bayes_distill.runs.table import Kind, Runs, Skipped, kind_of

if TYPE_CHECKING:
    from bayes_distill.laws import Law
    from bayes_distill.runs.reading import ColumnsSource, MappingSource


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
    possible_factors
        Columns that are not used and could be factors of a law.
    """

    rows: int
    kind: Kind | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    columns: dict[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    possible_factors: tuple[PossibleFactor, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": self.rows,
            "used": self.rows - len(self.skipped),
            "kind": self.kind,
            "faults": [
                {"row": f.row, "column": f.column, "problem": f.problem} for f in self.faults
            ],
            "notes": list(self.notes),
            "columns": dict(self.columns),
            "skipped": [{"row": s.row, "run": s.run, "reason": s.reason} for s in self.skipped],
            "possible_factors": [each.to_json() for each in self.possible_factors],
        }


def check(
    source: str | Path | pd.DataFrame | Runs,
    corrections: bool = True,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    write_mapping: str | Path | None = None,
    overwrite: bool = False,
    law: Law | None = None,
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
    columns
        Columns of a mapping, ahead of those of `mapping`, as for `read_runs`.
    write_mapping
        Where a draft of a mapping goes: the columns that are known, with the unit of those whose
        counts look like millions or billions, and a line to complete for each of the others. It is
        not written where `for_a_mapping` says that there are faults of another kind.
    overwrite
        Whether the draft may replace an input or a file of another kind.
    law
        The law that the runs are for, as for `read_runs`.

    Raises
    ------
    InputError
        If the draft cannot be written.
    """
    if isinstance(source, Runs):
        if write_mapping is not None:
            raise InputError(Fault("is for a table, not for runs", column="write_mapping"))
        names = {str(name): str(name) for name in source.frame}
        return RunsReport(
            len(source) + len(source.skipped),
            source.kind,
            (),
            source.notes,
            names,
            source.skipped,
        )
    examined = examine(source, corrections=corrections, mapping=mapping, columns=columns, law=law)
    kind = kind_of(examined.sound) if len(examined.sound) else None
    faults, notes = list(examined.faults), list(examined.notes)
    usable = examined.rows - len(examined.skipped)
    if usable and str(source) not in DATASETS:
        fault = too_few(usable)
        note = few_runs_note(usable, kind) if kind and not faults and not fault else None
        faults += [fault] if fault else []
        notes += [note] if note else []
    factors = []
    if len(examined.sound) and not any(fault.row is None for fault in faults):
        factors = possible_factors(examined.sound, examined.other)
    if write_mapping is not None and for_a_mapping(faults):
        _write_draft(source, mapping, columns, Path(write_mapping), overwrite)
    return RunsReport(
        examined.rows,
        kind,
        tuple(dict.fromkeys(faults)),
        tuple(notes),
        examined.columns,
        examined.skipped,
        tuple(factors),
    )


def for_a_mapping(faults: Iterable[Fault]) -> bool:
    """Whether all faults are of columns as a whole, which a mapping can mend; also if none are."""
    about_it = ("mapping", "columns", "keep")
    names = [None if f.row is not None else f.column for f in faults]
    return all(name is not None and name.split(".")[0] not in about_it for name in names)


def _write_draft(
    source: str | Path | pd.DataFrame,
    mapping: MappingSource | None,
    columns: ColumnsSource | None,
    target: Path,
    overwrite: bool,
) -> None:
    from bayes_distill._input.files import atomic_path
    from bayes_distill._input.outputs import MAPPING
    from bayes_distill.runs.trackers.mapping import RunsMapping, with_columns
    from bayes_distill.runs.trackers.mapping_file import draft_mapping

    given = with_columns(mapping, columns) or RunsMapping()
    text = draft_mapping(open_tracker(source, given.extremes)[0], given)
    with atomic_path(target, MAPPING, inputs=(source, mapping), overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
