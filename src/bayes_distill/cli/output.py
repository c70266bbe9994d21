"""What goes to stdout and what to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bayes_distill.errors import Fault

if TYPE_CHECKING:
    from bayes_distill.inference.sampler import Progress

MOST_FAULTS = 50  # in one error line; a table can have thousands


def print_json(content: dict[str, Any]) -> None:
    """Print exactly one JSON object on stdout."""
    sys.stdout.write(json.dumps(content, allow_nan=False, indent=2) + "\n")


def error_line(faults: Iterable[Fault | str]) -> None:
    """Print one ``error:`` line on stderr that names every fault."""
    texts = [_flagged(fault) for fault in faults]
    shown = texts[:MOST_FAULTS]
    if len(texts) > MOST_FAULTS:
        shown.append(f"and {len(texts) - MOST_FAULTS} more (see 'bayes-distill check')")
    sys.stderr.write("error: " + "; ".join(" ".join(text.split()) for text in shown) + "\n")


def say(text: str, quiet: bool = False) -> None:
    """Print a sentence for people on stderr."""
    if not quiet:
        sys.stderr.write(text + "\n")


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

    table = Table(
        title=title, caption=caption, box=box.SIMPLE_HEAD, title_justify="left",
        caption_justify="left", title_style="bold", caption_style="dim",
    )  # fmt: skip
    for place, name in enumerate(header):
        table.add_column(name, justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:  # piped: as wide as it needs to be
        console = Console(width=160)
    console.print(table)


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Progress | None]:
    """Progress of a fit on stderr, in one bar that names the phase."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("reading", total=None)
        last = ""

        def report(phase: str, done: int, total: int) -> None:
            nonlocal last
            if not console.is_terminal and phase != last:
                say(f"{phase} ...")
            last = phase
            bar.update(task, description=phase, completed=done, total=total)

        yield report


def _flagged(fault: Fault | str) -> str:
    """A fault with its column as the flag that the user typed."""
    if isinstance(fault, str) or fault.row is not None or fault.column is None:
        return str(fault)
    flag = fault.column if "." in fault.column else "--" + fault.column.replace("_", "-")
    return f"{flag}: {fault.problem}"
