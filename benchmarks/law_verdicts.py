"""The verdict on the law: how often it is raised where the law is true, and on public sweeps.

Tables of 48 runs are simulated from Chinchilla's law and its outer exponent free (0.5 to 1.2), with
coefficients around those of Hoffmann et al. (2022) and noise of 0.3 to 1%; every CSV of a folder is
a sweep (columns params, tokens, loss). Cost is the time of the fits with the checks of the law over
that without, second fits of one shape, so that nothing is compiled.

    python benchmarks/law_verdicts.py FOLDER [--tables 20] [--cards supervised-plain supervised]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill import fit
from common import markdown_table, write_json

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from learn_priors import read_sweeps

SIZES, RATIOS = np.geomspace(5e7, 2e9, 8), np.array([5, 10, 20, 40, 80, 160.0])
WORDS = ("pass", "review", "fail", "not checked")


def table_of_law(seed: int) -> pd.DataFrame:
    """Runs (48 rows) of a law with coefficients of its own."""
    generator = np.random.default_rng([seed, 11])
    alpha, beta = generator.uniform(0.28, 0.42, 2)
    gamma, floor = generator.uniform(0.5, 1.2), generator.uniform(1.5, 2.0)
    params = np.repeat(SIZES, len(RATIOS))
    tokens = params * np.tile(RATIOS, len(SIZES))
    terms = (params / 5e8) ** -alpha + generator.uniform(0.6, 1.5) * (tokens / 1e10) ** -beta
    loss = (floor + 0.55 * terms**gamma) * np.exp(
        generator.uniform(0.003, 0.01) * generator.standard_normal(len(params))
    )
    return pd.DataFrame({"params": params, "tokens": tokens, "loss": loss})


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--cards", nargs="*", default=["supervised-plain", "supervised"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tables = {f"law {seed}": table_of_law(seed) for seed in range(options.tables)}
    sweeps = read_sweeps(options.folder)
    rows = []
    for card in options.cards:
        for name, runs in {**tables, **sweeps}.items():
            posterior = fit(runs, card)
            law = posterior.info["diagnostics"]["law"]
            worst = [check["name"] for check in law["checks"] if check["verdict"] != "pass"]
            rows.append(
                {
                    "card": card,
                    "table": name,
                    "runs": len(runs),
                    "sampling": posterior.verdict,
                    "law": law["verdict"],
                    "checks": ", ".join(worst),
                }
            )
            print(rows[-1], flush=True)
    for card in options.cards:
        of_card = [row for row in rows if row["card"] == card]
        kinds = {"the law": [r for r in of_card if r["table"] in tables]}
        kinds["public sweeps"] = [r for r in of_card if r["table"] in sweeps]
        cells = [
            [kind, *(str(Counter(r["law"] for r in some)[word]) for word in WORDS)]
            for kind, some in kinds.items()
        ]
        print(f"\n{card}\n{markdown_table(['truth', *WORDS], cells)}")
    runs, ratios = tables["law 0"], []
    for card in options.cards:
        seconds = {check: [] for check in (True, False)}
        for _ in range(3):
            for check in seconds:
                clock = time.perf_counter()
                fit(runs, card, check_law=check)
                seconds[check].append(time.perf_counter() - clock)
        ratios.append([card, f"{np.median(seconds[True]) / np.median(seconds[False]):.2f}"])
    print(f"\n{markdown_table(['card', 'time with the checks over without'], ratios)}")
    write_json(options.json, rows)


if __name__ == "__main__":
    main()
