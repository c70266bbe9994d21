"""Sizes of points that are stated by another count of parameters, or by a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayes_distill.errors import Fault
from bayes_distill.runs.counts import NAMES, NON_EMBEDDING, PARAMS, Way, lacking, way_to

if TYPE_CHECKING:
    from bayes_distill.laws import Law


@dataclass(frozen=True)
class StatedCounts:
    """What a call states of counts and shapes.

    Parameters
    ----------
    rest
        The other inputs.
    lists
        Numbers of each count or part of a shape.
    way
        How params follow from them; ``None`` where params are stated, or nothing is.
    faults
        What is wrong.
    """

    rest: dict[str, Any]
    lists: dict[str, list[float]] = field(default_factory=dict)
    way: Way | None = None
    faults: list[Fault] = field(default_factory=list)


def stated_counts(
    inputs: Mapping[str, Any],
    law: Law | None,
    has_params: bool,
    read: Callable[[Any], list[float]],
) -> StatedCounts:
    """Take counts and shapes out of the inputs of a call.

    An input that the law declares stays one, and is used for a size that is not stated as well.
    `read` makes numbers of a list. Params that stand alone are in the law's count; beside another
    count they are those without the embedding, as in a table.
    """
    declared = set() if law is None else {each.name for each in law.extra_inputs}
    of_counts = {name: value for name, value in inputs.items() if name in NAMES}
    rest = {n: value for n, value in inputs.items() if n not in of_counts or n in declared}
    if not of_counts or (has_params and set(of_counts) <= declared):
        return StatedCounts(rest)
    counts = NON_EMBEDDING if law is None else law.counts
    way = way_to(counts, [*of_counts, *((PARAMS,) if has_params else ())])
    if way is None:
        needs_none = law is not None and PARAMS not in law.needs
        faults = [] if needs_none else [Fault(lacking(counts), column=PARAMS)]
        return StatedCounts(rest, faults=faults)
    lists: dict[str, list[float]] = {}
    faults = []
    for name, value in of_counts.items():
        try:
            lists[name] = read(value)
        except ValueError as error:
            faults.append(Fault(str(error), column=name))
            continue
        faults += [Fault(f"{v:g} is not positive", column=name) for v in lists[name] if not v > 0]
    unused = set(of_counts) - set(way.columns) - declared
    faults += [Fault(f"is not used: params are {way.words}", column=n) for n in sorted(unused)]
    return StatedCounts(rest, lists, way, faults)
