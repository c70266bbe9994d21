"""A small language of formulas and conditions, which is read and never run as Python.

::

    condition   or, and, not (also | & ~); comparisons, chained or not; x in (1, 2); isna(x)
    formula     + - * / // % **, numbers, names, functions that the grammar lists
    text        'a' and "a", in conditions

`parse` accepts a syntax tree only if every node of it is in the list below. `Evaluator` computes it
by a table of operators, on whatever the names stand for: columns of a table, or arrays of JAX.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bayes_distill._input.text import shown

MOST_CHARACTERS = 4000
MOST_NODES = 1000
MOST_DEPTH = 40
LARGEST_POWER = 100.0  # 9**9**9 has no use, and as whole numbers no end

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
# text in quotes is left alone; outside it `name` is name, and & and | bind as and and or do
_WORDS = re.compile(r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|`([^`'"]*)`|([&|])""")


class ExpressionError(ValueError):
    """The text is not in the language; the message says why, in a few words.

    `column` is the place in the text of what is at fault, from 1; ``None`` for the whole of it.
    """

    column: int | None = None

    def at(self, column: int | None) -> ExpressionError:
        """The same with a place, unless it has one."""
        self.column = column if self.column is None else self.column
        return self


@dataclass(frozen=True, slots=True)
class Grammar:
    """What an expression may contain besides numbers and arithmetic.

    Parameters
    ----------
    names
        Names that it may use.
    functions
        Functions that it may call, each with the fewest and the most arguments.
    methods
        Those of them that may be written after a name too: ``loss.isna()``.
    logic
        Whether it may compare, use text and lists, and join conditions by and, or, not.
    """

    names: Collection[str]
    functions: Mapping[str, tuple[int, int]]
    methods: Collection[str] = ()
    logic: bool = False


