"""What a plan is asked for, read and checked with every fault at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.intervals import interval_fault
from bayes_distill.compute import FLOPS, SCENARIOS, ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.criteria import Utility, per_recipe, utility_named
from bayes_distill.planning.solver.allocation import least_budget
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.posterior import Posterior
from bayes_distill.predict.points import Quantity, quantities
from bayes_distill.predict.teachers import Teachers, read_teachers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """The arguments of a call, read and checked."""

    sizes: tuple[float, ...]
    budgets: Floats
    scenarios: tuple[Scenario, ...]
    teachers: Teachers | None
    utility: Utility
    flops: ForwardFlops
    served: float = 0.0
    target: float | None = None


def read_asked(
    params: Quantity | None,
    budget: Quantity | None,
    scenario: str | Scenario | Sequence[str | Scenario] | None,
    teachers: Teachers | pd.DataFrame | str | Path | None,
    utility: str | Utility,
    flops: str | ForwardFlops,
    served_tokens: str | float | None,
    target_loss: str | float | None,
    draws: int,
    interval: float,
    seed: int = 0,
) -> Asked:
    """Read the arguments of `plan`.

    Raises
    ------
    InputError
        Naming every argument at fault.
    """
    faults = [f for f in [interval_fault(interval)] if f is not None]

    def positive(name: str, value: Quantity | None, needed: bool) -> list[float]:
        if value is None:
            if needed:
                faults.append(Fault("is needed", column=name))
            return []
        try:
            found = quantities(value)
        except ValueError as error:
            faults.append(Fault(str(error), column=name))
            return []
        if not found:
            faults.append(Fault("is an empty list", column=name))
        faults.extend(
            Fault(f"{number:g} is not a positive number", column=name)
            for number in found
            if not 0 < number < np.inf
        )
        return found

    sizes = positive("params", params, needed=served_tokens is None)
    faults += [
        Fault(f"{size:g} is too small: did you mean {size:g}B?", column="params")
        for size in sizes
        if 0 < size < 1e3
    ]
    budgets = positive("budget", budget, needed=True)
    served = positive("served_tokens", served_tokens, needed=False)
    target = positive("target_loss", target_loss, needed=False)
    faults += [
        Fault("must be a single number", column=name)
        for name, found in (("served_tokens", served), ("target_loss", target))
        if len(found) > 1
    ]
    faults += [
        Fault("needs params: it is about one student", column=name)
        for name, given in (("teachers", teachers), ("target_loss", target_loss))
        if params is None and served_tokens is not None and given is not None
    ]
    if draws < 1:
        faults.append(Fault(f"{draws} is less than 1", column="draws"))
    if seed < 0:
        faults.append(Fault(f"{seed} is less than 0", column="seed"))
    scenarios, unknown = _scenarios(scenario)
    faults += unknown
    candidates = judge = None
    try:
        candidates = None if teachers is None else read_teachers(teachers)
    except InputError as error:
        faults += error.faults
    try:
        judge = utility_named(utility) if isinstance(utility, str) else per_recipe(utility)
    except InputError as error:
        faults += error.faults
    if isinstance(flops, str) and flops not in FLOPS:
        faults.append(Fault(f"{flops!r} is not known: write {' or '.join(FLOPS)}", column="flops"))
    if faults or judge is None:
        raise InputError(faults)
    return Asked(
        tuple(sizes),
        np.array(budgets, float),
        tuple(scenarios),
        candidates,
        judge,
        FLOPS[flops] if isinstance(flops, str) else flops,
        served[0] if served else 0.0,
        target[0] if target else None,
    )


def _scenarios(
    given: str | Scenario | Sequence[str | Scenario] | None,
) -> tuple[list[Scenario], list[Fault]]:
    """Scenarios by their names, and what is wrong with the others."""
    if given is None:
        return list(SCENARIOS.values()), []
    found: list[Scenario] = []
    faults = []
    for each in [given] if isinstance(given, (str, Scenario)) else given:
        if isinstance(each, Scenario):
            found.append(each)
            continue
        for name in (part.strip() for part in each.split(",")):
            if name in SCENARIOS:
                found.append(SCENARIOS[name])
            else:
                known = ", ".join(SCENARIOS)
                faults.append(Fault(f"no scenario {name!r}; there are {known}", column="scenario"))
    if not found and not faults:
        faults.append(Fault("is an empty list", column="scenario"))
    return found, faults


def refuse_unaffordable(asked: Asked, limits: Limits) -> None:
    """Refuse budgets that some scenario has no recipe for, and say what the least is.

    Raises
    ------
    InputError
        Naming the budgets, for every student.
    """
    faults = []
    for size in asked.sizes:
        each = float(asked.flops.forward_flops(size))
        least = {
            who.name: least_budget(each, who, limits, asked.flops) + each * asked.served
            for who in asked.scenarios
        }
        short = [f"{b:.4g}" for b in asked.budgets if b < max(least.values())]
        if short:
            dearest = max(least, key=lambda name: least[name])
            serving = f" and serve {asked.served:.3g} tokens" if asked.served else ""
            faults.append(
                Fault(
                    f"{', '.join(short)} FLOPs cannot pay for a student of {size:.4g} parameters"
                    f"{serving} within the limits: the least that can is {least[dearest]:.4g} "
                    f"({dearest})",
                    column="budget",
                )
            )
    if faults:
        raise InputError(faults)


def refuse_supervised(posterior: Posterior, asked: Asked) -> None:
    """Refuse teachers where the law knows none.

    Raises
    ------
    InputError
        If a scenario or a list of teachers needs a law with a teacher.
    """
    taught = [s.name for s in asked.scenarios if s.distils]
    if (taught or asked.teachers) and not posterior.law.has_teacher:
        raise InputError(
            Fault(
                f"the {posterior.card.name} posterior is of a supervised law and says nothing "
                "about teachers: ask for the scenario supervised alone, or use a distillation fit",
                column="scenario",
            )
        )
