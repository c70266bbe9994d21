"""Python in the library's messages, as the command line spells it.

Messages name arguments and calls as Python between backticks; see `bayes_distill.errors`. The
command line shows the flag or the command that does the same::

    `draws`                                    --draws
    `model="supervised"`                       --model supervised
    `corrections=False`                        --no-corrections
    `fit(RUNS, cut=True).save("fit.nc")`       'bayes-distill fit RUNS --cut --out fit.nc'
    column `data`                              column `data`, which is one of a table
"""

from __future__ import annotations

import ast
import re
from typing import Any

CODE = re.compile(r"([Cc]olumn )?`([^`\n]+)`")
FLAGS = {"served_tokens": "serve_tokens"}
"""Arguments whose flag has another name."""
COMMANDS = {"stack": "compare"}
"""Functions that a command of another name does."""
METHODS = {"": "", "save": "--out", "to_json": "--json"}
"""What is done with a result, if anything, and the flag that does it."""
SAVED = {"stack": "--stack"}
"""Where the flag that saves has another name."""
PROSE = ("advice", "notes", "problem")
"""Keys of JSON whose text is written for people."""


def flag(argument: str) -> str:
    """The flag of an argument: ``leave_out`` is ``--leave-out``."""
    return f"--{FLAGS.get(argument, argument).replace('_', '-')}"


def as_typed(text: str) -> str:
    """Replace Python between backticks by what is typed on the command line."""
    return CODE.sub(lambda found: (not found[1] and _spelled(found[2])) or found[0], text)


def prose_as_typed(content: Any) -> Any:
    """Plain data with `as_typed` applied to what is written for people."""
    if isinstance(content, dict):
        return {
            key: _all_typed(value) if key in PROSE else prose_as_typed(value)
            for key, value in content.items()
        }
    return [prose_as_typed(each) for each in content] if isinstance(content, list) else content


def _all_typed(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_all_typed(each) for each in value]
    return as_typed(value) if isinstance(value, str) else value


def _spelled(code: str) -> str | None:
    """One piece of Python as typed, or ``None`` for what is no argument and no call."""
    source = f"_({code})"
    try:
        whole = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # a name of somebody's
        return None
    if not isinstance(whole, ast.Call) or len(whole.args) + len(whole.keywords) != 1:
        return None
    if whole.keywords:
        return _option(whole.keywords[0], source)
    (argument,) = whole.args
    if isinstance(argument, ast.Name):
        return flag(argument.id)
    return _command(argument, source) if isinstance(argument, ast.Call) else None


def _command(call: ast.Call, source: str) -> str | None:
    """A call, perhaps with a method of its result, as a command in quotation marks."""
    function, method = call, ""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        function, method = call.func.value, call.func.attr
    if not isinstance(function.func, ast.Name) or method not in METHODS:
        return None
    name = function.func.id
    words = ["bayes-distill", COMMANDS.get(name, name), *(_value(a, source) for a in function.args)]
    words += [_option(keyword, source) for keyword in function.keywords]
    if method:
        words.append(SAVED.get(name, METHODS[method]) if method == "save" else METHODS[method])
        words += [_value(a, source) for a in call.args]
    return f"'{' '.join(words)}'"


def _option(keyword: ast.keyword, source: str) -> str:
    name, value = str(keyword.arg), keyword.value
    if isinstance(value, ast.Constant) and value.value in (True, False):
        return flag(name if value.value else f"no_{name}")
    return f"{flag(name)} {_value(value, source)}"


def _value(node: ast.expr, source: str) -> str:
    """A value as one word: text keeps the quotation marks that the shell needs."""
    if isinstance(node, ast.List):
        return " ".join(_value(each, source) for each in node.elts)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        plain = re.fullmatch(r"[\w@%+=:,./-]+", node.value)
        return node.value if plain else str(ast.get_source_segment(source, node))
    return str(ast.get_source_segment(source, node))
