"""Students with or without a teacher: the points of a question, as a grid or as a table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_quantity, parse_quantity, parsed_parts
from bayes_distill._input.text import shown
from bayes_distill.errors import Fault, InputError
from bayes_distill.predict.counted_params import stated_counts
from bayes_distill.runs.inputs import NOT_READ
from bayes_distill.runs.levels import level_name
from bayes_distill.runs.schema import MOST_PARAMS, MOST_TOKENS, loss_problem
from bayes_distill.runs.table import POINT, input_names

if TYPE_CHECKING:
    from bayes_distill.laws import Law
    from bayes_distill.posterior import Posterior
    from bayes_distill.posterior.posterior import Conditions

Quantity = str | SupportsFloat | Sequence[str | SupportsFloat] | np.ndarray
NAMES = POINT
SIZES = tuple(name for name in NAMES if name != "teacher_loss")
MOST_POINTS = 100_000
"""Of a grid or a table: more would go on for minutes."""


@dataclass(frozen=True, eq=False)
class Points:
    """Students and their teachers, each (points,); NaN where something is not stated.

    Parameters
    ----------
    params, tokens
        Size and training tokens of each student.
    teacher_loss
        Loss of its teacher; NaN without a teacher, and for a teacher stated by size and tokens.
    teacher_params, teacher_tokens
        Size and training tokens of its teacher.
    teacher_loss_se
        Standard error of a measured teacher loss, 0 or NaN where it is exact.
    unique_tokens
        How many of a student's tokens are different ones, NaN where all are.
    inputs
        Columns that the law declares (`Law.extra_inputs`), each (points,); those that are left out
        are at their default, or else as in the middle of the runs.
    """

    params: np.ndarray
    tokens: np.ndarray
    teacher_loss: np.ndarray
    teacher_params: np.ndarray
    teacher_tokens: np.ndarray
    teacher_loss_se: np.ndarray | None = None
    unique_tokens: np.ndarray | None = None
    inputs: Mapping[str, np.ndarray] | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.params)

    @property
    def distilled(self) -> np.ndarray:
        """Which points have a teacher, (points,)."""
        return ~np.isnan(self.teacher_loss) | ~np.isnan(self.teacher_params)

    @property
    def repeated(self) -> np.ndarray:
        """Which points see some token more than once, (points,)."""
        if self.unique_tokens is None:
            return np.zeros(len(self), bool)
        return np.asarray(self.unique_tokens < self.tokens)

    def columns(self) -> dict[str, np.ndarray]:
        """The points as columns of a table; `unique_tokens` are all tokens where none repeats."""
        found = {name: getattr(self, name) for name in NAMES}
        different = self.tokens
        if self.unique_tokens is not None:
            different = np.where(self.repeated, self.unique_tokens, self.tokens)
        return found | {"unique_tokens": different} | dict(self.inputs or {})

    @property
    def groups(self) -> dict[str, np.ndarray]:
        """Which points share what new runs share: ``teacher`` and ``condition``, (points,) each.

        As in the tables of runs that are fitted, see `runs.grouping`.
        """
        from bayes_distill.runs.grouping import condition_groups, teacher_groups

        return {
            "teacher": teacher_groups(pd.DataFrame(self.columns())),
            "condition": condition_groups(self.params, self.tokens),
        }

    def subset(self, which: np.ndarray) -> Points:
        """Some of the points; `which` is boolean, (points,), or their places."""
        names = [each.name for each in fields(self) if each.name != "inputs"]
        columns = {name: getattr(self, name) for name in names}
        found = Points(**{name: c[which] for name, c in columns.items() if c is not None})
        if self.inputs is None:
            return found
        return replace(found, inputs={name: c[which] for name, c in self.inputs.items()})

    def supervised_draws(self, posterior: Posterior) -> np.ndarray:
        """Mean curve (draws, points) of these students without a teacher."""
        return posterior.supervised_loss(self.params, self.tokens, self.unique_tokens, self.inputs)

    def teacher_draws(self, posterior: Posterior, seed: int = 0) -> np.ndarray:
        """Teacher losses (draws, points): as stated, or as the supervised law predicts them.

        One with a standard error is uncertain by it, and the same for all points that name it.
        """
        from bayes_distill.predict.teachers import with_predicted

        losses = np.repeat(self.teacher_loss[None], posterior.n_draws, axis=0)
        se = np.nan_to_num(self.teacher_loss_se) if self.teacher_loss_se is not None else 0.0
        if np.any(se):
            teachers = np.column_stack([self.teacher_loss, np.broadcast_to(se, len(self))])
            each, level = np.unique(teachers, axis=0, return_inverse=True)
            level = level.reshape(-1)
            # a generator for each teacher: its error does not depend on the other points
            error = np.column_stack(
                [
                    np.random.default_rng([seed, 4, *one.view(np.uint64).tolist()]).standard_normal(
                        posterior.n_draws
                    )
                    for one in each
                ]
            )
            # far in the tail of a careless error there is no loss: it stays above zero
            losses = np.maximum(losses + se * error[:, level], 1e-3 * losses)
        return with_predicted(losses, posterior, self.teacher_params, self.teacher_tokens)

    def loss_draws(self, posterior: Posterior) -> np.ndarray:
        """Mean curve (draws, points) of these students, with or without a teacher."""
        distilled = self.distilled
        losses = self.supervised_draws(posterior)
        if distilled.any():
            losses[:, distilled] = self.distilled_draws(posterior, self.teacher_draws(posterior))
        return losses

    def distilled_draws(
        self, posterior: Posterior, teacher: np.ndarray, conditions: Conditions = "own"
    ) -> np.ndarray:
        """Mean curve (draws, points with a teacher) under teachers of these losses (draws, points).

        `conditions` as for `Posterior.distilled_loss`.
        """
        taught = self.distilled
        inputs = {name: column[taught] for name, column in (self.inputs or {}).items()}
        return posterior.distilled_loss(
            self.params[taught],
            self.tokens[taught],
            teacher[:, taught],
            conditions=conditions,
            inputs=inputs,
        )

    @property
    def names(self) -> list[str]:
        """What is forecast at each point, for people: ``loss of 1B on 100B, teacher 2``."""
        names = []
        unique = np.full(len(self), np.nan) if self.unique_tokens is None else self.unique_tokens
        for n, d, loss, size, u, again in zip(
            self.params,
            self.tokens,
            self.teacher_loss,
            self.teacher_params,
            unique,
            self.repeated,
            strict=True,
        ):
            teacher = f", teacher {loss:.4g}" if np.isfinite(loss) else ""
            if np.isfinite(size) and not teacher:
                teacher = f", teacher of {format_quantity(size)}"
            of = f" ({format_quantity(u)} unique)" if again else ""
            names.append(f"loss of {format_quantity(n)} on {format_quantity(d)}{of}{teacher}")
        return names


def quantities(value: Quantity) -> list[float]:
    """Numbers from ``"1B,3B"``, a number, or a sequence of either.

    Raises
    ------
    ValueError
        Naming every part that is not a number.
    """
    return parsed_parts(value, parse_quantity)


def grid(
    params: Quantity | None,
    tokens: Quantity | None,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    unique_tokens: Quantity | None = None,
    inputs: Mapping[str, Quantity] | None = None,
    law: Law | None = None,
) -> Points:
    """Every combination of the lists; `unique_tokens` beyond the tokens are all of them.

    `inputs` are lists of what the `law` declares; size and tokens are needed if it reads them.

    Raises
    ------
    InputError
        Naming every argument that is missing, not a number, or out of range.
    """
    values = (params, tokens, teacher_loss, teacher_params, teacher_tokens, unique_tokens)
    stated = dict(zip(NAMES, values, strict=True))
    lists: dict[str, list[float]] = {}
    faults: list[Fault] = []
    counts = stated_counts(inputs or {}, law, params is not None, quantities)
    lists |= counts.lists
    faults += counts.faults
    for name, value in stated.items():
        if name == "params" and value is None and (counts.way or counts.faults):
            lists[name] = [NOT_READ]
            continue
        if value is None:
            if name in ("params", "tokens") and (law is None or name in law.needs):
                faults.append(Fault("is needed", column=name))
            lists[name] = [NOT_READ if name in ("params", "tokens") else np.nan]
            continue
        try:
            lists[name] = quantities(value)
        except ValueError as error:
            faults.append(Fault(str(error), column=name))
            continue
        if not lists[name]:
            faults.append(Fault("is an empty list", column=name))
        faults += [
            Fault(problem, column=name)
            for number in lists[name]
            if (problem := _problem(name, number)) is not None
        ]
    faults += _teacher_faults({name: value is not None for name, value in stated.items()})
    own, more = input_lists(counts.rest, law)
    lists |= own
    faults += more
    if faults:
        raise InputError(faults)
    check_number("the lists make a grid of", math.prod(len(each) for each in lists.values()))
    every = np.array(list(itertools.product(*lists.values())), float).T
    columns = dict(zip(lists, every, strict=True))
    if (way := counts.way) is not None:
        columns["params"] = np.asarray(way.compute(*(columns[name] for name in way.columns)))
        ends = (columns["params"].min(), columns["params"].max())
        if problems := [p for end in ends if (p := _problem("params", float(end))) is not None]:
            raise InputError(Fault(f"{problems[0]} ({way.words})", column="params"))
    # of more data than tokens, none repeats
    columns["unique_tokens"] = np.minimum(columns["unique_tokens"], columns["tokens"])
    points = Points(**{name: columns[name] for name in NAMES})
    if not own:
        return points
    return replace(points, inputs=_indicated({name: columns[name] for name in own}, law))


def _indicated(columns: Mapping[str, np.ndarray], law: Law | None) -> dict[str, np.ndarray]:
    """Inputs (points,) with indicators in place of the places of levels among a column's levels."""
    found = dict(columns)
    for each in () if law is None else law.labels:
        place = found.pop(each.name)
        indicators = each.indicators()
        found |= {one.name: (place == i).astype(float) for i, one in enumerate(indicators)}
    return found