def parse(text: str, grammar: Grammar) -> ast.expr:
    """The syntax tree of an expression in which every node is one that `grammar` allows.

    Raises
    ------
    ExpressionError
        If the text is no such expression, too long, too deeply nested, or has a power beyond
        `LARGEST_POWER`.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"it has {len(text):,} characters, and {MOST_CHARACTERS:,} is most")
    source = _WORDS.sub(_word, text) if grammar.logic else text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on odd code
            tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        place = error.offset if isinstance(error, SyntaxError) else None
        raise ExpressionError(reason.partition(" (<")[0]).at(place) from None
    except (MemoryError, RecursionError):
        raise ExpressionError("it is nested too deeply") from None
    _Checker(grammar).check(tree)
    return tree


def _word(found: re.Match[str]) -> str:
    quoted, name, sign = found.groups()
    if quoted is not None:
        return str(quoted)
    return f" {name} " if sign is None else {"&": " and ", "|": " or "}[sign]


class _Checker:
    """Goes through a tree and refuses what is not listed."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.nodes = 0

    def check(self, node: ast.expr, depth: int = 0) -> None:
        try:
            self._check(node, depth)
        except ExpressionError as error:
            raise error.at(node.col_offset + 1) from None

    def _check(self, node: ast.expr, depth: int) -> None:
        self.nodes += 1
        if depth > MOST_DEPTH:
            raise ExpressionError("it is nested too deeply")
        if self.nodes > MOST_NODES:
            raise ExpressionError(f"it has more than {MOST_NODES:,} parts")
        for part in self._parts(node):
            self.check(part, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            _check_power(node.right)

    def _parts(self, node: ast.expr) -> list[ast.expr]:
        """What is inside a node that is allowed."""
        logic = self.grammar.logic
        match node:
            case ast.Constant():
                self._check_constant(node.value)
                return []
            case ast.Name(id=name):
                if name not in self.grammar.names:
                    raise ExpressionError(f"there is no '{shown(name)}'")
                return []
            case ast.BinOp(op=op) if type(op) in ARITHMETIC:
                return [node.left, node.right]
            case ast.UnaryOp(op=op) if type(op) in SIGNS:
                return [node.operand]
            case ast.UnaryOp(op=ast.Not() | ast.Invert()) if logic:
                return [node.operand]
            case ast.BoolOp() if logic:
                return node.values
            case ast.Compare() if logic:
                return self._compared(node)
            case ast.List() | ast.Tuple() | ast.Set() if logic:
                raise ExpressionError("a list stands only behind in, not in, == and !=")
            case ast.Call():
                return self._called(node)
        raise ExpressionError(f"{_WHAT.get(type(node), 'this')} is not allowed")

    def _check_constant(self, value: object) -> None:
        if isinstance(value, bool) and self.grammar.logic:
            return
        if isinstance(value, str) and self.grammar.logic:
            return
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise ExpressionError(f"{shown(repr(value))} is not allowed")
        try:
            finite = math.isfinite(float(value))
        except OverflowError:
            finite = False
        if not finite:
            raise ExpressionError("a number is too large")

    def _compared(self, node: ast.Compare) -> list[ast.expr]:
        parts = [node.left]
        for op, right in zip(node.ops, node.comparators, strict=True):
            listed = isinstance(right, (ast.List, ast.Tuple, ast.Set))
            if type(op) not in COMPARISONS and not isinstance(op, (ast.In, ast.NotIn)):
                raise ExpressionError("'is' is not allowed: write == or isna()")
            if isinstance(op, (ast.In, ast.NotIn)) and not listed:
                raise ExpressionError("behind in stands a list, such as (1, 2)")
            if listed and not isinstance(op, (ast.In, ast.NotIn, ast.Eq, ast.NotEq)):
                raise ExpressionError("a list stands only behind in, not in, == and !=")
            if isinstance(right, (ast.List, ast.Tuple, ast.Set)):
                if not all(isinstance(_unsigned(each), ast.Constant) for each in right.elts):
                    raise ExpressionError("a list holds numbers and text only")
                parts += right.elts
            else:
                parts.append(right)
        return parts

    def _called(self, node: ast.Call) -> list[ast.expr]:
        if node.keywords:
            raise ExpressionError("arguments with names are not allowed")
        arguments = list(node.args)
        if isinstance(node.func, ast.Name):
            name = node.func.id
            known = name in self.grammar.functions
        elif isinstance(node.func, ast.Attribute):
            name = node.func.attr
            known = name in self.grammar.methods
            arguments.insert(0, node.func.value)
        else:
            raise ExpressionError("only a name is called")
        if not known:
            raise ExpressionError(f"there is no function '{shown(name)}'")
        least, most = self.grammar.functions[name]
        if not least <= len(arguments) <= most:
            number = f"{least}" if least == most else f"{least} to {most}"
            raise ExpressionError(f"{name} takes {number} argument{'s' if most > 1 else ''}")
        return arguments


_WHAT: dict[type[ast.expr], str] = {
    ast.Attribute: "a dot behind a name",
    ast.Subscript: "an index in brackets",
    ast.Lambda: "lambda",
    ast.IfExp: "if",
    ast.NamedExpr: ":=",
    ast.JoinedStr: "an f-string",
    ast.Starred: "a star",
    ast.ListComp: "a loop",
    ast.GeneratorExp: "a loop",
    ast.BinOp: "this operator",
    ast.Compare: "a comparison",
    ast.BoolOp: "and or or",
}


def _unsigned(node: ast.expr) -> ast.expr:
    signed = isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS
    return node.operand if isinstance(node, ast.UnaryOp) and signed else node


def _check_power(exponent: ast.expr) -> None:
    """Refuse exponents without a name in them whose value is beyond `LARGEST_POWER`."""
    if any(isinstance(part, (ast.Name, ast.Call)) for part in ast.walk(exponent)):
        return
    try:
        value = Evaluator({}, {}).value(exponent)
        bounded = abs(value) <= LARGEST_POWER
    except (ArithmeticError, TypeError, ValueError):
        bounded = False
    if not bounded:
        raise ExpressionError(f"a power is beyond {LARGEST_POWER:g}")


class Evaluator:
    """Computes a tree that `parse` returned.

    Parameters
    ----------
    names
        What each name stands for: a column, an array, a number.
    functions
        What each function does.
    """

    def __init__(self, names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]):
        self.names = names
        self.functions = functions

    def value(self, node: ast.expr) -> Any:
        """Value of a node, by the values of its parts."""
        match node:
            case ast.Constant():
                return self.constant(node.value)
            case ast.Name():
                return self.names[node.id]
            case ast.BinOp():
                return self.arithmetic(
                    ARITHMETIC[type(node.op)], self.value(node.left), self.value(node.right)
                )
            case ast.UnaryOp(op=op) if type(op) in SIGNS:
                return SIGNS[type(op)](self.value(node.operand))
            case ast.Call(func=ast.Name(id=name)):
                return self.functions[name](*map(self.value, node.args))
            case ast.Call(func=ast.Attribute(attr=name, value=first)):
                return self.functions[name](*map(self.value, (first, *node.args)))
        return self.logical(node)

    def constant(self, value: Any) -> Any:
        """A number as a float: whole numbers of Python have no largest one."""
        return float(value)

    def arithmetic(self, operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """What an operator makes of two values."""
        return operation(left, right)

    def logical(self, node: ast.expr) -> Any:
        """Value of a comparison, or of what joins conditions."""
        raise TypeError(f"{type(node).__name__} has no value here")
