"""What a plan is asked for, read and checked with every fault at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill.bands import interval_fault
from bayes_distill.compute import FLOPS, SCENARIOS, ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.utilities import Utility, per_recipe, utility_named
from bayes_distill.points import Quantity, quantities
from bayes_distill.posterior import Posterior
from bayes_distill.teachers import Teachers, read_teachers

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


def read_asked(
    params: Quantity | None,
    budget: Quantity | None,
    scenario: str | Scenario | Sequence[str | Scenario] | None,
    teachers: Teachers | pd.DataFrame | str | Path | None,
    utility: str | Utility,
    flops: str | ForwardFlops,
    served_tokens: float | None,
    target_loss: float | None,
    draws: int,
    interval: float,
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
    positive("served_tokens", served_tokens, needed=False)
    positive("target_loss", target_loss, needed=False)
    if draws < 1:
        faults.append(Fault(f"{draws} is less than 1", column="draws"))
    names = [scenario] if isinstance(scenario, (str, Scenario)) else scenario
    scenarios: list[Scenario] = []
    for name in list(SCENARIOS) if names is None else names:
        if isinstance(name, Scenario):
            scenarios.append(name)
        else:
            for part in name.split(","):
                if part.strip() in SCENARIOS:
                    scenarios.append(SCENARIOS[part.strip()])
                else:
                    faults.append(
                        Fault(
                            f"no scenario {part.strip()!r}; there are {', '.join(SCENARIOS)}",
                            column="scenario",
                        )
                    )
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
    count = FLOPS[flops] if isinstance(flops, str) else flops
    return Asked(tuple(sizes), np.array(budgets, float), tuple(scenarios), candidates, judge, count)


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
