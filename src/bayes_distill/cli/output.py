"""What goes to stdout and what to stderr."""

from __future__ import annotations

import itertools
import json
import math
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from string import Formatter
from typing import TYPE_CHECKING, Any, TextIO

from bayes_distill._input.text import printable
from bayes_distill.cli.spelling import as_typed, flag, prose_as_typed
from bayes_distill.errors import Fault, shortened

if TYPE_CHECKING:
    from bayes_distill.parallel import Progress

MOST_SENTENCES, SENTENCE_WIDTH = 6, 96
MOST_FAULTS = 50  # in full in one error line; a table can have thousands
MOST_CHARACTERS = 10_000  # of all faults together, shared out among them
LEAST_CHARACTERS = 400  # of each
LONGEST = 100_000  # that is looked through for Python to be spelt as flags


def print_json(content: dict[str, Any]) -> None:
    """Print exactly one JSON object on stdout; a number that is not finite is null."""
    _write(sys.stdout, json_text(content))


def json_text(content: dict[str, Any]) -> str:
    """One JSON object as text; a number that is not finite is null, notes name flags."""
    return json.dumps(_finite(prose_as_typed(content)), allow_nan=False, indent=2) + "\n"


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
        _write(sys.stderr, shortened(printable(as_typed(shortened(text, LONGEST)))) + "\n")


def echo(text: str, end: str = "\n") -> None:
    """Print a line for people on stdout; control characters in names are written as escapes."""
    _write(sys.stdout, printable(text) + end)


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
    import textwrap

    few = list(itertools.islice(sentences, MOST_SENTENCES))
    for sentence in few:
        echo(textwrap.fill(as_typed(sentence), SENTENCE_WIDTH))
    if few:
        echo("")


def print_table(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str | None = None,
    left: int = 1,
) -> None:
    """Print a table on stdout; the first `left` columns are text, the others numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def text(words: str) -> Text:
        # as Text, names are shown as they are: no [markup] and no :emoji: in them
        return Text(printable(words))

    table = Table(
        title=text(title),
        caption=None if caption is None else text(caption),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        caption_style="dim",
    )
    for place, name in enumerate(header):
        table.add_column(text(name), justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(text, row))
    console = Console()
    if not console.is_terminal:  # piped: as wide as it needs to be
        console = Console(width=160)
    console.print(table)


def print_records(
    title: str,
    records: Iterable[Mapping[Any, Any]],
    columns: Sequence[tuple[str, str]],
    caption: str | None = None,
    left: int = 1,
) -> None:
    """Print records as a table on stdout.

    A column is its header and the format of its cells, in which fields are keys of the record;
    ``{params!q}`` is a quantity with its suffix, such as 1.5B, and ``-`` where it is nan.
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
        return super().convert_field(value, conversion)


@contextmanager
def progress_bar(
    quiet: bool, *, after: float = 0.0, lines: bool = True
) -> Iterator[Progress | None]:
    """Progress on stderr, in one bar that names the phase.

    Parameters
    ----------
    quiet
        No progress at all.
    after
        Seconds that pass before anything is shown: short work needs no bar.
    lines
        Whether progress is written line by line where stderr is no terminal.
    """
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    begun = time.monotonic()
    if not console.is_terminal:
        last = ""

        def name_phase(phase: str, done: int, total: int) -> None:
            nonlocal last
            here = f"{phase} {100 * (4 * done // total) // 4}%" if total > 1 else phase
            if lines and here != last and time.monotonic() - begun >= after:
                say(f"{here} ...")
            last = here

        yield name_phase
        return
    with ExitStack() as shown:
        bar = Progress(
            TextColumn("{task.description:<18}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        task = bar.add_task("reading", total=None)

        def show() -> None:
            if not bar.live.is_started and time.monotonic() - begun >= after:
                shown.enter_context(bar)

        def report(phase: str, done: int, total: int) -> None:
            bar.update(task, description=phase, completed=done, total=total)
            show()

        show()
        yield report


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


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
