"""Code blocks of a Markdown page: found, run as printed, and their output held against the page.

A comment right above a block says what is special about it:

    <!-- not run: REASON -->         it cannot be run here
    <!-- run by: tests/FILE.py -->   another test runs it
    <!-- real data -->               it needs the tables in BAYES_DISTILL_DATA
    <!-- exit status: 2 -->          its last command is meant to fail
    <!-- file: NAME -->              it is a file, which the blocks below it use
    <!-- given: NAME, NAME -->       anywhere: files that the page takes as given

`python` blocks of a page share one namespace. In `console` blocks lines with `$` are commands, the
rest is their output; `sh` blocks are commands alone. A `text` block right below a `python` one is
what that prints. `...` on a line of its own leaves output out.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from bayes_distill.cli.main import run

COMMENT = re.compile(r"<!--\s*([\w ]+?)(?::\s*(.*?))?\s*-->", re.DOTALL)
NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?[KMBT]?\b%?", re.IGNORECASE)
RUNNABLE = {"python", "console", "sh", "bash", "shell"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the word behind it, its lines, and the comment above it."""

    page: Path
    line: int  # of the fence, from 1
    language: str
    word: str
    text: str
    marks: dict[str, str]
    follows_python: bool

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def shown(self) -> list[str]:
        """Lines of output on the page."""
        if self.language == "console":
            return self._parted()[1]
        return self.text.splitlines() if self.language == "text" and self.follows_python else []

    @property
    def commands(self) -> list[str]:
        """Commands of the block, lines that a backslash continues joined."""
        return self._parted()[0]

    def _parted(self) -> tuple[list[str], list[str]]:
        commands: list[str] = []
        output: list[str] = []
        going_on = False
        for line in self.text.splitlines():
            prompt = line.startswith("$ ") or self.language != "console"
            if going_on or (prompt and line.strip()):
                part = line.strip() if going_on else line.removeprefix("$ ")
                text = part.removesuffix("\\").rstrip()
                commands[-1:] = [f"{commands[-1]} {text}"] if going_on else [*commands[-1:], text]
                going_on = part.endswith("\\")
            elif line.strip():
                output.append(line)
        return commands, output


def blocks(page: Path) -> list[Block]:
    """Find all fenced blocks, in the order of the page."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    before = ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "html_block":
            marks = {m[1]: (m[2] or "").strip() for m in COMMENT.finditer(token.content)}
        elif token.type == "fence":
            language, _, word = token.info.strip().partition(" ")
            line = (token.map or [0])[0] + 1
            found.append(
                Block(page, line, language, word, token.content, marks, before == "python")
            )
            marks, before = {}, language
        elif token.type in ("inline", "code_block"):
            marks, before = {}, ""
    return found


def given(page: Path) -> list[str]:
    """Names of the files that a page takes as given."""
    found = re.findall(r"<!-- given: (.*?) -->", page.read_text(encoding="utf-8"))
    return [name.strip() for names in found for name in names.split(",")]


@dataclass
class PageRun:
    """Runs the blocks of one page in the working folder."""

    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "__page__"})
    printed: str = ""

    def run(self, block: Block) -> str:
        """Run a block and give what it printed; raise `AssertionError` where it failed."""
        if "file" in block.marks:
            Path(block.marks["file"]).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            output = io.StringIO()
            with redirect_stdout(output):
                # the text is this repository's own
                exec(compile(block.text, str(block), "exec"), self.namespace)
            self.printed = output.getvalue()
            return self.printed
        elif block.language in RUNNABLE:
            *first, last = block.commands
            texts = [obey(command) for command in first]
            return "".join([*texts, obey(last, int(block.marks.get("exit status", "0")))])
        return self.printed if block.shown else ""


def obey(command: str, status: int = 0) -> str:
    """Run one command, bayes-distill's in this process; give its stdout and stderr together."""
    words = shlex.split(command)
    if words[0] == "bayes-distill" and not set(words) & {">", "|", "<", "&&"}:
        out, err, both = io.StringIO(), io.StringIO(), io.StringIO()
        with redirect_stdout(_Both(out, both)), redirect_stderr(_Both(err, both)):
            found = run(words[1:])
        assert found == status, f"{command}\n{both.getvalue()}"
        if "--json" in words and status == 0:
            json.loads(out.getvalue())
        return both.getvalue()
    shell = re.sub(r"\bbayes-distill ", f"{shlex.quote(sys.executable)} -m bayes_distill ", command)
    done = subprocess.run(shell, shell=True, check=False, capture_output=True, text=True)
    assert done.returncode == status, f"{command}\n{done.stderr}"
    return done.stdout + done.stderr


class _Both(io.StringIO):
    """Text that goes to two places, neither of them a terminal."""

    def __init__(self, *targets: io.StringIO) -> None:
        super().__init__()
        self.targets = targets

    def write(self, text: str) -> int:
        for target in self.targets:
            target.write(text)
        return len(text)


def skeleton(line: str) -> str:
    """A line without its numbers and its layout: what must be the same on every machine."""
    text = re.sub(r"[─━]+", "", NUMBER.sub("#", line))
    return " ".join(text.split())


def matched(shown: list[str], printed: str) -> Iterator[tuple[str, str | None]]:
    """Each line of output on the page with the printed line that it stands for, in order.

    A line whose words nothing printed has, gets ``None``.
    """
    lines = [line.rstrip() for line in printed.splitlines()]
    start = 0
    for line in shown:
        if line.strip() == "...":
            continue
        places = (p for p in range(start, len(lines)) if skeleton(lines[p]) == skeleton(line))
        place = next(places, None)
        yield line, None if place is None else lines[place]
        start = start if place is None else place + 1
