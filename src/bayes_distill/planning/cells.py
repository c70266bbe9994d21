"""Which plans are wanted: every combination of lists, or the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill.compute import SCENARIOS, Hardware, Scenario
from bayes_distill.compute.units import has_unit, parse_flops
from bayes_distill.errors import Fault, InputError
from bayes_distill.predict.points import check_number

Floats = NDArray[np.float64]

LEAST_PARAMS = 1e3
COLUMNS = {
    "params": ("params", "student_params", "n", "ns", "n_params", "num_params", "model_size"),
    "budget": ("budget", "flops", "flop", "c", "compute"),
    "scenario": ("scenario",),
}


@dataclass(frozen=True, eq=False)
class Group:
    """Plans of one student and scenario.

    Parameters
    ----------
    scenario, params
        Who pays for the teacher, and size N_S of the student; NaN where it is to be chosen.
    rows
        Places among all plans, (budgets,).
    budgets
        FLOPs, (budgets,).
    """

    scenario: Scenario
    params: float
    rows: NDArray[np.intp]
    budgets: Floats


@dataclass(frozen=True, eq=False)
class Cells:
    """Plans, in the order of the rows of `Plan.table`.

    Parameters
    ----------
    scenarios
        Of each plan, (rows,).
    params
        Size N_S of each student, (rows,); NaN where it is to be chosen.
    budgets
        FLOPs, (rows,).
    """

    scenarios: tuple[Scenario, ...]
    params: Floats
    budgets: Floats

    def __len__(self) -> int:
        return len(self.scenarios)

    @classmethod
    def grid(
        cls, scenarios: Sequence[Scenario], params: Sequence[float], budgets: Sequence[float]
    ) -> Cells:
        """Every combination, by scenario, then student, then budget; no `params`: to be chosen.

        Raises
        ------
        InputError
            If there are more than `MOST_POINTS`.
        """
        sizes = list(params) or [np.nan]
        number = len(scenarios) * len(sizes) * len(budgets)
        check_number("the lists make a grid of", number, "plans")
        combinations = [(s, n, c) for s in scenarios for n in sizes for c in budgets]
        return cls(
            tuple(s for s, _, _ in combinations),
            np.array([n for _, n, _ in combinations], float),
            np.array([c for _, _, c in combinations], float),
        )

    def only(self, which: Callable[[Scenario], bool]) -> Cells:
        """Those plans whose scenario is wanted."""
        rows = [row for row, scenario in enumerate(self.scenarios) if which(scenario)]
        return Cells(
            tuple(self.scenarios[row] for row in rows), self.params[rows], self.budgets[rows]
        )

    def groups(self, which: NDArray[np.bool_]) -> list[Group]:
        """Plans of one student and scenario each, in the order of their first rows.

        Only those rows for which `which` (rows,) is true. A student whose size is to be chosen is
        of one budget.
        """
        places: dict[tuple[Scenario, float, int], list[int]] = {}
        for row in np.flatnonzero(which):
            size = float(self.params[row])
            chosen = int(row) if np.isnan(size) else -1
            key = (self.scenarios[row], 0.0 if np.isnan(size) else size, chosen)
            places.setdefault(key, []).append(int(row))
        return [
            Group(scenario, float(self.params[rows[0]]), np.array(rows), self.budgets[rows])
            for (scenario, _, _), rows in places.items()
        ]


def read_cells_table(
    source: pd.DataFrame | str | Path,
    scenarios: Sequence[Scenario] | None,
    hardware: Hardware | None = None,
) -> Cells:
    """Read a table with the columns ``params`` and ``budget``, and ``scenario`` if it varies.

    Parameters
    ----------
    source
        A DataFrame or a file: CSV, Parquet or JSON lines. Numbers may be ``1.8B``.
    scenarios
        Scenarios of every row, in this order, where the table has no such column; ``None`` for
        all of the paper's.
    hardware
        What GPU-hours in the column ``budget`` are hours of.

    Raises
    ------
    InputError
        Naming every faulty cell and missing column.
    """
    from bayes_distill.runs.cell_values import parse_cells, parse_labels
    from bayes_distill.runs.formats import cells_of, places_of

    cells = cells_of(source)
    place = places_of(cells.header, COLUMNS)
    needed = ("budget",)  # a size that is missing is to be chosen
    faults: list[Fault] = [
        *cells.faults,
        *(
            Fault(f"has no column {name!r} (it has {', '.join(cells.header)})", column="at")
            for name in needed
            if name not in place
        ),
    ]
    numbers = {name: np.full(len(cells), np.nan) for name in ("params", "budget")}
    for name in (name for name in numbers if name in place):
        column = cells.columns[place[name]]
        units: dict[int, str] = {}
        if name == "budget":
            column, units = _in_flops(column, hardware)
        numbers[name], problems = parse_cells(column)
        problems |= units
        faults += [Fault(problem, row, name) for row, problem in problems.items()]
        faults += [
            Fault(problem, row, name)
            for row, value in enumerate(numbers[name])
            if row not in problems
            and (problem := problem_of(name, value, needed=name in needed)) is not None
        ]
    named: list[Scenario] = []
    if "scenario" in place and scenarios is not None:
        faults.append(Fault("give it either for all rows or in the table", column="scenario"))
    elif "scenario" in place:
        for row, label in enumerate(parse_labels(cells.columns[place["scenario"]])):
            if label is not None and label in SCENARIOS:
                named.append(SCENARIOS[label])
            else:
                what = "is empty" if label is None else f"{label!r} is no scenario"
                known = ", ".join(SCENARIOS)
                faults.append(Fault(f"{what}; there are {known}", row, "scenario"))
    if faults:
        faults.sort(key=lambda fault: -1 if fault.row is None else fault.row)
        raise InputError(faults)
    each = tuple(SCENARIOS.values() if scenarios is None else scenarios)
    check_number("the table makes", len(cells) * (1 if named else len(each)), "plans")
    if named:
        return Cells(tuple(named), numbers["params"], numbers["budget"])
    return Cells(
        tuple(s for s in each for _ in range(len(cells))),
        np.tile(numbers["params"], len(each)),
        np.tile(numbers["budget"], len(each)),
    )


def _in_flops(cells: Sequence[Any], hardware: Hardware | None) -> tuple[list[Any], dict[int, str]]:
    """Cells with those in other units as FLOPs, and what is wrong with these by row."""
    column, problems = list(cells), {}
    for row, cell in enumerate(cells):
        if isinstance(cell, str) and has_unit(cell):
            try:
                column[row] = parse_flops(cell, hardware)
            except ValueError as error:
                problems[row] = str(error)
    return column, problems


def problem_of(name: str, value: float, *, needed: bool = True) -> str | None:
    """What is wrong with a student size or a budget, or ``None``; NaN is an empty cell."""
    if np.isnan(value):
        return "is empty" if needed else None
    if not 0 < value < np.inf:
        return f"{value:g} is not a positive number"
    if name == "params" and value < LEAST_PARAMS:
        return f"{value:g} is too small: did you mean {value:g}B?"
    return None
