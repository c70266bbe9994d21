"""Formulas as people write them: parsed, never run; and which coefficients are scales of terms.

A scale A of a term such as ``A / params**alpha`` trades off with its exponent, because the term is
known where the runs are and A is its value at one parameter. So the term's own value at a point in
the middle of the runs is sampled in place of A. `scale_terms` finds such terms in the syntax tree.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import jax.numpy as jnp

from bayes_distill._input.expressions import (
    ARITHMETIC,
    SIGNS,
    Evaluator,
    ExpressionError,
    Grammar,
    parse,
)

FUNCTIONS = {"exp": (1, 1), "log": (1, 1), "sqrt": (1, 1), "min": (2, 8), "max": (2, 8)}
"""Functions of the grammar, each with the fewest and the most arguments."""
LEAST = 1e-300  # factors of a term are above zero at the reference point, or taken to be
_COMPUTED: dict[str, Callable[..., Any]] = {
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "min": lambda *parts: reduce(jnp.minimum, parts),
    "max": lambda *parts: reduce(jnp.maximum, parts),
}

_OF_NUMBERS: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "min": min,
    "max": max,
}


class _AnyName(Container[str]):
    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name not in FUNCTIONS

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


@lru_cache(maxsize=256)
def parse_formula(text: str) -> ast.expr:
    """Syntax tree of a formula: numbers, names, ``+ - * / **``, exp, log, min, max, sqrt.

    Raises
    ------
    ExpressionError
        If it is none; the message says at which character, and what stands there.
    """
    source = " ".join(text.split())
    try:
        tree = parse(source, Grammar(names=_AnyName(), functions=FUNCTIONS))
        for node in ast.walk(tree):
            if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.FloorDiv, ast.Mod)):
                raise ExpressionError("// and % are not allowed").at(node.right.col_offset)
        if not names_in(tree):
            raise ExpressionError("it holds no name")
        _constant(tree)
    except ExpressionError as error:
        raise ExpressionError(f"{error}{_place(source, error.column)}") from None
    return tree


def _constant(node: ast.expr) -> float | None:
    """Value of a part of a formula without names; ``None`` for a part with any.

    Raises
    ------
    ExpressionError
        If a constant part of it has no value, or one that is no finite real number.
    """
    parts = [_constant(part) for part in _operands(node)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and parts[1] == 0:
        raise ExpressionError("division by zero").at(node.col_offset + 1)
    if isinstance(node, ast.Name) or None in parts:
        return None
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    known = [part for part in parts if part is not None]
    try:
        if isinstance(node, ast.BinOp):
            value = ARITHMETIC[type(node.op)](*known)
        elif isinstance(node, ast.UnaryOp):
            value = SIGNS[type(node.op)](*known)
        else:
            assert isinstance(node, ast.Call)
            assert isinstance(node.func, ast.Name)
            value = _OF_NUMBERS[node.func.id](*known)
    except ZeroDivisionError:
        raise ExpressionError("division by zero").at(node.col_offset + 1) from None
    except (OverflowError, ValueError):
        value = math.nan
    if isinstance(value, complex) or not math.isfinite(value):
        raise ExpressionError("this is no finite number").at(node.col_offset + 1)
    return float(value)


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.UnaryOp():
            return [node.operand]
        case ast.Call():
            return node.args
    return []


def _place(source: str, column: int | None) -> str:
    if column is None:
        return ""
    here = source[max(0, column - 1) :][:20]
    return f" (at character {column}, {here!r})" if here.strip() else f" (at character {column})"


def names_in(*nodes: ast.expr) -> tuple[str, ...]:
    """Names in the order in which they appear, each once; functions are none."""
    found: dict[str, int] = {}
    for node in nodes:
        called = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
        names = [
            part for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in called
        ]
        for part in sorted(names, key=lambda each: each.col_offset):
            found[part.id] = found.get(part.id, 0) + 1
    return tuple(found)


class FormulaEvaluator(Evaluator):
    """Computes a formula on arrays of JAX.

    Parameters
    ----------
    names
        Value of every name.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__(names, _COMPUTED)

    def arithmetic(self, operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """What an operator makes of two values; whole powers also of negative numbers."""
        whole = isinstance(right, float) and right.is_integer() and not isinstance(left, float)
        if whole and operation(2.0, 3.0) == 8.0:
            return left ** int(right)
        return operation(left, right)


@dataclass(frozen=True)
class ScaleTerm:
    """A coefficient that multiplies a term of a formula.

    Parameters
    ----------
    name
        Name of the coefficient.
    rest
        The other factors of the term, each with 1 where it multiplies and -1 where it divides.
    powers
        Powers of which the term is the base, from the loss inwards, each with its sign: the term
        is in units of the reference loss to one over their product. ``None`` where it has no unit.
    """

    name: str
    rest: tuple[tuple[ast.expr, int], ...]
    powers: tuple[tuple[ast.expr, int], ...] | None

    @property
    def is_constant(self) -> bool:
        """Whether the coefficient alone is a part of the loss."""
        return not self.rest and self.powers == ()

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Names in its other factors and powers."""
        return names_in(*(node for node, _ in (*self.rest, *(self.powers or ()))))

    def log_rest(self, names: Mapping[str, Any], log_loss: Any) -> Any:
        """Log of the term's value over the coefficient, in its unit.

        `names` holds the inputs at the reference point and the coefficients in `depends_on`,
        `log_loss` is the log of the reference loss.
        """
        evaluator = FormulaEvaluator(names)
        total = sum(
            (sign * jnp.log(jnp.maximum(evaluator.value(node), LEAST)) for node, sign in self.rest),
            jnp.zeros(()),
        )
        if self.powers is None:
            return total
        power = reduce(
            lambda product, each: product * each[1] * evaluator.value(each[0]), self.powers, 1.0
        )
        return total - log_loss / power


@lru_cache(maxsize=256)
def scale_terms(
    text: str, positive: frozenset[str], shares: frozenset[str], signed: frozenset[str]
) -> tuple[ScaleTerm, ...]:
    """Terms of a formula that have a scale, in an order in which each needs only earlier ones.

    Parameters
    ----------
    text
        The formula.
    positive
        Coefficients that are positive numbers.
    shares, signed
        Those between 0 and 1, and those of either sign. The rest of the names are columns.
    """
    tree = parse_formula(text)
    uses: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            uses[node.id] = uses.get(node.id, 0) + 1
    once = {name for name in positive if uses.get(name) == 1}
    found: list[ScaleTerm] = []
    _search(tree, (), once, positive | shares | signed, signed, found)
    scales = {term.name for term in found}
    ordered: list[ScaleTerm] = []
    while True:
        done = {term.name for term in ordered}
        ready = [t for t in found if t not in ordered and not (set(t.depends_on) & scales) - done]
        if not ready:
            return tuple(ordered)
        ordered += ready


def _search(
    node: ast.expr,
    powers: tuple[tuple[ast.expr, int], ...] | None,
    once: set[str],
    coefficients: frozenset[str],
    signed: frozenset[str],
    found: list[ScaleTerm],
) -> None:
    """Collect the scale terms of a sum; `powers` as in `ScaleTerm`."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            parts, inner = [left, right], powers
        case ast.UnaryOp(operand=operand):
            parts, inner = [operand], powers
        case ast.Call(func=ast.Name(id="min" | "max"), args=arguments):
            parts, inner = list(arguments), powers
        case _:
            _search_product(node, powers, once, coefficients, signed, found)
            return
    for part in parts:
        _search(part, inner, once, coefficients, signed, found)


def _search_product(
    node: ast.expr,
    powers: tuple[tuple[ast.expr, int], ...] | None,
    once: set[str],
    coefficients: frozenset[str],
    signed: frozenset[str],
    found: list[ScaleTerm],
) -> None:
    factors = _factors(node, 1)
    scale = next(
        (f for f, sign in factors if sign > 0 and isinstance(f, ast.Name) and f.id in once), None
    )
    rest = [(f, sign) for f, sign in factors if f is not scale]
    if isinstance(scale, ast.Name):
        positive = all(_is_positive(f, signed) for f, _ in rest)
        bent = bool(set(names_in(*(f for f, _ in rest))) & coefficients)
        if positive and (bent or powers is not None):
            found.append(ScaleTerm(scale.id, tuple(rest), powers))
        powers = None
    if sum(not _is_number(f) for f, _ in rest) > 1:
        powers = None
    for factor, sign in rest:
        match factor:
            case ast.BinOp(left=base, op=ast.Pow(), right=power):
                inner = None if powers is None else (*powers, (power, sign))
                _search(base, inner, once, coefficients, signed, found)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                inner = powers if sign > 0 and not _is_number(factor) else None
                _search(factor, inner, once, coefficients, signed, found)


def _is_number(node: ast.expr) -> bool:
    """Whether a factor has no unit: a number, or a sum with one, as in ``1 + k * log(x)``."""
    match node:
        case ast.Constant() | ast.Call(func=ast.Name(id="exp" | "log")):
            return True
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return _is_number(left) or _is_number(right)
    return False


def _factors(node: ast.expr, sign: int) -> list[tuple[ast.expr, int]]:
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _factors(left, sign) + _factors(right, sign)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _factors(left, sign) + _factors(right, -sign)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _factors(operand, sign)
    return [(node, sign)]


def _is_positive(node: ast.expr, signed: frozenset[str], logs: bool = False) -> bool:
    """Whether a part is above zero, whatever the coefficients; columns are taken to be so.

    With `logs` logarithms are taken to be so too: in ``1 + k * log(x)`` x counts from 1.
    """
    match node:
        case ast.Constant(value=value):
            return isinstance(value, (int, float)) and value > 0
        case ast.Name(id=name):
            return name not in signed
        case ast.Call(func=ast.Name(id="exp")):
            return True
        case ast.Call(func=ast.Name(id="log")):
            return logs
        case ast.Call(func=ast.Name(id="sqrt" | "min" | "max"), args=arguments):
            return all(_is_positive(part, signed) for part in arguments)
        case ast.BinOp(left=left, op=ast.Pow()):
            return _is_positive(left, signed, logs)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [left, right]
            sure = any(_is_positive(part, signed) for part in parts)
            return sure and all(_is_positive(part, signed, True) for part in parts)
        case ast.BinOp(
            left=ast.Constant(value=1),
            op=ast.Sub(),
            right=ast.Call(func=ast.Name(id="exp"), args=[power]),
        ):  # a share that saturates
            return _is_negative(power, signed)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            return _is_positive(left, signed, logs) and _is_positive(right, signed, logs)
    return False


def _is_negative(node: ast.expr, signed: frozenset[str]) -> bool:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_positive(operand, signed)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            return _is_negative(left, signed) and _is_positive(right, signed)
    return False
