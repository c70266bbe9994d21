"""Coverage of the default bands on public sweeps: fitted to cheap runs, compared with dear ones.

Every CSV of a folder is a sweep (columns params, tokens, loss). The card `supervised` is fitted to
the cheapest 60% of its runs by params x tokens, or to some of them spread evenly over the rank of
compute, and its predictive intervals are compared with the dearest 25%.

    python benchmarks/coverage_of_sweeps.py FOLDER [--pilots 12]
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill import InputError, validate

COLUMNS = ["params", "tokens", "loss", "unique_tokens"]
CHEAP, DEAR = 0.6, 0.75  # quantiles of compute


def split(runs: pd.DataFrame, pilots: int | None) -> tuple[pd.DataFrame, float]:
    """The runs of one comparison, and the most params x tokens of those that are fitted."""
    runs = runs[[name for name in COLUMNS if name in runs]]
    compute = runs["params"] * runs["tokens"]
    runs = runs.iloc[np.argsort(compute.to_numpy(), kind="stable")]
    compute = (runs["params"] * runs["tokens"]).to_numpy()
    cheap = runs[compute <= np.quantile(compute, CHEAP)]
    dear = runs[compute >= np.quantile(compute, DEAR)]
    if pilots is not None:
        places = np.linspace(0, len(cheap) - 1, pilots).round().astype(int)
        cheap = cheap.iloc[np.unique(places)]
    most = float((cheap["params"] * cheap["tokens"]).max())
    return pd.concat([cheap, dear], ignore_index=True), most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pilots", type=int, help="fit that many of the cheap runs; default all")
    arguments = parser.parse_args()
    print("| sweep | fitted | forecast | in the 90% band | width, relative | verdict |")
    print("|---|---|---|---|---|---|")
    for path in sorted(arguments.folder.glob("*.csv")):
        runs, most = split(pd.read_csv(path), arguments.pilots)
        tail = f"params * tokens <= {most * (1 + 1e-9):.12e}"
        try:
            found = validate(runs, "supervised", leave_out="tail", tail=tail).to_json()["overall"]
        except InputError as error:
            print(f"| {path.stem} | refused: {error} |")
            continue
        width = found["width"] / runs["loss"].tail(found["runs"]).mean()
        print(
            f"| {path.stem} | {found['fitted']} | {found['runs']} | {found['coverage']['90']:.0%} "
            f"| {width:.1%} | {found['verdict']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
