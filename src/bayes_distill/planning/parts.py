"""A plan cut into parts that are computed separately: here, on other cores, or on a cluster.

The cut depends on what is wanted and on nothing else, and no part draws random numbers, so a plan
is the same to the last digit wherever its parts are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bayes_distill._input.progress import Progress
from bayes_distill.parallel import map_tasks
from bayes_distill.planning.cells import Group
from bayes_distill.planning.crossover_tables import crossover_rows, target_row
from bayes_distill.planning.plain_data import (
    pack,
    posterior_as_text,
    posterior_of_text,
    setting_as_plain,
    setting_of_plain,
    unpack,
)
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.tables import solve_rows

Floats = NDArray[np.float64]

BUDGETS = 32
"""Most budgets of a part: many share the work of compiled programs, few wait for each other."""
LABEL = "planning"


@dataclass(frozen=True, eq=False)
class Part:
    """Something to be computed for one student and scenario.

    Parameters
    ----------
    kind
        ``rows`` of the table, a ``crossover`` or a ``target``.
    setting
        What all budgets have in common.
    interval
        Probability inside every interval.
    budgets
        Of the rows, FLOPs (budgets,).
    near_optimal
        Whether rows have the range of teachers that do nearly as well.
    target_loss
        Of a target.
    """

    kind: Literal["rows", "crossover", "target"]
    setting: Setting
    interval: float
    budgets: Floats
    near_optimal: bool = True
    target_loss: float = np.nan

    def compute(self) -> dict[str, Any]:
        """Rows of crossovers, a row of a target, or columns and draws of several plans."""
        if self.kind == "crossover":
            return {"rows": crossover_rows(self.setting, self.interval)}
        if self.kind == "target":
            return target_row(self.setting, self.target_loss, self.interval)
        rows = solve_rows(self.setting, self.budgets, self.interval, near_optimal=self.near_optimal)
        return rows._asdict()


@dataclass(frozen=True, eq=False)
class Places:
    """Where parts are computed; arguments of `map_tasks`."""

    workers: int | None = None
    scheduler: Any = None
    resume: str | Path | None = None
    progress: Progress | None = None

    @property
    def here(self) -> bool:
        """Whether everything is computed in this process, and nothing is stored."""
        return self.workers in (None, 1) and self.scheduler is None and self.resume is None


def blocks(group: Group) -> list[slice]:
    """Budgets of one student and scenario in parts of at most `BUDGETS`."""
    return [slice(i, i + BUDGETS) for i in range(0, group.budgets.size, BUDGETS)]


def compute_all(parts: Sequence[Part], places: Places) -> list[dict[str, Any]]:
    """Results of parts, in their order."""
    if places.here:
        return _compute_here(parts, places.progress)
    texts: dict[int, str] = {}
    for part in parts:
        posterior = part.setting.posterior
        if id(posterior) not in texts:
            texts[id(posterior)] = posterior_as_text(posterior)
    tasks = [_as_task(part, texts[id(part.setting.posterior)]) for part in parts]
    results = map_tasks(
        plan_part,
        tasks,
        workers=places.workers,
        scheduler=places.scheduler,
        progress=places.progress,
        store=places.resume,
        label=LABEL,
    )
    return [unpack(result) for result in results]


def _compute_here(
    parts: Sequence[Part], progress: Callable[[str, int, int], None] | None
) -> list[dict[str, Any]]:
    results = []
    for done, part in enumerate(parts):
        if progress:
            progress(LABEL, done, len(parts))
        results.append(part.compute())
    if progress:
        progress(LABEL, len(parts), len(parts))
    return results


def plan_part(task: dict[str, Any]) -> dict[str, Any]:
    """Compute a part from plain data, wherever this runs."""
    setting = setting_of_plain(task["setting"], posterior_of_text(task["posterior"]))
    part = Part(
        task["kind"],
        setting,
        task["interval"],
        np.array(task["budgets"], float),
        task["near_optimal"],
        task["target_loss"],
    )
    result: dict[str, Any] = pack(part.compute())
    return result


def _as_task(part: Part, posterior: str) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "setting": setting_as_plain(part.setting),
        "interval": float(part.interval),
        "budgets": [float(budget) for budget in part.budgets],
        "near_optimal": part.near_optimal,
        "target_loss": part.target_loss,
        "posterior": posterior,
    }
