"""How long commands take as whole processes, with compiled programs cached by a call before.

And how much memory they hold at most.

python benchmarks/latency.py [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from common import write_json

POINT = ["busbridge2025", "--params", "1B", "--tokens", "100B", "--teacher-loss", "2.1"]
COMMANDS = {
    "--help": ["--help"],
    "forecast": ["forecast", *POINT],
    "risk": ["risk", *POINT],
    "plan": ["plan", "busbridge2025", "--params", "1B", "--budget", "1e22"],
}
LIMITS = {"--help": 0.4, "forecast": 2.5, "risk": 2.5, "plan": 6.0}


def measured(arguments: list[str]) -> tuple[float, float]:
    """Wall time of one call in seconds, and its peak memory in GB."""
    clock = time.perf_counter()
    program = Path(sys.executable).with_name("bayes-distill")
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([program, *arguments], **silent)
    _, status, usage = os.wait4(process.pid, 0)
    spent = time.perf_counter() - clock
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bayes-distill {' '.join(arguments)} ended with {process.returncode}")
    return spent, usage.ru_maxrss / 2**20


def main() -> None:
    """Print the median of every command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    calls: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        measured(arguments)  # fills the cache
    for _ in range(options.rounds):
        for name, arguments in COMMANDS.items():
            calls[name].append(measured(arguments))
    print("| command | median s | slowest s | limit s | peak GB |\n|---|---|---|---|---|")
    for name, of_command in calls.items():
        times, peaks = zip(*of_command, strict=True)
        print(
            f"| `{name}` | {median(times):.2f} | {max(times):.2f} | {LIMITS[name]} "
            f"| {max(peaks):.2f} |"
        )
    write_json(options.json, calls)


if __name__ == "__main__":
    main()
