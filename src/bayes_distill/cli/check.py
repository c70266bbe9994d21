"""``bayes-distill check``: every fault and oddity of a table, without fitting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

from bayes_distill._input.outputs import MAPPING
from bayes_distill._input.text import named
from bayes_distill.cli.options import (
    Columns,
    MappingFile,
    Model,
    NoCorrections,
    Overwrite,
    Runs,
    option,
)
from bayes_distill.cli.output import (
    echo,
    error_line,
    print_json,
    print_sentences,
    print_table,
    say,
    spans,
    wrapped,
)
from bayes_distill.cli.shared_options import Common, spread_options
from bayes_distill.cli.spelling import as_typed
from bayes_distill.cli.tables import PIPED, table_format
from bayes_distill.errors import shortened

if TYPE_CHECKING:
    from bayes_distill.errors import Fault
    from bayes_distill.runs import RunsReport

MOST, LONGEST = 50, 1000
"""Findings of a kind that are listed for people, and characters of each."""


FLAGS = {"mapping", "columns"}


@spread_options
def check(
    runs: Runs,
    model: Model = None,
    no_corrections: NoCorrections = False,
    mapping: MappingFile = None,
    columns: Columns = None,
    write_mapping: Annotated[
        str | None, option("Draft a mapping of the table, to be completed.", "FILE.toml")
    ] = None,
    overwrite: Overwrite = False,
    *,
    common: Common,
) -> int:
    """Name every fault and oddity of a table of runs, without fitting."""
    collect = common.question()
    collect.place(
        "write_mapping",
        write_mapping,
        MAPPING,
        inputs=(runs, model, mapping),
        overwrite=overwrite,
        endings=MAPPING.endings,
    )
    collect.check()
    law = None
    if model is not None:
        from bayes_distill.cards import load_card

        with collect.joined():
            law = load_card(model).scaling_law
    from bayes_distill.runs import check as call
    from bayes_distill.runs.table_check import for_a_mapping

    report = call(
        runs,
        corrections=not no_corrections,
        mapping=mapping,
        columns=columns,
        write_mapping=write_mapping,
        overwrite=overwrite,
        law=law,
    )
    if common.json:
        print_json(report.to_json())
    elif not common.quiet:
        _print(runs, report)
    if write_mapping is not None and for_a_mapping(report.faults):
        say(f"a draft of a mapping was written to {write_mapping}", common.quiet)
        return 0
    if not report.faults:
        return 0
    # a person has just read them: the error line then says where they are, and not all again
    error_line(report.faults if common.json or common.quiet else [_places(report.faults)], FLAGS)
    return 2


def _print(runs: str, report: RunsReport) -> None:
    from bayes_distill.runs.words import check_sentence

    kind = f"{report.kind} runs" if report.kind else "runs"
    skipped = len(report.skipped)
    counted = (
        f"{kind}, {report.rows - skipped} used, {skipped} skipped"
        if skipped
        else f"{report.rows} {kind}"
    )
    print_sentences([check_sentence(report.to_json(), runs)])
    if table_format() != "text":
        _print_table(report)
        return
    verdict = _count(report.faults) if report.faults else "no faults"
    echo(f"{runs}: {counted}, {verdict}")
    if report.columns:
        named = ", ".join(
            name if name == label else f"{name} = {label}" for name, label in report.columns.items()
        )
        _listed(f"columns: {named}")
    if report.rows and (report.faults or report.notes or report.skipped):
        first = "the oldest run" if runs.startswith("mlflow:") else "the first below the header"
        echo(f"  (rows count from 0, {first})")
    _first("faults", (as_typed(f"fault: {fault}") for fault in report.faults[:MOST]), report.faults)
    _first("skipped", (f"skipped: {skip}" for skip in report.skipped[:MOST]), report.skipped)
    _first("notes", (as_typed(f"note: {note}") for note in report.notes[:MOST]), report.notes)
    if report.possible_factors:
        _listed(as_typed(f"not used, and could be factors: {_factors(report)}"))


def _factors(report: RunsReport) -> str:
    from bayes_distill.runs.possible_factors import in_words

    return f"{in_words(report.possible_factors)}; see [factors.NAME] of a model card"


def _first(what: str, lines: Iterable[str], every: Sequence[object]) -> None:
    """The first findings of a kind, and how many there are besides."""
    for line in lines:
        _listed(shortened(line, LONGEST))
    if len(every) > MOST:
        _listed(f"and {len(every) - MOST:,} more {what}; --json lists all")


def _listed(text: str) -> None:
    """A finding, in lines as wide as the terminal."""
    echo(wrapped(f"  {text}", indent="    ", most=PIPED))


def _print_table(report: RunsReport) -> None:
    """Findings as a table: all of them as CSV, the first of each kind for people."""
    most = None if table_format() == "csv" else MOST
    for what in ("faults", "skipped", "notes"):
        more = len(getattr(report, what)) - (most or math.inf)
        if more > 0:
            say(f"and {more:,} more {what}; --json lists all")
    print_table(
        "What was found",
        ["kind", "row", "column", "what"],
        [
            *(
                ("fault", _row(f.row), f.column or "-", as_typed(f.problem))
                for f in report.faults[:most]
            ),
            *(("skipped", _row(s.row), "-", s.reason) for s in report.skipped[:most]),
            *(("note", "-", "-", as_typed(note)) for note in report.notes[:most]),
            *(("factor?", "-", f.column, f.form) for f in report.possible_factors),
        ],
        left=4,
    )


def _row(row: int | None) -> str:
    return "-" if row is None else str(row)


def _places(faults: Sequence[Fault]) -> str:
    """Where faults are, all of them, in a few words."""
    rows = spans(fault.row for fault in faults if fault.row is not None)
    columns = dict.fromkeys(f.column for f in faults if f.row is None and f.column is not None)
    where = [f"rows {rows}"] if rows else []
    where += [named(list(columns))] if columns else []
    return f"{_count(faults)}, listed on stdout{': ' if where else ''}{'; '.join(where)}"


def _count(faults: Sequence[Fault]) -> str:
    return "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
