"""Whether a register of forecasts is as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_distill._input import register as files
from bayes_distill._input.text import shown
from bayes_distill._input.types import SOURCE, check_types
from bayes_distill.errors import Fault, InputError
from bayes_distill.predict.results.display import Result

SHA256 = 64


@dataclass(frozen=True, eq=False, repr=False)
class Verification(Result):
    """A register held against its chain of sha256.

    Parameters
    ----------
    lines
        Number of whole lines.
    table
        One row a fault: ``line``, from 0, and ``problem``.
    head
        Sha256 of the last whole line. Kept elsewhere, it shows that no line is missing at the end.
    torn
        Text of a last line that was not written to its end; empty if there is none.
    repaired
        Whether that line was taken off.
    """

    lines: int
    table: pd.DataFrame
    head: str
    torn: str
    repaired: bool
    notes: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether no line was changed, removed, put in, or left unfinished."""
        return not len(self.table) and (self.repaired or not self.torn)

    def __repr__(self) -> str:
        return f"<Verification: {self.lines} lines, {'intact' if self.intact else 'not intact'}>"

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "lines": self.lines,
            "intact": self.intact,
            "faults": self.table.to_dict("records"),
            "head": self.head,
            "torn": self.torn,
            "repaired": self.repaired,
        }


def verify(forecasts: str | Path, *, head: str | None = None, repair: bool = False) -> Verification:
    """Say whether a line of a register of forecasts was changed after it was written.

    Parameters
    ----------
    forecasts
        A register that `forecast`, `risk`, `plan` or `arms` wrote.
    head
        Sha256 of a line that must be in it, as an earlier call gave it: then lines that are missing
        at the end show too.
    repair
        Whether a last line that was not written to its end is taken off.

    Raises
    ------
    InputError
        If the file cannot be read, or is no register.
    """
    check_types(forecasts=(forecasts, SOURCE), head=(head, (str, type(None))))
    if head is not None and (len(head) != SHA256 or set(head.lower()) - set("0123456789abcdef")):
        raise InputError(Fault(f"'{shown(head)}' is no sha256 of 64 digits", column="head"))
    found = files.repair(forecasts) if repair else files.read_register(forecasts)
    faults = [{"line": fault.row, "problem": fault.problem} for fault in found.faults]
    digests = {found.head, *(line.get("previous") for line in found.lines)}
    if head is not None and head.lower() not in digests:
        problem = "no line has the sha256 of `head`: lines were changed, or removed at the end"
        faults.append({"line": len(found.lines), "problem": problem})
    torn = shown(found.torn.decode("utf-8", "backslashreplace"), 200)
    notes = []
    if torn and not repair:
        notes.append(
            "the last line was not written to its end: `verify(FILE, repair=True)` takes it off"
        )
    return Verification(
        len(found.lines),
        pd.DataFrame(faults, columns=["line", "problem"]),
        found.head,
        torn,
        repair and bool(found.torn),
        tuple(notes),
    )
