"""Parts of the reference that come out of the code: the command line and the package's root.

A page asks for one with a comment on a line of its own, such as `<!-- generated: front door -->`;
`PARTS` lists them. Nothing is written into the source folder.

An entry of the table of contents that ends in a star may be missing: it comes with what it
describes. (Sphinx's own globs warn where they match nothing, and cannot be told not to.)
"""

from __future__ import annotations

import html
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterable
from types import FunctionType
from typing import Any

from sphinx.application import Sphinx


def command_line() -> str:
    """Markdown of every command and its options, as Typer writes it."""
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "typer",
            "bayes_distill.cli.main",
            "utils",
            "docs",
            "--name",
            "bayes-distill",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    text = html.unescape(made.stdout)
    # the page has a title of its own, and lists of commands cut their sentences short
    text = re.sub(r"\A\s*# .*?(?=^## )", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^\*\*Commands\*\*:\n\n(?:\* .*\n)+", "", text, flags=re.MULTILINE)
    return text.replace("{RUNS}", "RUNS").replace("{FIT}", "FIT").replace("{CARD}", "CARD")


def front_door() -> str:
    """Directives for the functions that `bayes_distill` exports, then its errors."""
    values = exported()
    errors = [v.__name__ for v in values if inspect.isclass(v) and issubclass(v, Exception)]
    lines = [f".. autofunction:: bayes_distill.{value.__name__}\n" for value in functions(values)]
    return directives([*lines, *(f".. autoexception:: bayes_distill.{name}\n" for name in errors)])


def results() -> str:
    """Directives for the classes that those functions take and return, by name."""
    found: dict[str, str] = {}
    for function in functions(exported()):
        for word in re.findall(r"\w+", str(inspect.signature(function).return_annotation)):
            value = function.__globals__.get(word)
            if inspect.isclass(value) and value.__module__.startswith("bayes_distill."):
                found[word] = f"{value.__module__}.{word}"
    return directives(f".. autoclass:: {found[n]}\n   :members:\n" for n in sorted(found))


def plots() -> str:
    """Directives for the functions in the module of every plot."""
    from bayes_distill.plots import PLOTS

    lines = []
    for name in sorted({entry.origin.rpartition(".")[0] for entry in PLOTS.values()}):
        module = importlib.import_module(name)
        lines += [
            f".. autofunction:: {module.__name__}.{value.__name__}\n"
            for value in functions(vars(module).values())
            if value.__module__ == module.__name__ and not value.__name__.startswith("_")
        ]
    return directives(lines)


def exported() -> list[Any]:
    """What the package's root exports, sorted by name."""
    import bayes_distill

    return [getattr(bayes_distill, name) for name in sorted(bayes_distill.__all__)]


def functions(values: Iterable[Any]) -> list[FunctionType]:
    """Those that are functions."""
    return [value for value in values if inspect.isfunction(value)]


def directives(lines: Iterable[str]) -> str:
    """Markdown that hands lines to autodoc."""
    return "```{eval-rst}\n" + "\n".join(lines) + "\n```\n"


PARTS = {
    "command line": command_line,
    "front door": front_door,
    "results": results,
    "plots": plots,
}
ASKED = re.compile(r"^<!-- generated: ([\w ]+) -->$", re.MULTILINE)

OPTIONAL = re.compile(r"^[\w/-]+\*\n", re.MULTILINE)


def fill(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Put generated parts where a page asks for them."""
    text = ASKED.sub(lambda found: PARTS[found.group(1)](), source[0])
    there = {f"{name}*" for name in app.env.found_docs}
    source[0] = OPTIONAL.sub(
        lambda found: found.group().replace("*", "") if found.group().strip() in there else "", text
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Fill pages as they are read."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
