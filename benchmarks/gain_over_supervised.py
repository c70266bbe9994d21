"""What distillation gains over supervised training, by a fit and by the runs.

For every student with enough runs on one number of tokens: the best run's loss against what the
supervised law of table 6 gives the same student alone, and the same two by the fit, at the teacher
of that run. Then the change of the gain with the data, per e-fold of tokens, of every
student that has three or more numbers of tokens.

    python benchmarks/gain_over_supervised.py [FIT] [--json FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill import forecast, load_posterior
from bayes_distill.runs import read_runs
from bayes_distill.runs.grouping import condition_groups, size_groups
from common import markdown_table, write_json

LEAST = 8  # runs of one student on one number of tokens


def cells(fit: str) -> pd.DataFrame:
    """One row a student and number of tokens."""
    runs = read_runs("busbridge2025").frame
    condition = condition_groups(runs["params"].to_numpy(float), runs["tokens"].to_numpy(float))
    some = [rows for _, rows in runs.groupby(condition) if len(rows) >= LEAST]
    best = pd.DataFrame([rows.loc[rows["loss"].idxmin()] for rows in some])
    at = best[["params", "tokens", "teacher_loss"]].astype(float).reset_index(drop=True)
    alone = at[["params", "tokens"]]
    table6 = forecast("busbridge2025-table6", at=alone).table["loss_mean"]
    supervised = forecast(fit, at=alone).table["loss_mean"]
    distilled = forecast(fit, at=at).table["loss_mean"]
    found = at.assign(
        runs=[len(rows) for rows in some],
        table6=table6.to_numpy(),
        posterior=supervised.to_numpy(),
        gain_of_runs=table6.to_numpy() - best["loss"].to_numpy(float),
        gain_of_fit=supervised.to_numpy() - distilled.to_numpy(),
    )
    return found.sort_values(["params", "tokens"]).reset_index(drop=True)


def slopes(found: pd.DataFrame) -> pd.DataFrame:
    """Change of both gains (nats) per e-fold of tokens, one row a student."""
    rows = []
    for _, own in found.groupby(size_groups(found["params"].to_numpy(float))[0]):
        if len(own) >= 3:
            x = np.log(own["tokens"].to_numpy(float))
            rows.append(
                {
                    "params": own["params"].mean(),
                    "runs": np.polyfit(x, own["gain_of_runs"].to_numpy(), 1)[0],
                    "fit": np.polyfit(x, own["gain_of_fit"].to_numpy(), 1)[0],
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fit", nargs="?", default="busbridge2025")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    posterior = load_posterior(options.fit)
    found = cells(posterior)
    header = ["student", "tokens", "table 6", "posterior", "gain: runs", "gain: posterior"]
    rows = [
        [
            f"{r['params'] / 1e6:.0f}M",
            f"{r['tokens'] / 1e9:.1f}B",
            *(f"{r[n]:.3f}" for n in ("table6", "posterior", "gain_of_runs", "gain_of_fit")),
        ]
        for _, r in found.iterrows()
    ]
    print(markdown_table(header, rows))
    of_tokens = slopes(found)
    rows = [
        [
            f"{r['params'] / 1e6:.0f}M",
            f"{r['runs']:.4f}",
            f"{r['fit']:.4f}",
            f"{r['fit'] / r['runs']:.2f}",
        ]
        for _, r in of_tokens.iterrows()
    ]
    print()
    print(markdown_table(["student", "an e-fold of tokens: runs", "posterior", "ratio"], rows))
    supervised = (found["posterior"] - found["table6"]).abs().max()
    gain = (found["gain_of_fit"] - found["gain_of_runs"]).abs().max()
    print(f"\nlargest difference: supervised loss {supervised:.4f}, gain {gain:.4f}")
    write_json(
        options.json,
        {"cells": found.to_dict("records"), "slopes": of_tokens.to_dict("records")},
    )


if __name__ == "__main__":
    main()
