"""Parts of the reference that come out of the code: the command line and the package's root.

A page asks for one with a comment of its own on a line: `<!-- generated: command line -->` or
`<!-- generated: front door -->`. Nothing is written into the source folder.

An entry of the table of contents that ends in a star may be missing: it comes with what it
describes. (Sphinx's own globs warn where they match nothing, and cannot be told not to.)
"""

from __future__ import annotations

import html
import inspect
import re
import subprocess
import sys
from typing import Any

from sphinx.application import Sphinx


def command_line() -> str:
    """Markdown of every command and its options, as Typer writes it."""
    made = subprocess.run(
        [sys.executable, "-m", "typer", "bayes_distill.cli.main", "utils", "docs",
         "--name", "bayes-distill"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    text = html.unescape(made.stdout)
    # the page has a title of its own, and lists of commands cut their sentences short
    text = re.sub(r"\A\s*# .*?(?=^## )", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^\*\*Commands\*\*:\n\n(?:\* .*\n)+", "", text, flags=re.MULTILINE)
    return text.replace("{RUNS}", "RUNS").replace("{FIT}", "FIT").replace("{CARD}", "CARD")


def front_door() -> str:
    """Directives for all that `bayes_distill` exports."""
    import bayes_distill

    values = {name: getattr(bayes_distill, name) for name in sorted(bayes_distill.__all__)}
    functions = [name for name, value in values.items() if inspect.isfunction(value)]
    errors = [n for n, v in values.items() if inspect.isclass(v) and issubclass(v, Exception)]
    lines = [f".. autofunction:: bayes_distill.{name}\n" for name in functions]
    lines += [f".. autoexception:: bayes_distill.{name}\n" for name in errors]
    return "```{eval-rst}\n" + "\n".join(lines) + "\n```\n"


PARTS = {"command line": command_line, "front door": front_door}
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
