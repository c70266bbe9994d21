"""The arguments of a plan, read and checked together: one error names all faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.intervals import interval_fault
from bayes_distill.compute import FLOPS, SCENARIOS, ForwardFlops, Hardware, Scenario
from bayes_distill.compute.devices import Device, read_hardware
from bayes_distill.compute.units import amounts
from bayes_distill.errors import Fault, InputError
from bayes_distill.parallel import check_places
from bayes_distill.planning.cells import Cells, Group, problem_of, read_cells_table
from bayes_distill.planning.criteria import Criterion, mean, read_criterion
from bayes_distill.planning.draw_counts import DRAW_COUNTS, DrawCounts
from bayes_distill.planning.plain_data import faults_of_travel
from bayes_distill.planning.realistic_limits import realistic_limits
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.solver.problem import ARCHITECTURE
from bayes_distill.posterior import Posterior
from bayes_distill.predict.points import Quantity, quantities
from bayes_distill.predict.teachers import Teachers, read_teachers
from bayes_distill.runs.schema import loss_problem


@dataclass(frozen=True, eq=False)
class PlanRequest:
    """The arguments of `plan`, read and checked; see there."""

    cells: Cells
    teachers: Teachers | None = None
    criterion: Criterion = mean
    limits: Limits | Mapping[str, Any] = field(default_factory=dict)
    flops: ForwardFlops = ARCHITECTURE
    served_tokens: float = 0.0
    target_loss: float | None = None
    draw_counts: DrawCounts = DRAW_COUNTS
    seed: int = 0
    scenarios_stated: bool = True
    hardware: Hardware | None = None

    def of(self, posterior: Posterior) -> PlanRequest:
        """The same with what is not stated: limits (see `realistic_limits`) and scenarios.

        Those are all of the paper's, or supervised training alone where the law knows no teachers.
        """
        cells, limits = self.cells, self.limits
        if not self.scenarios_stated and not posterior.law.has_teacher and self.teachers is None:
            cells = cells.only(lambda scenario: not scenario.distils)
        if not isinstance(limits, Limits):
            limits = realistic_limits(posterior, limits)
        return replace(self, cells=cells, limits=limits)

    def setting(self, posterior: Posterior, group: Group) -> Setting:
        """What the budgets of one student and scenario have in common."""
        assert isinstance(self.limits, Limits)
        return Setting(
            posterior,
            group.params,
            group.scenario,
            self.limits,
            self.flops,
            self.criterion,
            self.served_tokens,
            self.draw_counts,
            self.seed,
        )

    @property
    def everything(self) -> NDArray[np.bool_]:
        """All rows, (rows,)."""
        return np.ones(len(self.cells), bool)


def read_request(
    params: Quantity | None = None,
    budget: Quantity | None = None,
    *,
    at: pd.DataFrame | str | Path | None = None,
    scenario: str | Scenario | Sequence[str | Scenario] | None = None,
    teachers: Teachers | pd.DataFrame | str | Path | None = None,
    criterion: str | Criterion | Callable[[Any], float] = "mean",
    limits: Limits | Mapping[str, Any] | None = None,
    flops: str | ForwardFlops = "eq69",
    target_loss: str | float | None = None,
    served_tokens: str | float | None = None,
    draws: int | DrawCounts = DRAW_COUNTS,
    interval: float = 0.9,
    seed: int = 0,
    workers: int | None = None,
    scheduler: Any = None,
    resume: str | Path | None = None,
    device: str | Device | None = None,
    utilisation: float | None = None,
    price: float | None = None,
) -> PlanRequest:
    """Read the arguments of `plan`.

    Raises
    ------
    InputError
        Naming every argument and cell at fault.
    """
    faults = [f for f in [interval_fault(interval)] if f is not None]
    scenarios = _collect(faults, _read_scenarios, scenario)
    served = _number(faults, "served_tokens", served_tokens)
    target = _number(faults, "target_loss", target_loss)
    if target is not None and target > 0 and (problem := loss_problem(target)) is not None:
        faults.append(Fault(problem, column="target_loss"))
    hardware = _collect(faults, lambda parts: read_hardware(*parts), (device, utilisation, price))
    if hardware is None and device is not None:  # a fault; hours are then read all the same
        hardware = read_hardware("h100")
    cells = None
    if at is None:
        sizes = _positive(faults, "params", params, needed=False)
        budgets = _positive(
            faults, "budget", budget, needed=True, read=lambda text: amounts(text, hardware)
        )
        if sizes is not None and budgets:
            cells = Cells.grid(scenarios or list(SCENARIOS.values()), sizes, budgets)
    else:
        cells = _collect(faults, lambda table: read_cells_table(table, scenarios, hardware), at)
        if params is not None or budget is not None:
            faults.append(Fault("give either a table or params and budget, not both", column="at"))
    chosen = params is None if at is None else _some_chosen(cells)
    faults += [
        Fault("needs params: it is about one student", column=name)
        for name, value in (("teachers", teachers), ("target_loss", target_loss))
        if chosen and value is not None
    ]
    counts = draws if isinstance(draws, DrawCounts) else _collect(faults, DrawCounts, draws)
    if seed < 0:
        faults.append(Fault(f"{seed} is less than 0", column="seed"))
    candidates = None if teachers is None else _collect(faults, read_teachers, teachers)
    measure = _collect(faults, read_criterion, criterion)
    if isinstance(limits, Mapping):
        _collect(faults, lambda stated: Limits(**stated), limits)
    if isinstance(flops, str) and flops not in FLOPS:
        faults.append(Fault(f"{flops!r} is not known: write {' or '.join(FLOPS)}", column="flops"))
    counted = FLOPS.get(flops) if isinstance(flops, str) else flops
    _collect(faults, lambda where: check_places(*where), (workers, scheduler))
    elsewhere = scheduler is not None or resume is not None or (workers or 1) > 1
    if elsewhere and measure is not None and counted is not None:
        faults += faults_of_travel(measure, counted)
    if faults or cells is None or measure is None or counted is None or counts is None:
        raise InputError(faults)
    return PlanRequest(
        cells,
        candidates,
        measure,
        {} if limits is None else limits,
        counted,
        served or 0.0,
        target,
        counts,
        seed,
        scenarios_stated=scenario is not None or set(cells.scenarios) != set(SCENARIOS.values()),
        hardware=hardware,
    )


def _collect[T, R](faults: list[Fault], read: Callable[[T], R], value: T) -> R | None:
    """What `read` returns; ``None`` if it raises, and its faults are added to the others."""
    try:
        return read(value)
    except InputError as error:
        faults += error.faults
        return None


def _positive(
    faults: list[Fault],
    name: str,
    value: Quantity | None,
    *,
    needed: bool,
    read: Callable[[Any], list[float]] = quantities,
) -> list[float] | None:
    """Positive numbers; ``None`` if some are at fault."""
    if value is None:
        if needed:
            faults.append(Fault("is needed", column=name))
        return None if needed else []
    try:
        numbers = read(value)
    except ValueError as error:
        faults.append(Fault(str(error), column=name))
        return None
    problems = [] if numbers else ["is an empty list"]
    for number in numbers:
        problem = "nan is not a positive number" if np.isnan(number) else problem_of(name, number)
        problems += [problem] if problem else []
    faults += [Fault(problem, column=name) for problem in problems]
    return None if problems else numbers


def _number(faults: list[Fault], name: str, value: str | float | None) -> float | None:
    """One positive number, or none."""
    numbers = _positive(faults, name, value, needed=False)
    if numbers is not None and len(numbers) > 1:
        faults.append(Fault("must be a single number", column=name))
    return numbers[0] if numbers else None


def _read_scenarios(
    scenarios: str | Scenario | Sequence[str | Scenario] | None,
) -> list[Scenario] | None:
    """Scenarios by their names; ``None`` if none are given.

    Raises
    ------
    InputError
        Naming those that are not known, or share a name.
    """
    if scenarios is None:
        return None
    named: list[Scenario] = []
    faults = []
    for each in [scenarios] if isinstance(scenarios, (str, Scenario)) else scenarios:
        if isinstance(each, Scenario):
            named.append(each)
            continue
        for name in (part.strip() for part in each.split(",")):
            if name in SCENARIOS:
                named.append(SCENARIOS[name])
            else:
                known = ", ".join(SCENARIOS)
                faults.append(Fault(f"no scenario {name!r}; there are {known}", column="scenario"))
    if not named and not faults:
        faults.append(Fault("is an empty list", column="scenario"))
    names = [each.name for each in dict.fromkeys(named)]
    faults += [
        Fault(f"several are called {name!r}", column="scenario")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise InputError(faults)
    return named


def _some_chosen(cells: Cells | None) -> bool:
    return cells is not None and bool(np.isnan(cells.params).any())


def refuse_supervised(posterior: Posterior, request: PlanRequest) -> None:
    """Refuse teachers where the law knows none.

    Raises
    ------
    InputError
        If a scenario or a list of teachers needs a law with a teacher.
    """
    distils = any(s.distils for s in request.cells.scenarios)
    if (distils or request.teachers) and not posterior.law.has_teacher:
        raise InputError(
            Fault(
                f"the {posterior.card.name} posterior is of a supervised law and says nothing "
                "about teachers: ask for the scenario supervised alone, or use a distillation fit",
                column="scenario",
            )
        )