def input_columns_of(law: Law) -> list[str]:
    """Columns that a law reads besides those of every table, as people name them."""
    return [
        *(each.name for each in law.extra_inputs if not each.level_of),
        *(each.name for each in law.labels),
    ]


def with_levels(table: pd.DataFrame, law: Law) -> pd.DataFrame:
    """A table of points with the names of levels in place of their indicators."""
    for each in law.labels:
        names = [one.name for one in each.indicators()]
        if set(names) <= set(table):
            place = table[names].to_numpy(float).argmax(axis=1)
            levels = np.array(each.levels, dtype=object)[place]
            table = table.drop(columns=names).assign(**{each.name: levels})
    return table


def from_table(source: pd.DataFrame | str | Path, law: Law | None = None) -> Points:
    """Points from a table with the columns of a table of runs, less the loss.

    And those that the `law` declares.

    Faulty cells are raised as by `frame_of_points`.
    """
    return of_frame(frame_of_points(source, law))


def frame_of_points(source: pd.DataFrame | str | Path, law: Law | None = None) -> pd.DataFrame:
    """A table with the columns of a table of runs, less the loss, as canonical columns.

    And those that the `law` declares.

    Raises
    ------
    InputError
        Naming every faulty cell.
    """
    from bayes_distill.runs.reading import examine

    examined = examine(source, corrections=False, required=("params", "tokens"), law=law)
    if examined.faults:
        raise InputError(examined.faults)
    check_number("the table has", len(examined.sound))
    return examined.sound


