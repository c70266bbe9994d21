"""What goes to stdout and what to stderr."""

from __future__ import annotations

import itertools
import json
import math
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from string import Formatter
from typing import TYPE_CHECKING, Any, TextIO

from bayes_distill._input.plain import finite
from bayes_distill._input.text import printable
from bayes_distill.cli.spelling import as_typed, flag, prose_as_typed
from bayes_distill.errors import Fault, shortened

if TYPE_CHECKING:
    from bayes_distill._input.progress import Progress

MOST_SENTENCES, SENTENCE_WIDTH = 6, 96
SHORT = 2.0
"""Seconds of work that needs no word about the time left."""
LONG = 10.0
"""Seconds after which work says how far it is also where nobody may be looking."""
MOST_FAULTS = 50  # in full in one error line; a table can have thousands
MOST_CHARACTERS = 10_000  # of all faults together, shared out among them
LEAST_CHARACTERS = 400  # of each
LONGEST = 100_000  # that is looked through for Python to be spelt as flags


def print_json(content: dict[str, Any]) -> None:
    """Print exactly one JSON object on stdout; a number that is not finite is null."""
    _write(sys.stdout, json_text(content))


def json_text(content: dict[str, Any]) -> str:
    """One JSON object as text; a number that is not finite is null, notes name flags."""
    return json.dumps(finite(prose_as_typed(content)), allow_nan=False, indent=2) + "\n"


def error_line(faults: Iterable[Fault | str], flags: Collection[str] = ()) -> None:
    """Print one ``error:`` line on stderr that names every fault.

    `flags` are the options of the command: faults of their names are shown as the flag typed, and
    so is every argument that a message mentions.
    """
    found = list(faults)
    rest = found[MOST_FAULTS:]
    each = max(MOST_CHARACTERS // max(min(len(found), MOST_FAULTS), 1), LEAST_CHARACTERS)
    shown = [
        shortened(as_typed(shortened(_flagged(fault, flags), LONGEST)), each)
        for fault in found[:MOST_FAULTS]
    ]
    if rest:
        rows = [f.row for f in rest if isinstance(f, Fault) and f.row is not None]
        where = f", in rows {spans(rows)}" if rows else ""
        shown.append(f"and {len(rest)} more{where} (see 'bayes-distill check')")
    line = "; ".join(" ".join(printable(text).split()) for text in shown)
    _write(sys.stderr, f"error: {shortened(line, 2 * MOST_CHARACTERS)}\n")


def say(text: str, quiet: bool = False) -> None:
    """Print a sentence for people on stderr, with arguments as the flags that are typed."""
    if not quiet:
        line = shortened(printable(as_typed(shortened(text, LONGEST))))
        if sys.stderr is not None and sys.stderr.isatty():  # elsewhere a note is a line
            line = wrapped(line, indent="  ")
        _write(sys.stderr, line + "\n")


def echo(text: str, end: str = "\n") -> None:
    """Print a line for people on stdout; control characters in names are written as escapes.

    Where tables are CSV it goes to stderr.
    """
    from bayes_distill.cli.tables import table_format

    stream = sys.stderr if table_format() == "csv" else sys.stdout
    _write(stream, "\n".join(line.rstrip() for line in printable(text).split("\n")) + end)


def _write(stream: TextIO | None, text: str) -> None:
    """Write text that the stream may have no characters for, or that has nowhere to go."""
    if stream is None:  # closed by whoever started the process
        return
    try:
        stream.write(text)
    except UnicodeEncodeError as error:
        stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))


def print_sentences(sentences: Iterable[str]) -> None:
    """Print answers in words on stdout, wrapped; of more than a few the tables say the rest."""
    few = list(itertools.islice(sentences, MOST_SENTENCES))
    for sentence in few:
        echo(wrapped(as_typed(sentence)))
    if few:
        echo("")


def wrapped(text: str, indent: str = "", most: int = SENTENCE_WIDTH) -> str:
    """Text in lines that fit the terminal, `most` characters at most, later ones indented."""
    import textwrap

    from bayes_distill.cli.tables import console_width

    width = min(most, console_width())
    return textwrap.fill(text, width, subsequent_indent=indent, break_on_hyphens=False)


