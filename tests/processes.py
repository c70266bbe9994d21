"""The command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


def modules_loaded_by(arguments: Sequence[str], modules: Sequence[str]) -> str:
    """Last line that a command leaves: which of the modules it imported, and its exit status."""
    code = (
        "import sys\nfrom bayes_distill.cli.main import run\n"
        f"status = run({list(arguments)!r})\n"
        f"print([name for name in {tuple(modules)!r} if name in sys.modules], status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]