def check_number(made: str, number: int, what: str = "points") -> None:
    """Refuse more than `MOST_POINTS`; `made` says what has that many ("the table has").

    Raises
    ------
    InputError
        If there are more.
    """
    if number > MOST_POINTS:
        raise InputError(
            f"{made} {number:,} {what}, and {MOST_POINTS:,} is most: ask for fewer at a time"
        )


def other_columns(source: pd.DataFrame | str | Path, law: Law | None = None) -> pd.DataFrame:
    """Columns of a table of points that are no quantities of a point, in the order of its rows.

    A label such as ``run`` is among them.
    """
    from bayes_distill.runs.reading import examine
    from bayes_distill.runs.table import LABELS

    examined = examine(source, corrections=False, required=("params", "tokens"), law=law)
    labels = [name for name in LABELS if name in examined.sound]
    return pd.concat([examined.sound[labels], examined.other], axis="columns")


def of_frame(frame: pd.DataFrame) -> Points:
    """Points from a frame with canonical columns."""
    empty = np.full(len(frame), np.nan)
    columns = (*NAMES, "teacher_loss_se")
    stated: dict[str, Any] = {n: frame[n].to_numpy(float) if n in frame else empty for n in columns}
    points = Points(**stated)
    own = {name: frame[name].to_numpy(float) for name in input_names(frame)}
    return replace(points, inputs=own) if own else points


