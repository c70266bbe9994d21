"""A posterior at stated values of the columns that its law reads besides size and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayes_distill._input.numbers import parse_quantity
from bayes_distill.cards.inputs import InputSettings
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws import FactoredLaw, Law
from bayes_distill.laws.inputs import indicator
from bayes_distill.posterior.posterior import Posterior


def at_inputs(posterior: Posterior, inputs: Mapping[str, Any] | None = None) -> Posterior:
    """The posterior where inputs have these values; those not stated are in the middle of the runs.

    Of a law with factors it is one of the law without them, at coordinates that are moved: any
    question to it is as quick as to a fit without factors. Of a formula it is one of the same law
    with other defaults.

    Parameters
    ----------
    posterior
        The posterior; one without inputs is returned as it is if none are stated.
    inputs
        A number for each column, or the name of a level.

    Raises
    ------
    InputError
        Naming every column that the law does not read, and every value that it cannot have.
    """
    law = posterior.law
    stated = _values(law, inputs or {})
    if isinstance(law, FactoredLaw):
        return _without_factors(posterior, law, stated)
    if not stated:
        return posterior
    if posterior.card.formula is None:
        several = "is of a law of several members, whose inputs cannot be fixed: ask for forecasts"
        raise InputError([Fault(several, column=name) for name in stated])
    card = posterior.card
    settings = {
        name: card.inputs.get(name, InputSettings()).model_copy(update={"default": value})
        for name, value in stated.items()
    }
    card = card.model_copy(update={"inputs": {**card.inputs, **settings}})
    return Posterior(posterior.tree, card, posterior.reference, posterior.info)


def _without_factors(
    posterior: Posterior, law: FactoredLaw, stated: Mapping[str, float]
) -> Posterior:
    group = posterior.tree["posterior"].dataset
    names = [name for name in law.coordinate_names if name in group]
    moved = law.moved({name: group[name].to_numpy() for name in names}, stated)
    kept = group.drop_vars([name for name in names if name not in moved])
    changed = {name: (group[name].dims, np.asarray(moved[name])) for name in names if name in moved}
    children = {
        name: child.to_dataset()
        for name, child in posterior.tree.children.items()
        if name != "posterior"
    }
    tree = xr.DataTree.from_dict({"posterior": kept.assign(changed), **children})
    card = posterior.card.model_copy(update={"factors": {}})
    return Posterior(tree, card, posterior.reference, posterior.info)


def _values(law: Law, inputs: Mapping[str, Any]) -> dict[str, float]:
    """Columns of numbers of the stated inputs."""
    numbers = {each.name: each for each in law.extra_inputs if not each.level_of}
    labels = {each.name: each for each in law.labels}
    found: dict[str, float] = {}
    faults = []
    for name, value in inputs.items():
        if name in labels:
            levels = labels[name].levels
            if str(value).strip() not in levels:
                there_are = f"{value!r} is no level: there are {', '.join(levels)}"
                faults.append(Fault(there_are, column=name))
            found |= {indicator(name, n): float(n == str(value).strip()) for n in levels}
        elif name in numbers:
            try:
                found[name] = float(parse_quantity(str(value)))
            except ValueError:
                faults.append(Fault(f"{value!r} is not one number", column=name))
                continue
            if (problem := numbers[name].problem(found[name])) is not None:
                faults.append(Fault(problem, column=name))
        else:
            every = ", ".join((*numbers, *labels))
            has = f"it reads {every}" if every else "it reads none"
            faults.append(Fault(f"the law has no such input ({has})", column=name))
    if faults:
        raise InputError(faults)
    return found
