"""A mapping drawn up from a table, to be completed by whoever knows what its columns mean."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from bayes_distill._input.text import printable
from bayes_distill.runs.bare_counts import bare_scales
from bayes_distill.runs.cell_values import parse_cells
from bayes_distill.runs.column_names import ALIASES, EPOCHS, FLOPS, canonical_name
from bayes_distill.runs.table import NUMERIC
from bayes_distill.runs.trackers.tracker_runs import alias_of

if TYPE_CHECKING:
    from bayes_distill.runs.trackers.mapping import RunsMapping
    from bayes_distill.runs.trackers.tracker_runs import TrackerRuns

SHOWN = ("params", "tokens", "loss", "teacher_loss", "teacher_params", "teacher_tokens", "group")
MOST_NAMES = 200


def draft_mapping(tracker: TrackerRuns, given: RunsMapping) -> str:
    """TOML of a mapping: the columns that are known, and a line to complete for those that are not.

    Parameters
    ----------
    tracker
        All runs of the table or store.
    given
        A mapping that is there already; its columns stay.
    """
    found = _found(tracker)
    scales = _scales(tracker, found)
    lines = ["# What the names of the runs mean: complete it, and pass it as mapping.", "[columns]"]
    for name in SHOWN:
        if name in given.columns:
            lines.append(f"{name} = {_given(given, name)}")
        elif name == "tokens" and not found.get(name) and found.get(FLOPS):
            lines.append(f"{FLOPS} = {_text(found[FLOPS][0])}  # tokens = FLOPs / (6 params)")
        elif found.get(name):
            lines.append(_line(name, found[name], scales.get(name)))
        else:
            close = _closest(name, tracker)
            lines.append(f"# {name} = {_text(close or '...')}")
    lines += ["", "[keep]", *_keep(tracker), "", "# The runs have:"]
    names = [name for name in tracker.cells if not name.startswith("tag:mlflow.")]
    lines += [f"#   {printable(' '.join(name.split()))}" for name in names[:MOST_NAMES]]
    return "\n".join(lines) + "\n"


def _found(tracker: TrackerRuns) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for full in tracker.cells:
        canonical = canonical_name(alias_of(full))
        if canonical is not None:
            found.setdefault(canonical, []).append(full)
    return found


def _scales(tracker: TrackerRuns, found: Mapping[str, Sequence[str]]) -> dict[str, float]:
    numbers = {
        name: parse_cells(tracker.values(names[0], "last") or [])[0]
        for name, names in found.items()
        if name in NUMERIC or name == EPOCHS
    }
    return bare_scales(pd.DataFrame(numbers))


def _line(name: str, names: Sequence[str], scale: float | None) -> str:
    value = _text(names[0])
    if scale is not None:
        value = f"{{ from = {value}, scale = {scale:.0e} }}".replace("e+0", "e").replace("e+", "e")
    others = f"  # or {', '.join(map(_text, names[1:]))}: choose one" if len(names) > 1 else ""
    return f"{name} = {value}{others}"


def _given(given: RunsMapping, name: str) -> str:
    column = given.columns[name]
    if column.constant is not None:
        return json.dumps(column.constant)
    names = json.dumps(list(column.names), ensure_ascii=False)
    return f'{{ from = {names}, value = "{column.value}", scale = {column.scale!r} }}'


def _closest(name: str, tracker: TrackerRuns) -> str | None:
    names = {alias_of(full).casefold(): full for full in tracker.cells}
    for alias in (name, *ALIASES[name]):
        close = difflib.get_close_matches(alias.casefold(), names, n=1, cutoff=0.7)
        if close and len(alias) > 2:
            return names[close[0]]
    return None


def _keep(tracker: TrackerRuns) -> list[str]:
    states = sorted({state for state in tracker.states if state is not None})
    lines = [f'states = ["finished"]  # they are {", ".join(states)}'] if states else []
    if any(tracker.names):
        lines.append('duplicates = "newest"  # of one name, size, tokens and teacher; or "all"')
    return [*lines, '# where = { "NAME" = ["value", "other"] }']


def _text(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
