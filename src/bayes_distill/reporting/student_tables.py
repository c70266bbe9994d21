"""Tables over students and teachers, from `forecast` and `risk`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill.posterior import Posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.predict.optimal_teacher import loss_slope
from bayes_distill.predict.results.columns import columns_of, summary
from bayes_distill.reporting.quantiles import quantile_fields
from bayes_distill.reporting.ranges import Ranges
from bayes_distill.reporting.tables import Axis, Field, Floats, Table

PIECE = 1500  # points of one call: draws of all of them together would fill the memory
SHOWN = ("mean", "lower", "upper")
FINER = 2  # steps of the grid of best teachers in one of the others
LOSSES = (*columns_of("loss", SHOWN), *columns_of("new_run", SHOWN[1:]))
EXCESS = columns_of("excess_loss", SHOWN)
SUPERVISED = columns_of("supervised", SHOWN)
OPTIMAL = columns_of("optimal_teacher_loss", SHOWN)


@dataclass(frozen=True)
class StudentTables:
    """``distilled`` over (params, tokens, teacher_loss), the others over (params, tokens).

    ``alone`` is supervised training. ``best`` holds the best teacher, whose interval has kinks and
    wants a finer grid. ``distilled`` and ``best`` are ``None`` for a law without teachers.
    """

    distilled: Table | None
    alone: Table
    best: Table | None


def student_tables(
    posterior: Posterior, ranges: Ranges, interval: float, seed: int
) -> StudentTables:
    """Tables from the draws of `posterior`, which is thinned already."""
    sizes, tokens = ranges.params, ranges.tokens
    flat = (sizes.count, tokens.count)
    if not posterior.law.has_teacher:
        table = forecast(
            posterior, sizes.nodes, tokens.nodes, interval=interval, seed=seed, allow_failed=True
        ).table
        names = (*LOSSES, *SUPERVISED)
        alone = {name: Field(table[name].to_numpy().reshape(flat)) for name in names}
        return StudentTables(None, Table((sizes, tokens), alone), None)
    shape = (*flat, ranges.teacher_loss.count)
    best, least = _best(posterior, ranges, interval)
    each = ranges.teacher_loss.count
    parts = [
        _piece(posterior, part, np.repeat(least[:, part], each, axis=1), ranges, interval, seed)
        for part in _pieces(sizes.count * tokens.count, each)
    ]
    table = pd.concat([part[0] for part in parts], ignore_index=True)
    columns = {name: table[name].to_numpy().reshape(shape) for name in table}
    fields = {name: Field(columns[name]) for name in LOSSES}
    fields |= {name: Field(columns[name], low=0.0) for name in EXCESS}
    for name in ("advantage", "slope"):
        drawn = [part[1][name] for part in parts]
        for key in drawn[0]:
            joined = np.concatenate([piece[key].values for piece in drawn])  # noqa: PD011
            fields[key] = Field(joined.reshape(shape))
    alone = {name: Field(columns[name][..., 0]) for name in SUPERVISED}
    return StudentTables(
        Table((sizes, tokens, ranges.teacher_loss), fields), Table((sizes, tokens), alone), best
    )


def _best(posterior: Posterior, ranges: Ranges, interval: float) -> tuple[Table, Floats]:
    """The best teacher of each student, on a grid of its own.

    And what the students of the other tables reach with theirs, (draws, students): these are
    among those of the finer grid.
    """
    axes = tuple(
        Axis(axis.name, axis.low, axis.high, FINER * (axis.count - 1) + 1)
        for axis in (ranges.params, ranges.tokens)
    )
    found = risk(
        posterior,
        axes[0].nodes,
        axes[1].nodes,
        teacher_loss=ranges.teacher_loss.low,
        interval=interval,
        allow_failed=True,
    )
    table, shape = found.table, (axes[0].count, axes[1].count)
    fields = {name: Field(table[name].to_numpy().reshape(shape)) for name in OPTIMAL}
    fields["p_boundary"] = Field(table["p_boundary"].to_numpy().reshape(shape), low=0.0, high=1.0)
    least = (found.draws["loss"] - found.draws["excess_loss"]).to_numpy()
    coarse = least.reshape(-1, *shape)[:, ::FINER, ::FINER]
    return Table(axes, fields), coarse.reshape(len(least), -1)


def _pieces(students: int, each: int) -> Iterator[NDArray[np.intp]]:
    yield from np.array_split(np.arange(students), max(1, -(-students * each // PIECE)))


def _piece(
    posterior: Posterior,
    students: NDArray[np.intp],
    least: Floats,
    ranges: Ranges,
    interval: float,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, dict[str, Field]]]:
    """Columns of some students, and quantiles of what the probabilities are about.

    `least` (draws, points) is what they reach with their best teachers.
    """
    size, tokens = np.divmod(students, ranges.tokens.count)
    teachers = ranges.teacher_loss.nodes
    at = pd.DataFrame(
        {
            "params": np.repeat(ranges.params.nodes[size], teachers.size),
            "tokens": np.repeat(ranges.tokens.nodes[tokens], teachers.size),
            "teacher_loss": np.tile(teachers, students.size),
        }
    )
    forecasts = forecast(posterior, at=at, interval=interval, seed=seed, allow_failed=True)
    loss, alone, teacher = (
        forecasts.draws[name].to_numpy() for name in ("loss", "supervised", "teacher_loss")
    )
    slope = loss_slope(posterior, at["params"].to_numpy(), at["tokens"].to_numpy(), teacher)
    shape = (len(at),)
    quantiles = {
        "advantage": quantile_fields("advantage", loss - alone, shape),
        "slope": quantile_fields("slope", slope, shape),
    }
    columns = forecasts.table[[*LOSSES, *SUPERVISED]]
    return columns.assign(**summary("excess_loss", loss - least, interval)), quantiles