def input_lists(
    inputs: Mapping[str, Quantity], law: Law | None
) -> tuple[dict[str, list[float]], list[Fault]]:
    """Lists of the inputs of a law, those that are not stated at their default; and faults.

    Of a column of names they are places among its levels.
    """
    numbers = () if law is None else (each for each in law.extra_inputs if not each.level_of)
    labels = {} if law is None else {each.name: each for each in law.labels}
    declared = {each.name: each for each in numbers}
    lists: dict[str, list[float]] = {}
    faults = []
    for name in inputs:
        if name not in declared and name not in labels:
            every = ", ".join((*declared, *labels))
            has = f"it declares {every}" if every else "it declares none"
            faults.append(Fault(f"the law has no such input ({has})", column=name))
    for name, each in declared.items():
        if name not in inputs:
            if each.default is None:
                faults.append(Fault("is needed: the law reads it", column=name))
            else:
                lists[name] = [each.default]
            continue
        try:
            lists[name] = quantities(inputs[name])
        except ValueError as error:
            faults.append(Fault(str(error), column=name))
            continue
        problems = [each.problem(value) for value in lists[name]] or ["is an empty list"]
        faults += [Fault(problem, column=name) for problem in problems if problem is not None]
    for name, label in labels.items():
        stated = inputs.get(name, label.default or label.levels[0])
        levels = [level_name(str(part)) for part in _parts(stated)]
        lists[name] = [float(label.levels.index(n)) for n in levels if n in label.levels]
        there_are = f"there are {', '.join(label.levels)}"
        faults += [
            Fault(f"'{shown(n)}' is no level ({there_are})", column=name)
            for n in levels
            if n not in label.levels
        ]
        if not levels:
            faults.append(Fault("is an empty list", column=name))
    return lists, faults


def _parts(stated: Any) -> list[Any]:
    """Parts of a list, also of one that is written with commas."""
    if isinstance(stated, str):
        return stated.split(",")
    return list(stated) if isinstance(stated, (Sequence, np.ndarray)) else [stated]


def _teacher_faults(stated: dict[str, bool]) -> list[Fault]:
    faults = []
    if stated["teacher_loss"] and (stated["teacher_params"] or stated["teacher_tokens"]):
        faults.append(
            Fault("give either the teacher's loss or its params and tokens", column="teacher_loss")
        )
    if stated["teacher_params"] != stated["teacher_tokens"]:
        lacking = "teacher_tokens" if stated["teacher_params"] else "teacher_params"
        faults.append(Fault("is needed too: a teacher's loss follows from both", column=lacking))
    return faults


def _problem(name: str, value: float) -> str | None:
    if not np.isfinite(value) or value <= 0:
        return f"{value:g} is not a positive number"
    if name == "teacher_loss":
        return loss_problem(value)
    least = 1e3
    if value < least:
        return f"{value:g} is too few: did you mean {value:g}B or {value:g}M?"
    most = MOST_PARAMS if name.endswith("params") else MOST_TOKENS
    if value > most:
        return f"{value:g} is more than anyone has used (at most {most:g})"
    return None
