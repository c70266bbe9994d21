"""What the package raises when the input, not the program, is at fault.

Messages speak Python, whoever reads them. A fault of an argument has the argument's name as its
``column``. Where a message mentions another argument, or a call that would help, it writes it as
Python between backticks: `` `draws` ``, `` `leave_out="tail"` ``,
`` `fit(RUNS, model="supervised")` ``. A bare name between backticks is always an argument. The
command line shows both as the flag or the command that a person would type
(`bayes_distill.cli.spelling`); no message names a flag itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

_LONG_WORD = re.compile(r"\S{400,}")
LONGEST = 4000
"""Characters of one sentence at most: a table has thousands of columns, and names have no end."""


def shortened(text: str, most: int = LONGEST) -> str:
    """A sentence whose middle is left out where it is longer than `most` characters.

    So is that of a single word, such as a name that is too long for a file.
    """
    text = _LONG_WORD.sub(lambda word: f"{word[0][:200]}...{word[0][-40:]}", text)
    if len(text) <= most:
        return text
    end = most // 4
    return f"{text[: most - end]} ... ({len(text):,} characters) ... {text[-end:]}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it is, and what to do about it.

    Parameters
    ----------
    problem
        A plain sentence: what is wrong and what would be right.
    row
        Position of the run in the table as read, from 0; ``None`` if it is not about a row.
    column
        Column of the table, or name of the argument; ``None`` if it is about neither.
    """

    problem: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = [f"row {self.row}"] if self.row is not None else []
        where += [self.column] if self.column is not None else []
        return f"{', '.join(where)}: {self.problem}" if where else self.problem


class BayesDistillError(Exception):
    """Base of everything that this package raises on purpose."""


class InputError(BayesDistillError, ValueError):
    """The input is at fault. Names every fault at once.

    Parameters
    ----------
    faults
        Faults, or plain sentences, in the order in which a reader meets them; one that is there
        twice is told once.
    """

    def __init__(self, faults: Iterable[Fault | str] | Fault | str) -> None:
        if isinstance(faults, (str, Fault)):
            faults = [faults]
        each_once = dict.fromkeys(Fault(each) if isinstance(each, str) else each for each in faults)
        self.faults = tuple(replace(f, problem=shortened(f.problem)) for f in each_once)
        if not self.faults:
            raise TypeError("an InputError needs at least one fault")
        super().__init__("; ".join(str(f) for f in self.faults))


class FailedFitError(BayesDistillError):
    """A posterior whose fit failed its checks was used without being allowed to."""


class InterruptedFitError(BayesDistillError):
    """Long work was interrupted, and says where what was done is kept."""


@contextmanager
def collected(faults: list[Fault]) -> Iterator[None]:
    """Append the faults of an `InputError` to those of a call, which raises them all at once."""
    try:
        yield
    except InputError as error:
        faults += error.faults
