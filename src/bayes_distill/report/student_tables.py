"""Tables over students and teachers, from `forecast` and `capacity_gap`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_distill.forecasting import forecast
from bayes_distill.gap_risk import capacity_gap
from bayes_distill.posterior import Posterior
from bayes_distill.report.quantiles import quantile_fields
from bayes_distill.report.ranges import Ranges
from bayes_distill.report.tables import Axis, Field, Floats, Table

PIECE = 1500  # points asked at once: draws of all of them together would fill the memory
FINER = 2  # steps of the grid of best teachers in one of the others
LOSSES = ("mean", "credible_lower", "credible_upper", "predictive_lower", "predictive_upper")
EXCESS = ("excess_mean", "excess_lower", "excess_upper")
SUPERVISED = ("supervised_mean", "supervised_lower", "supervised_upper")
OPTIMAL = tuple(f"optimal_teacher_loss_{x}" for x in ("mean", "lower", "upper"))


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
    parts = [
        _piece(posterior, part, ranges, interval, seed)
        for part in _pieces(sizes.nodes, tokens.count * ranges.teacher_loss.count)
    ]
    table = pd.concat([part[0] for part in parts], ignore_index=True)
    columns = {name: table[name].to_numpy().reshape(shape) for name in table}
    fields = {name: Field(columns[name]) for name in LOSSES}
    fields |= {name: Field(columns[name], low=0.0) for name in EXCESS}
    for name in ("advantage", "slope"):
        drawn = [part[1][name] for part in parts]
        for each in drawn[0]:
            joined = np.concatenate([piece[each].values for piece in drawn])  # noqa: PD011
            fields[each] = Field(joined.reshape(shape))
    alone = {name: Field(columns[name][..., 0]) for name in SUPERVISED}
    return StudentTables(
        Table((sizes, tokens, ranges.teacher_loss), fields),
        Table((sizes, tokens), alone),
        _best(posterior, ranges, interval),
    )


def _best(posterior: Posterior, ranges: Ranges, interval: float) -> Table:
    """The best teacher of each student, on a grid of its own."""
    axes = tuple(
        Axis(axis.name, axis.low, axis.high, FINER * (axis.count - 1) + 1)
        for axis in (ranges.params, ranges.tokens)
    )
    table = capacity_gap(
        posterior, axes[0].nodes, axes[1].nodes, teacher_loss=ranges.teacher_loss.low,
        interval=interval, allow_failed=True,
    ).table  # fmt: skip
    shape = (axes[0].count, axes[1].count)
    fields = {name: Field(table[name].to_numpy().reshape(shape)) for name in OPTIMAL}
    fields["p_boundary"] = Field(table["p_boundary"].to_numpy().reshape(shape), low=0.0, high=1.0)
    return Table(axes, fields)


def _pieces(nodes: Floats, each: int) -> Iterator[Floats]:
    yield from np.array_split(nodes, max(1, -(-nodes.size * each // PIECE)))


def _piece(
    posterior: Posterior, sizes: Floats, ranges: Ranges, interval: float, seed: int
) -> tuple[pd.DataFrame, dict[str, dict[str, Field]]]:
    """Columns of some sizes, and quantiles of what the probabilities are about."""
    tokens, teachers = ranges.tokens.nodes, ranges.teacher_loss.nodes
    told = forecast(
        posterior, sizes, tokens, teacher_loss=teachers, interval=interval, seed=seed,
        allow_failed=True,
    )  # fmt: skip
    gap = capacity_gap(
        posterior, sizes, tokens, teacher_loss=teachers, interval=interval, allow_failed=True
    )
    shape = (len(told.table),)
    advantage = told.draws["loss"].to_numpy() - told.draws["supervised_loss"].to_numpy()
    quantiles = {
        "advantage": quantile_fields("advantage", advantage, shape),
        "slope": quantile_fields("slope", gap.draws["slope"].to_numpy(), shape),
    }
    own = told.table[[*LOSSES, *SUPERVISED]]
    return own.join(gap.table[[*EXCESS]]), quantiles
