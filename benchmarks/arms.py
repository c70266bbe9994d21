"""Hold what `arms` says of dearer runs against these: which recipe is better, and by how much.

Every CSV of a folder that is named `SOURCE_ARM_SET.csv` and is of the source asked for is an arm;
runs of the dearest sizes are left out, and for every pair of arms and every left-out size and
number of tokens that both have, P(better) is held against which was better (Brier score), the 90%
interval of the gap against the gap, and that of the compute multiplier against the measured one:
by how much more compute b's own curve falls to the loss of a, with the slope of its left-out runs
of nearly as many tokens per parameter.

    python benchmarks/arms.py FOLDER [--source gadre] [--left-out 2] [--without-pairs]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.comparison import arms_table
from bayes_distill.comparison.arms import arms
from common import markdown_table

NEAR = 0.1  # of a natural logarithm: as many tokens per parameter


def read_arms(folder: Path, source: str) -> pd.DataFrame:
    """Runs of all arms, with the column `arm`."""
    tables = []
    for path in sorted(folder.glob(f"{source}_*.csv")):
        table = pd.read_csv(path)[["params", "tokens", "loss"]]
        tables.append(table.assign(arm=path.stem.split("_")[1]))
    return pd.concat(tables, ignore_index=True)


def slope_of(left: pd.DataFrame, arm: str, params: float, tokens: float) -> float:
    """Slope of log loss over log compute of an arm's left-out runs near a ratio of tokens."""
    ratio = left["tokens"] / left["params"] / (tokens / params)
    runs = left[(left["arm"] == arm) & (np.abs(np.log(ratio)) < NEAR)].sort_values("params")
    if len(runs) < 2:
        return float("nan")
    first, last = runs.iloc[0], runs.iloc[-1]
    compute = last["params"] * last["tokens"] / (first["params"] * first["tokens"])
    return float(np.log(last["loss"] / first["loss"]) / np.log(compute))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="gadre")
    parser.add_argument("--left-out", type=int, default=2)
    parser.add_argument("--without-pairs", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    runs = read_arms(options.folder, options.source)
    if options.without_pairs:
        arms_table.paired_runs = lambda frame, *_: pd.Series(None, frame.index, dtype=object)
    sizes = np.sort(runs["params"].unique())[-options.left_out :]
    cheap, left = runs[~runs["params"].isin(sizes)], runs[runs["params"].isin(sizes)]
    cells = left.groupby(["params", "tokens"])["arm"].nunique()
    points = [{"params": n, "tokens": d} for (n, d), count in cells.items() if count > 1]
    answer = arms(cheap.reset_index(drop=True), "arm", points, seed=options.seed, allow_failed=True)
    loss = left.set_index(["arm", "params", "tokens"])["loss"]
    rows = []
    for r in answer.table.to_dict("records"):
        at = (r["params"], r["tokens"])
        if (r["a"], *at) not in loss.index or (r["b"], *at) not in loss.index:
            continue
        a, b = float(loss[r["a"], *at]), float(loss[r["b"], *at])
        measured = float(np.exp(np.log(a / b) / slope_of(left, r["b"], *at)))
        rows.append(
            {
                "a": r["a"],
                "b": r["b"],
                "params": r["params"],
                "tokens": r["tokens"],
                "p": r["p_a_better"],
                "brier": (r["p_a_better"] - (a < b)) ** 2,
                "gap": a - b,
                "gap_held": r["gap_lower"] <= a - b <= r["gap_upper"],
                "multiplier": measured,
                "multiplier_held": float(r["multiplier_lower"] <= measured <= r["multiplier_upper"])
                if np.isfinite(measured)
                else np.nan,
                "factor": r["params"] * r["tokens"] / (cheap["params"] * cheap["tokens"]).max(),
            }
        )
    table = pd.DataFrame(rows)
    spread = answer.posterior.draws.get("run_sd")
    luck = 0.0 if spread is None else float(np.mean(spread))
    print(f"fit: {dict(answer.fit)}, {len(cheap)} runs, luck of pairs {luck:.4f}")
    print(table.round(4).to_string(index=False))
    means = table[["brier", "gap_held", "multiplier_held"]].astype(float)
    by_size = means.groupby([table["a"], table["b"], table["params"]]).mean().reset_index()
    header = ["a", "b", "params", "Brier", "gap held", "multiplier held"]
    print(markdown_table(header, [[*map(str, row)] for row in by_size.round(3).to_numpy()]))
    print("all:", means.mean().round(3).to_dict(), f"over {len(table)} pairs and points")


if __name__ == "__main__":
    main()
