"""What a run may look like: the rules, and what to say to whoever breaks one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.numbers import format_quantity
from bayes_distill.errors import Fault
from bayes_distill.runs.column_names import EPOCHS, FLOPS

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_PARAMS = 1e5
LEAST_TOKENS = 1e6
MOST_PARAMS = 1e15
MOST_TOKENS = 1e19
LEAST_LOSS, MOST_LOSS = 0.01, 20.0
"""Nats per token between which losses are asked about."""
LEAST_OF_RUNS = 1e-3
"""The same of runs, which may be in other units."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a number must satisfy.

    The rules of a column exclude each other, so that a cell that breaks one is named once.

    Parameters
    ----------
    broken
        Which values of a column (rows,) break it; NaN breaks none.
    problem
        What to say about a value that does.
    """

    broken: Callable[[Numbers], Flags]
    problem: Callable[[float], str]


def validate(
    numbers: pd.DataFrame, labels: Mapping[str, str], may_be_empty: Iterable[str] = ()
) -> list[Fault]:
    """Check the numbers of a table by its rules: every faulty cell is named.

    Parameters
    ----------
    numbers
        float64 columns under their canonical names; the index is the run's position.
    labels
        What the table calls each of these columns.
    may_be_empty
        Required columns whose gaps have been named already.

    Returns
    -------
    list of Fault
        In no particular order; at most one for each cell.
    """
    faults: list[Fault] = []
    for name in map(str, numbers.columns):
        values = numbers[name].to_numpy(float)
        rules = RULES[name]
        if name not in (*OPTIONAL, *may_be_empty):
            rules = (*rules, Rule(np.isnan, _empty(name)))
        for rule in rules:
            broken = rule.broken(values)
            for row, value in zip(numbers.index[broken], values[broken], strict=True):
                faults.append(Fault(rule.problem(float(value)), int(row), labels[name]))
    return faults + _teacher_faults(numbers, labels)


def _empty(name: str) -> Callable[[float], str]:
    return lambda _: f"is empty: every run needs its {MEANING[name]}"


def _teacher_faults(numbers: pd.DataFrame, labels: Mapping[str, str]) -> list[Fault]:
    faults = []
    for name, other in (("teacher_params", "teacher_tokens"), ("teacher_tokens", "teacher_params")):
        if name in numbers and other in numbers:
            problem = f"is empty, but {labels[other]} is not: give both or neither"
            alone = numbers[name].isna() & numbers[other].notna()
            faults += [Fault(problem, row, labels[name]) for row in numbers.index[alone]]
    if "teacher_loss_se" in numbers:
        known = numbers["teacher_loss_se"].notna()
        if "teacher_loss" in numbers:
            known &= numbers["teacher_loss"].isna()
        problem = "is the standard error of a teacher_loss that is empty: give both or neither"
        faults += [Fault(problem, row, labels["teacher_loss_se"]) for row in numbers.index[known]]
        if "teacher_loss" in numbers:
            se, loss = numbers["teacher_loss_se"], numbers["teacher_loss"]
            wide = (se >= loss) & (loss > 0) & (se < math.inf)
            faults += [
                Fault(error_problem(se[row], loss[row]), row, labels["teacher_loss_se"])
                for row in numbers.index[wide]
            ]
    return faults


def error_problem(error: float, loss: float) -> str:
    """Say that a standard error is no smaller than the loss that it is of."""
    return f"{error:g} is no standard error of a loss of {loss:g}: it must be less"


def _finite(what: str) -> tuple[Rule, ...]:
    return (
        Rule(np.isinf, lambda _: f"the {what} is infinite"),
        Rule(
            lambda x: (x < 0) & (x > -math.inf),
            lambda v: f"{v:g} is negative: the {what} must be above zero",
        ),
        Rule(lambda x: x == 0, lambda _: f"is zero: the {what} must be above zero"),
    )


def _count_rules(noun: str, least: float, most: float, in_millions_from: float) -> tuple[Rule, ...]:
    def too_few(value: float) -> str:
        suffix, exponent = ("M", "e6") if value >= in_millions_from else ("B", "e9")
        return (
            f"{value:g} {noun}: did you mean {value:g}{suffix}?"
            f" write {value:g}{suffix} or {value:g}{exponent}"
        )

    def too_many(value: float) -> str:
        return (
            f"{value:g} {noun} is more than anyone has used (at most {most:g}):"
            f" give the plain count, or a suffix, but not both"
        )

    return (
        *_finite(f"number of {noun}"),
        Rule(lambda x: (x > 0) & (x < least), too_few),
        Rule(lambda x: (x > most) & (x < math.inf), too_many),
    )


def loss_problem(value: float) -> str | None:
    """Say why a number is no validation loss, or ``None``."""
    if LEAST_LOSS <= value <= MOST_LOSS:
        return None
    return f"{value:g} is no loss in nats per token ({LEAST_LOSS:g} to {MOST_LOSS:g})"


def _perplexity(value: float) -> str:
    return f"{value:g} looks like a perplexity: give its logarithm in nats, {math.log(value):.2f}"


_PARAMS = _count_rules("parameters", LEAST_PARAMS, MOST_PARAMS, in_millions_from=100.0)
_TOKENS = _count_rules("tokens", LEAST_TOKENS, MOST_TOKENS, in_millions_from=1e4)
_LOSS = (
    *_finite("loss"),
    Rule(
        lambda x: (x > 0) & (x < LEAST_OF_RUNS),
        lambda v: (
            f"{v:g} is no loss in nats per token, or per byte: it is less than {LEAST_OF_RUNS:g}"
        ),
    ),
    Rule(lambda x: (x > MOST_LOSS) & (x < math.inf), _perplexity),
)

RULES: dict[str, tuple[Rule, ...]] = {
    "params": _PARAMS,
    "tokens": _TOKENS,
    FLOPS: _finite("number of training FLOPs"),
    "loss": _LOSS,
    "teacher_loss": _LOSS,
    "teacher_loss_se": _finite("standard error")[:2],
    "teacher_params": _PARAMS,
    "teacher_tokens": _TOKENS,
    "unique_tokens": _TOKENS,
    EPOCHS: _finite("number of epochs"),
}
OPTIONAL = (
    "teacher_loss",
    "teacher_loss_se",
    "teacher_params",
    "teacher_tokens",
    "unique_tokens",
    EPOCHS,
)
MEANING = {
    "params": "number of parameters",
    "tokens": "number of tokens",
    FLOPS: "training FLOPs, where the table gives no tokens",
    "loss": "validation loss",
}


def describe_derived(flops: float, tokens: float) -> str:
    """Say what is wrong with tokens that follow from FLOPs."""
    amount = "few" if tokens < LEAST_TOKENS else "many"
    return (
        f"{flops:g} training FLOPs / (6 params) makes {format_quantity(tokens)} tokens, too "
        f"{amount} for a run: give plain FLOPs, such as 2e20"
    )