def print_table(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str | None = None,
    left: int = 1,
) -> None:
    """Print a table on stdout; the first `left` columns are text, the others numbers.

    Its form is that of `tables.tables_as`. Of CSV only the table goes to stdout, and an empty line
    stands between two tables.
    """
    from bayes_distill.cli import tables

    if tables.table_format() == "csv":
        for words in filter(None, (title, caption)):
            say(words)
    _write(sys.stdout, tables.separator() + tables.formatted(title, header, rows, caption, left))


def print_records(
    title: str,
    records: Iterable[Mapping[Any, Any]],
    columns: Sequence[tuple[str, str]],
    caption: str | None = None,
    left: int = 1,
) -> None:
    """Print records as a table on stdout.

    A column is its header and the format of its cells, in which fields are keys of the record;
    ``{params!q}`` is a quantity with its suffix, such as 1.5B, and ``-`` where it is nan;
    ``{p_best!p}`` a probability.
    """
    fields = _Fields()
    print_table(
        title,
        [header for header, _ in columns],
        [[fields.vformat(cell, (), each) for _, cell in columns] for each in records],
        caption,
        left,
    )


class _Fields(Formatter):
    """`str.format` that can write quantities."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion == "q":
            from bayes_distill._input.numbers import format_quantity

            return "-" if math.isnan(value) else format_quantity(value)
        if conversion == "p":
            from bayes_distill._input.numbers import format_probability

            return format_probability(value)
        return super().convert_field(value, conversion)


def late_bar(quiet: bool) -> AbstractContextManager[Progress | None]:
    """Progress of work that mostly takes less than two seconds: a bar after these, if need be.

    Where stderr is no terminal there are lines, after ten seconds.
    """
    return progress_bar(quiet, after=SHORT, lines_after=LONG)


@contextmanager
def progress_bar(
    quiet: bool, *, after: float = 0.0, lines_after: float | None = None
) -> Iterator[Progress | None]:
    """Progress on stderr, in one bar that names the phase.

    Parameters
    ----------
    quiet
        No progress at all.
    after
        Seconds that pass before anything is shown: short work needs no bar.
    lines_after
        The same where stderr is no terminal, and progress is written line by line: `after`, if
        ``None``.
    """
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    wait = after if lines_after is None else lines_after
    begun = time.monotonic()
    if not console.is_terminal:
        last = ""
        phases: dict[str, tuple[float, int]] = {}

        def name_phase(phase: str, done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            start, first = phases.setdefault(phase, (now, done))
            here = f"{phase} {100 * (4 * done // total) // 4}%" if total > 1 else phase
            if here != last and now - begun >= wait:
                left = _time_left(now - start, done - first, total - done)
                say(f"{here} ...{left}")
            last = here

        yield name_phase
        return
    with ExitStack() as shown:
        bar = Progress(
            TextColumn("{task.description:<18}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("left"),
            console=console,
            transient=True,
        )
        task = bar.add_task("reading", total=None)
        lock = threading.Lock()

        def show() -> None:
            with lock:
                due = time.monotonic() - begun >= after
                if due and not ended.is_set() and not bar.live.is_started:
                    bar.start()
                    shown.callback(bar.stop)

        def report(phase: str, done: int, total: int) -> None:
            # the time left is that of a phase
            if phase != bar.tasks[0].description:
                bar.reset(task)
            bar.update(task, description=phase, completed=done, total=total)
            show()

        # work that reports nothing for long is seen to go on
        ended = threading.Event()
        late = threading.Timer(after, show)
        late.daemon = True
        late.start()
        show()
        try:
            yield report
        finally:
            late.cancel()
            with lock:
                ended.set()


def _time_left(seconds: float, done: int, rest: int) -> str:
    """How long the rest takes if it goes on as before; nothing for short work and at either end."""
    if done <= 0 or rest <= 0 or seconds < SHORT:
        return ""
    left = seconds * rest / done
    return f" about {left:.0f} s left" if left < 100 else f" about {left / 60:.0f} min left"


def _flagged(fault: Fault | str, flags: Collection[str]) -> str:
    """A fault with its column as the flag that the user typed, if it is one."""
    if isinstance(fault, str) or fault.row is not None or fault.column is None:
        return str(fault)
    name = flag(fault.column)
    return f"{name}: {fault.problem}" if name[2:].replace("-", "_") in flags else str(fault)


def spans(rows: Iterable[int]) -> str:
    """Row numbers, neighbours joined: ``3, 50-69``."""
    spans: list[list[int]] = []
    for row in sorted(set(rows)):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
