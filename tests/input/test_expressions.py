"""The language of formulas and conditions: only what is listed, and what it means."""

from __future__ import annotations

import ast
import math
import operator
import time

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_distill._input.expressions import (
    MOST_CHARACTERS,
    MOST_DEPTH,
    Evaluator,
    ExpressionError,
    Grammar,
    parse,
)
from bayes_distill.errors import InputError
from bayes_distill.runs.conditions import rows_where

FORMULA = Grammar({"N", "D", "alpha"}, {"exp": (1, 1), "log": (1, 1), "min": (2, 2)})
RUNS = pd.DataFrame(
    {
        "params": [1e8, 1e9, 3e9, 1e10],
        "tokens": [1e10, 2e10, 6e10, 3e11],
        "loss": [3.0, 2.5, 2.3, 2.0],
        "teacher_loss": [np.nan, 2.1, 2.0, np.nan],
        "run": ["a", "b", None, "d"],
        "group": ["x", "x", "y", None],
    }
).rename_axis(index="row")


def value(text, grammar=FORMULA, **names):
    functions = {"exp": jnp.exp, "log": jnp.log, "min": jnp.minimum}
    return Evaluator(names, functions).value(parse(text, grammar))


def test_a_formula_is_computed_and_differentiated():
    def loss(n):
        return value("1.8 + exp(alpha) * N ** -0.3 / min(D, 4)", N=n, D=5.0, alpha=0.5)

    assert loss(2.0) == pytest.approx(1.8 + math.exp(0.5) * 2**-0.3 / 4)
    slope = jax.grad(loss)(2.0)
    assert slope == pytest.approx(-0.3 * math.exp(0.5) * 2**-1.3 / 4, rel=1e-6)


@pytest.mark.parametrize(
    "text",
    ["N > 1", "N and D", "'a'", "[1]", "N in (1, 2)", "other", "sin(N)", "N.real", "exp(N, D)",
     "exp(x=1)", "N[0]", "lambda: 1", "True", "1j", "1e999", "2 ** 101", "9 ** 9 ** 9", "", "N N",
     "N; D", "exp", "N\0", "\ud800", "-" * 3000 + "N", "(" * 300 + "N" + ")" * 300,
     "N" + " + N" * 1000, "N" * (MOST_CHARACTERS + 1)],
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_what_is_no_formula(text):
    started = time.monotonic()
    with pytest.raises(ExpressionError):
        parse(text, FORMULA)
    assert time.monotonic() - started < 2


def test_depth_is_bounded():
    assert isinstance(parse("-" * MOST_DEPTH + "N", FORMULA), ast.UnaryOp)
    with pytest.raises(ExpressionError, match="too deeply"):
        parse("-" * (MOST_DEPTH + 1) + "N", FORMULA)


@pytest.mark.parametrize(
    "condition",
    [
        "loss > 2.3", "loss>2.3 and params < 1e9", "loss > 2.3 & params < 1e9", "row == 1 | row==2",
        "(loss > 2.3) | (row==3)", "not loss > 2.4", "~(loss>2.4)", "1 < loss < 2.4", "group=='x'",
        "group != 'x'", "group in ['x','y']", "group not in ('x',)", "run == ['a','b']",
        "run != ['a','b']", "teacher_loss.notna()", "teacher_loss.isna() and row<2",
        "tokens > 20*params", "tokens/params >= 20", "row % 2 == 0", "row // 2 == 1", "index > 1",
        "`loss` > 2.2", "log(params) > 20", "-loss < -2.2", "loss ** 2 > 5", "params in [1e9,3e9]",
        "teacher_loss > 2", "loss == loss", "abs(loss - 2.5) < 0.3", "params == 1000000000",
        'run == "a|b&c"', "loss > 2.3 and (row < 1 or not group == 'x')", "True and loss > 2",
        "loss < teacher_loss + 0.5", "(loss > 2) == True", "group == run", "loss > +2",
    ],
)  # fmt: skip
def test_a_condition_means_what_it_meant_to_pandas(condition):
    before = RUNS.eval(condition, engine="python", local_dict={}, global_dict={})
    assert rows_where(RUNS, condition).tolist() == before.tolist()


def test_isna_is_a_function_too():
    assert rows_where(RUNS, "isna(teacher_loss)").tolist() == [True, False, False, True]
    assert rows_where(RUNS, "notna(run)").tolist() == [True, True, False, True]


words = st.sampled_from(
    ["loss", "group", "row", "1", "2.5", "'x'", "(", ")", "[", "]", ",", " and ", " or ", " not ",
     " in ", "**", "*", "%", "+", "-", "<", "==", ".isna()", "isna(", ".__class__", "lambda:",
     " if ", " else ", "`", "@", "&", "|", "~", "9", "abs(", "open(", "\n", "\\", "é"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(words, max_size=12).map("".join), st.text(max_size=40)))
def test_any_text_is_a_condition_or_refused(text):
    problem = ""
    try:
        kept = rows_where(RUNS, text)
        assert kept.dtype == bool
        assert len(kept) == len(RUNS)
    except InputError as error:
        problem = str(error)
    assert len(problem) < 600


numbers = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 3))
trees = st.recursive(
    numbers,
    lambda inner: st.tuples(st.sampled_from(["+", "-", "*"]), inner, inner),
    max_leaves=20,
)


@given(trees)
def test_arithmetic_is_that_of_numbers(tree):
    signs = {"+": operator.add, "-": operator.sub, "*": operator.mul}

    def text(node):
        return (
            f"({text(node[1])} {node[0]} {text(node[2])})"
            if isinstance(node, tuple)
            else f"{node!r}"
        )

    def exact(node):
        if not isinstance(node, tuple):
            return node
        return signs[node[0]](exact(node[1]), exact(node[2]))

    assert value(text(tree)) == exact(tree)
