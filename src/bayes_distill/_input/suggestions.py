"""What a misspelt name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(
    name: str, known: Iterable[str], otherwise: str, *, what: str = "", cutoff: float = 0.6
) -> str:
    """``did you mean X?``, or `otherwise` where no known name is close.

    Parameters
    ----------
    name
        As somebody wrote it, in any case.
    known
        Names that there are, in lower case.
    otherwise
        What to say where none of them is close, such as which there are.
    what
        What the names are of, ahead of the name: ``the named data``.
    cutoff
        Similarity (0 to 1) from which a name is close.
    """
    close = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=cutoff)
    return f"did you mean {what}{' ' if what else ''}{close[0]}?" if close else otherwise
