"""Formula cards on the five tables of ScaleBench: fitted to `train`, held against `test`.

    python benchmarks/scalebench_laws.py FOLDER [TASK ...]

FOLDER holds the tables of PlanarG/active-sl (arXiv:2604.22753, CC-BY-4.0) as one CSV a task. R2 is
on the test rows, clipped to [-1, 1] as theirs is; `parallel` has two groups, which are fitted one
by one and averaged. Losses of `vocab` are normalised and negative: 10 is added to them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill import fit, forecast, load_card

CARDS = {
    "data_constrained": ["data-limited-plain", "data-limited"],
    "moe": ["experts", "experts-interaction"],
    "vocab": ["vocabulary"],
    "parallel": ["parallel-streams"],
    "lr_bsz": ["learning-rate-batch-size"],
}
LOSS = {
    "data_constrained": "loss",
    "moe": "loss_validation",
    "vocab": "unigram_normalized_loss",
    "parallel": "loss",
    "lr_bsz": "lm_loss",
}
ADDED = {"vocab": 10.0}
SETTINGS = {"chains": 4, "warmup": 1000, "draws": 500, "seed": 0}


def answers(task: str, card: str, table: pd.DataFrame) -> dict[str, Any]:
    """Fit the train rows of a table and foretell its test rows."""
    name = LOSS[task]
    table = table.rename(columns={name: "loss"})
    table["loss"] += ADDED.get(task, 0.0)
    columns = [c for c in table if c not in ("split", "group")]
    train, test = (table.loc[table["split"] == part, columns] for part in ("train", "test"))
    started = time.perf_counter()
    posterior = fit(train, load_card(card), **SETTINGS)
    seconds = time.perf_counter() - started
    found = forecast(posterior, at=test.drop(columns="loss"), allow_failed=True).table
    truth = test["loss"].to_numpy(float)
    miss = truth - found["loss_mean"].to_numpy()
    r2 = 1 - float((miss**2).sum() / ((truth - truth.mean()) ** 2).sum())
    inside = (truth >= found["new_run_lower"]) & (truth <= found["new_run_upper"])
    return {
        "runs": len(train),
        "r2": float(np.clip(r2, -1, 1)),
        "coverage": float(inside.mean()),
        "width": float((found["new_run_upper"] - found["new_run_lower"]).mean()),
        "sampling": posterior.verdict,
        "law": posterior.info["diagnostics"]["law"]["verdict"],
        "seconds": seconds,
    }


def row_of(task: str, card: str, table: pd.DataFrame) -> dict[str, Any]:
    """One row of the table of results: groups one by one, and averaged."""
    groups = [part for _, part in table.groupby("group")]
    each = [answers(task, card, part) for part in groups]
    row: dict[str, Any] = {"task": task, "card": card}
    for key in ("r2", "coverage", "width"):
        row[key] = float(np.mean([one[key] for one in each]))
    for key in ("runs", "seconds"):
        row[key] = sum(one[key] for one in each)
    for key in ("sampling", "law"):
        row[key] = "/".join(one[key] for one in each)
    return row


def main(folder: str, *chosen: str) -> None:
    """Print one row a task and card, as Markdown and as JSON."""
    print("| task | card | runs | R2 | 90% bands hold | width | sampling | law | seconds |")
    print("|---|---|---|---|---|---|---|---|---|")
    for task, cards in CARDS.items():
        if chosen and task not in chosen:
            continue
        table = pd.read_csv(Path(folder) / f"{task}.csv")
        for card in cards:
            row = row_of(task, card, table)
            print(
                f"| {task} | `{card}` | {row['runs']} | {row['r2']:.3f} | {row['coverage']:.0%} | "
                f"{row['width']:.3f} | {row['sampling']} | {row['law']} | {row['seconds']:.0f} |",
                flush=True,
            )
            print(json.dumps(row), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
