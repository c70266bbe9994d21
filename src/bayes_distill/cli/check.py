"""``bayes-distill check``: every fault and oddity of a table, without fitting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes_distill.cli.options import MappingFile, NoCorrections, Runs
from bayes_distill.cli.output import echo, error_line, print_json, spans
from bayes_distill.cli.shared_options import Common, spread_options
from bayes_distill.cli.spelling import as_typed

if TYPE_CHECKING:
    from bayes_distill.errors import Fault
    from bayes_distill.runs import RunsReport


@spread_options
def check(
    runs: Runs,
    no_corrections: NoCorrections = False,
    mapping: MappingFile = None,
    *,
    common: Common,
) -> int:
    """Name every fault and oddity of a table of runs, without fitting."""
    common.check()
    from bayes_distill.runs import check as call

    report = call(runs, corrections=not no_corrections, mapping=mapping)
    if common.json:
        print_json(report.to_json())
    elif not common.quiet:
        _print(runs, report)
    if not report.faults:
        return 0
    # a person has just read them: the error line then says where they are, and not all again
    error_line(
        report.faults if common.json or common.quiet else [_places(report.faults)], {"mapping"}
    )
    return 2


def _print(runs: str, report: RunsReport) -> None:
    kind = f"{report.kind} runs" if report.kind else "runs"
    skipped = f", {len(report.skipped)} skipped" if report.skipped else ""
    verdict = _count(report.faults) if report.faults else "no faults"
    echo(f"{runs}: {report.rows} {kind}{skipped}, {verdict}")
    if report.columns:
        named = ", ".join(
            name if name == label else f"{name} = {label}" for name, label in report.columns.items()
        )
        echo(f"  columns: {named}")
    if report.rows and (report.faults or report.notes or report.skipped):
        first = "the oldest run" if runs.startswith("mlflow:") else "the first below the header"
        echo(f"  (rows count from 0, {first})")
    for fault in report.faults:
        echo(f"  fault: {fault}")
    for skip in report.skipped:
        echo(f"  skipped: {skip}")
    for note in report.notes:
        echo(as_typed(f"  note: {note}"))


def _places(faults: Sequence[Fault]) -> str:
    """Where faults are, all of them, in a few words."""
    rows = spans(fault.row for fault in faults if fault.row is not None)
    columns = dict.fromkeys(f.column for f in faults if f.row is None and f.column is not None)
    where = [f"rows {rows}"] if rows else []
    where += [", ".join(columns)] if columns else []
    return f"{_count(faults)}, listed on stdout{': ' if where else ''}{'; '.join(where)}"


def _count(faults: Sequence[Fault]) -> str:
    return "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
