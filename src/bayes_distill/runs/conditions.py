"""Conditions on runs, such as ``loss > 2.3 and params < 1e9``, evaluated on the columns."""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.expressions import (
    COMPARISONS,
    Evaluator,
    ExpressionError,
    Grammar,
    parse,
)
from bayes_distill._input.text import shown
from bayes_distill.errors import InputError

EXAMPLE = "write a condition such as loss > 2.3 and params < 1e9"
MISSING: dict[str, Callable[..., Any]] = {
    "isna": pd.isna,
    "isnull": pd.isna,
    "notna": pd.notna,
    "notnull": pd.notna,
}
NUMERIC: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "exp": np.exp,
    "floor": np.floor,
    "log": np.log,
    "log10": np.log10,
    "sqrt": np.sqrt,
}


def rows_where(frame: pd.DataFrame, text: str) -> pd.Series[bool]:
    """Whether a condition holds for each row of a canonical frame.

    Parameters
    ----------
    frame
        Canonical columns; the index is ``row``.
    text
        A condition over the columns and ``row``, in the language of `_input.expressions`.

    Raises
    ------
    InputError
        If it is no such condition.
    """
    columns = [*map(str, frame.columns), "row"]
    takes = dict.fromkeys((*MISSING, *NUMERIC), (1, 1))
    grammar = Grammar({*columns, "index"}, takes, methods=MISSING, logic=True)
    advice = f"{EXAMPLE}; columns: {', '.join(columns)}"
    functions = {**MISSING, **{name: _of_numbers(each) for name, each in NUMERIC.items()}}
    row = pd.Series(frame.index, index=frame.index)
    names = {**{str(name): frame[name] for name in frame}, "row": row, "index": row}
    try:
        tree = parse(text, grammar)
        with np.errstate(all="ignore"):
            keep = _Rows(names, functions).value(tree)
    except (ExpressionError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(
            f"the condition '{shown(text)}' cannot be used ({shown(str(error), 120)}): {advice}"
        ) from None
    if not isinstance(keep, pd.Series) or keep.dtype != bool:
        raise InputError(f"'{shown(text)}' is not a condition on runs: {advice}")
    return keep


class _Rows(Evaluator):
    """Evaluates on columns: a condition is a column of truth values."""

    def constant(self, value: Any) -> Any:
        return value if isinstance(value, (str, bool)) else np.float64(value)

    def arithmetic(self, operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        return _of_numbers(operation)(left, right)

    def logical(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.BoolOp):
            join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            parts: list[ast.expr] = node.values  # noqa: PD011  of a syntax tree
            return functools.reduce(join, [_truth(self.value(each)) for each in parts])
        if isinstance(node, ast.UnaryOp):
            value = _truth(self.value(node.operand))
            return not value if isinstance(value, bool) else ~value
        raise TypeError("this has no value")

    def _compared(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        result: Any = None
        holds: Any
        for op, part in zip(node.ops, node.comparators, strict=True):
            if isinstance(part, (ast.List, ast.Tuple, ast.Set)):
                if not isinstance(left, pd.Series):
                    raise TypeError("ahead of a list stands a column")
                right: Any = None
                holds = left.isin([self.value(each) for each in part.elts])
                holds = ~holds if isinstance(op, (ast.NotIn, ast.NotEq)) else holds
            else:
                right = self.value(part)
                holds = COMPARISONS[type(op)](left, right)
                holds = bool(holds) if isinstance(holds, np.bool_) else holds
            result = holds if result is None else result & holds
            left = right
        return result


def _of_numbers(operation: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that refuses text: ``text % number`` would format, and ``*`` repeat it."""

    def checked(*values: Any) -> Any:
        if not all(pd.api.types.is_numeric_dtype(np.asarray(each)) for each in values):
            raise TypeError("arithmetic is for numbers")
        return operation(*values)

    return checked


def _truth(value: Any) -> Any:
    """A condition, or a TypeError: numbers and text are none."""
    if isinstance(value, bool) or (isinstance(value, pd.Series) and value.dtype == bool):
        return value
    raise TypeError("and, or and not join conditions")
