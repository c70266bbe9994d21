"""How long commands take as whole processes, with compiled programs kept from a call before.

python benchmarks/latency.py [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

COMMANDS = {
    "--help": ["--help"],
    "forecast": ["forecast", "busbridge2025", "--params", "1B", "--tokens", "100B",
                 "--teacher-loss", "2.1"],
    "risk": ["risk", "busbridge2025", "--params", "1B", "--tokens", "100B",
             "--teacher-loss", "2.1"],
    "plan": ["plan", "busbridge2025", "--params", "1B", "--budget", "1e22"],
}  # fmt: skip
LIMITS = {"--help": 0.4, "forecast": 2.5, "risk": 2.5, "plan": 6.0}


def seconds(arguments: list[str]) -> float:
    """Wall time of one call."""
    clock = time.perf_counter()
    program = Path(sys.executable).with_name("bayes-distill")
    subprocess.run([program, *arguments], check=True, capture_output=True)
    return time.perf_counter() - clock


def main() -> None:
    """Print the median of every command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        seconds(arguments)  # fills the cache
    for _ in range(asked.rounds):
        for name, arguments in COMMANDS.items():
            found[name].append(seconds(arguments))
    print("| command | median s | slowest s | limit s |\n|---|---|---|---|")
    for name, times in found.items():
        print(f"| `{name}` | {median(times):.2f} | {max(times):.2f} | {LIMITS[name]} |")
    if asked.json:
        asked.json.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
