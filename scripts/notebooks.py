"""Execute the notebooks, each in a kernel of its own, and write their outputs into them.

    python scripts/notebooks.py [NAME ...] [--out FOLDER]

A notebook that fails, warns, or writes a path of this machine is an error, and nothing is written
of it. What depends on the machine or the day (times, versions) is left out of the files, so that
the same code gives the same notebook.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

from bayes_distill._input.files import atomic_path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
LONGEST = 240  # seconds of processor time: on an idle machine it takes no longer
PATIENCE = 1800  # seconds that a cell may take on a machine with other work


class NotebookError(Exception):
    """What is wrong with an executed notebook."""


def notebooks() -> list[Path]:
    """All notebooks, in the order in which they are meant to be read."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path) -> tuple[nbformat.NotebookNode, float]:
    """Run a notebook in a copy of its folder; the result, and the processor time in seconds.

    Raises
    ------
    NotebookError
        Naming every cell that failed, warned or printed what it must not.
    """
    content = nbformat.read(path, as_version=4)
    before = _children()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "notebooks"
        shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns("*.ipynb"))
        # through files: a port would be open to everybody on this machine
        transport = {"transport": "ipc", "ip": str(Path(temporary) / "kernel")}
        client = NotebookClient(
            content,
            kernel_name="python3",
            timeout=PATIENCE,
            startup_timeout=PATIENCE,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            config=Config({"KernelManager": transport}),
        )
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise NotebookError(f"{path.name}: {error}") from None
    seconds = _children() - before
    tidy(content)
    faults = list(problems(content))
    if faults:
        raise NotebookError("\n".join(f"{path.name}: {fault}" for fault in faults))
    return content, seconds


def tidy(content: dict[str, Any]) -> None:
    """Leave out what depends on the machine or the day; number cells instead of random names."""
    content["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(content["cells"], 1):
        cell["id"] = f"cell-{number:02d}"
        cell["metadata"] = {}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = {}


def problems(content: dict[str, Any]) -> Iterator[str]:
    """What the outputs must not hold: errors, warnings, and paths of the machine they come from."""
    machine = {str(ROOT), str(Path.home()), tempfile.gettempdir(), sys.prefix}
    run = 0
    for number, cell in enumerate(content["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        run += 1
        if cell.get("execution_count") != run:
            yield f"cell {number} was not run in its turn"
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                yield f"cell {number} failed: {output['ename']}"
            if output.get("name") == "stderr":
                yield f"cell {number} wrote to stderr: {_text(output).strip()}"
            text = _text(output)
            if "Warning" in text:
                yield f"cell {number} warned: {text.strip()}"
            found = [place for place in machine if len(place) > 1 and place in text]
            if found:
                yield f"cell {number} printed a path of this machine: {found[0]}"


def _text(output: dict[str, Any]) -> str:
    """All that an output says in words."""
    data = output.get("data", {})
    said = [output.get("text", ""), *(data.get(kind, "") for kind in ("text/plain", "text/html"))]
    return "\n".join(part if isinstance(part, str) else "".join(part) for part in said)


def _children() -> float:
    """Processor time of the kernels that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Run the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of names; default all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    asked = parser.parse_args()
    chosen = [p for p in notebooks() if not asked.names or p.name.startswith(tuple(asked.names))]
    if not chosen:
        parser.error(f"there are {', '.join(p.stem for p in notebooks())}")
    os.environ.pop("MPLBACKEND", None)  # a kernel has its own
    os.environ["PYTHONWARNINGS"] = "default"  # what users see, and a little more
    for path in chosen:
        print(f"{path.stem} ...", file=sys.stderr, flush=True)
        try:
            content, seconds = executed(path)
        except NotebookError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        target = asked.out / path.name
        with atomic_path(target) as temporary:
            temporary.write_text(nbformat.writes(content) + "\n", encoding="utf-8")
        print(f"  {seconds:.0f} s of processor time", file=sys.stderr)
        if seconds > LONGEST:
            print(f"error: {path.name} takes longer than {LONGEST} s", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
