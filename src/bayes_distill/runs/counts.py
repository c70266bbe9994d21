"""What N counts: parameters without the embedding, all of them, or those that a token activates.

A table may state several counts, or the shape from which they follow: with width d, depth n and a
vocabulary V there are 12 n d^2 parameters without the embedding, and V d in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_distill.errors import Fault
from bayes_distill.runs.cell_values import parse_cells
from bayes_distill.runs.column_names import canonical_name, plain_name
from bayes_distill.runs.formats import Cells

NON_EMBEDDING, TOTAL, ACTIVE = "non-embedding", "total", "active"
OF_SHAPE = 12.0
"""Parameters of a layer over d^2: 4 of attention, the rest in the feed-forward block."""
PARAMS = "params"
NAMES: Mapping[str, tuple[str, ...]] = {
    "params_total": ("total_params", "total_parameters", "n_params_total", "params_with_embedding"),
    "params_embedding": ("embedding_params", "embedding_parameters", "n_params_embedding"),
    "params_active": ("active_params", "active_parameters", "n_params_active", "activated_params"),
    "width": ("d_model", "hidden_size", "n_embd", "model_dim"),
    "depth": ("n_layers", "num_layers", "n_layer", "layers"),
    "vocabulary": ("n_vocab", "vocab_size"),
}
"""Columns that counts follow from, each with its other names."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a count: the columns that it takes, what is computed of them, and words for it."""

    columns: tuple[str, ...]
    compute: Callable[..., Floats]
    words: str


_SHAPE = "12 depth width^2"
_WAYS: Mapping[str, tuple[Way, ...]] = {
    NON_EMBEDDING: (
        Way((PARAMS,), lambda n: n, PARAMS),
        Way(
            ("params_total", "params_embedding"),
            lambda total, own: total - own,
            "params_total less params_embedding",
        ),
        Way(
            ("params_total", "width", "vocabulary"),
            lambda total, d, v: total - v * d,
            "params_total less vocabulary times width",
        ),
        Way(("width", "depth"), lambda d, n: OF_SHAPE * n * d**2, _SHAPE),
    ),
    TOTAL: (
        Way(("params_total",), lambda n: n, "params_total"),
        Way(
            (PARAMS, "params_embedding"),
            lambda n, own: n + own,
            "params and params_embedding together",
        ),
        Way(
            (PARAMS, "width", "vocabulary"),
            lambda n, d, v: n + v * d,
            "params and vocabulary times width together",
        ),
        Way(
            ("width", "depth", "vocabulary"),
            lambda d, n, v: OF_SHAPE * n * d**2 + v * d,
            f"{_SHAPE} + vocabulary width",
        ),
    ),
    ACTIVE: (Way(("params_active",), lambda n: n, "params_active"),),
}
_NEEDED: Mapping[str, str] = {
    NON_EMBEDDING: "params; or params_total with params_embedding; or width and depth",
    TOTAL: "params_total; or params with params_embedding, or with width and vocabulary",
    ACTIVE: "params_active",
}


def way_to(counts: str, present: Sequence[str]) -> Way | None:
    """The first way to a count by the columns that there are; ``None`` if there is none."""
    ways = _WAYS[counts]
    return next((way for way in ways if set(way.columns) <= set(present)), None)


def lacking(counts: str) -> str:
    """What to give where there is no way to a count."""
    return f"{counts} parameters are counted: give {_NEEDED[counts]}"


@dataclass(frozen=True, slots=True)
class Counted:
    """Cells whose params are what a law counts.

    Parameters
    ----------
    cells
        The table; as it was where params were what the law counts.
    used
        Names of other columns that were used.
    notes
        What was computed from what.
    faults
        A count that the table has no way to.
    """

    cells: Cells
    used: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def counted(cells: Cells, counts: str, *, of_runs: bool) -> Counted:
    """Compute the params of a table that the law counts.

    Parameters
    ----------
    cells
        The table.
    counts
        What the law counts.
    of_runs
        Whether it is of runs. Points that state params alone have them in the law's count.
    """
    places = _places(cells.header)
    way = way_to(counts, list(places))
    if way is None and counts == NON_EMBEDDING:
        return Counted(cells)  # a missing column has its own fault
    if way is None and not of_runs and PARAMS in places:
        said = f"The law counts {counts} parameters: params are taken for these."
        return Counted(cells, notes=(said,))
    if way is None:
        return Counted(cells, faults=(Fault(lacking(counts), column=PARAMS),))
    if way.columns == (PARAMS,):
        return Counted(cells)
    parts, bad = [], []
    for name in way.columns:
        label = cells.header[places[name]]
        values, problems = parse_cells(cells.columns[places[name]])
        bad += [Fault(problem, row, label) for row, problem in problems.items()]
        parts.append(values)
    computed = way.compute(*parts)
    column: list[object] = [None if np.isnan(value) else float(value) for value in computed]
    header, columns = list(cells.header), list(cells.columns)
    if PARAMS in places:
        columns[places[PARAMS]] = column
    else:
        header.append(PARAMS)
        columns.append(column)
    used = tuple(cells.header[places[name]] for name in way.columns if name != PARAMS)
    note = f"The law counts {counts} parameters, which are {way.words}."
    faults = (*cells.faults, *bad)
    return Counted(replace(cells, header=header, columns=columns, faults=faults), used, (note,))


def _places(header: Sequence[str]) -> dict[str, int]:
    """Places of the columns that counts follow from, by canonical name."""
    found: dict[str, int] = {}
    for place, label in enumerate(header):
        plain = plain_name(label)
        name = PARAMS if canonical_name(label) == PARAMS else _CANONICAL.get(plain)
        if name is not None:
            found.setdefault(name, place)
    return found


_CANONICAL = {
    plain_name(alias): name for name, aliases in NAMES.items() for alias in (name, *aliases)
}
