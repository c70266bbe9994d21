"""Do bands hold on sweeps that had no part in them? Fitted to cheap runs, compared with dear ones.

Every CSV of a folder is a sweep (columns params, tokens, loss; runs that repeat tokens are left
out); the part of its name before the first underscore is its source. Three forecasts are made from
the cheapest 60% of its runs by params x tokens, or from some pilots spread evenly over the rank of
compute, of the dearest 25%:

* the card `supervised`, with priors learned from the other sources alone (`learned_priors.json`,
  which `scripts/learn_priors.py` writes);
* the law alone, card `supervised-plain`;
* a Huber fit of L = E + A/N^alpha + B/D^beta to the log loss, from the best of a grid of starts,
  with a bootstrap of the runs, each resample plus one of the residuals.

Scores are relative to the measured loss, averaged over the runs of a sweep, over the sweeps of a
source, then over sources.

    python benchmarks/sweeps.py FOLDER [--pilots 12] [--json FILE] [--figure FILE]
    python benchmarks/sweeps.py --read FILE [--figure FILE]     # of scores that --json wrote
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill import fit, forecast
from bayes_distill.validation.scores import crps
from bootstrap import GRID, best_of, bootstrap, log_loss, objective
from common import markdown_table, write_json

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from learn_priors import OUT, card_with, read_sweeps, source_of

CHEAP, DEAR = 0.6, 0.75  # quantiles of compute
LEVELS = (0.5, 0.8, 0.9, 0.95)
METHODS = ("supervised", "supervised-plain", "bootstrap")
FACTORS = (1, 3, 8, np.inf)
RESAMPLES, RESIDUALS, STARTS = 300, 10, 64
MOST = 20.0  # nats per token


def split(runs: pd.DataFrame, pilots: int | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs to fit and runs to forecast."""
    compute = (runs["params"] * runs["tokens"]).to_numpy()
    order = np.argsort(compute, kind="stable")
    runs, compute = runs.iloc[order], compute[order]
    cheap = runs[compute <= np.quantile(compute, CHEAP)]
    dear = runs[compute >= np.quantile(compute, DEAR)]
    if pilots is not None:
        places = np.linspace(0, len(cheap) - 1, pilots).round().astype(int)
        cheap = cheap.iloc[np.unique(places)]
    return cheap.reset_index(drop=True), dear.reset_index(drop=True)


def by_fit(cheap: pd.DataFrame, dear: pd.DataFrame, card: Any, seed: int) -> tuple[Any, Any, str]:
    """Draws (draws, runs) of new runs by a card, their mean, and the verdict of the fit."""
    posterior = fit(cheap, card, seed=seed)
    found = forecast(posterior, at=dear[["params", "tokens"]], seed=seed, allow_failed=True)
    draws = found.draws["new_run"].transpose("sample", "point").to_numpy()
    return draws, draws.mean(axis=0), posterior.verdict


def by_bootstrap(cheap: pd.DataFrame, dear: pd.DataFrame, seed: int) -> tuple[Any, Any, str]:
    """Draws (draws, runs) of new runs by the bootstrap of a Huber fit, and the fit's own curve."""
    columns = [np.log(cheap[name].to_numpy(float)) for name in ("params", "tokens", "loss")]
    ones = np.ones(len(cheap))
    starts = np.array(list(itertools.product(*GRID)))
    values = np.array([float(objective(x, *columns, ones)[0]) for x in starts[::3]])
    first, _ = best_of(starts[::3][np.argsort(values)[:STARTS]], cheap, ones)
    fits = bootstrap(cheap, first, RESAMPLES, seed)
    residuals = columns[2] - np.asarray(log_loss(first, *columns[:2]))
    at = [np.log(dear[name].to_numpy(float)) for name in ("params", "tokens")]
    curve = np.array([np.asarray(log_loss(x, *at)) for x in fits])
    generator = np.random.default_rng([seed, 1])
    noise = generator.choice(residuals, (RESIDUALS, *curve.shape))
    # a fit to a dozen runs may send the curve anywhere: no language model has such a loss
    draws = np.exp(np.minimum(curve + noise, np.log(MOST))).reshape(-1, len(dear))
    return draws, np.exp(np.minimum(np.asarray(log_loss(first, *at)), np.log(MOST))), "none"


def scores(draws: np.ndarray, loss: np.ndarray, point: np.ndarray) -> pd.DataFrame:
    """Scores of forecasts (draws, runs), one row a run; all are relative to the loss.

    The error is that of `point` (runs,).
    """
    found: dict[str, np.ndarray] = {}
    for level in LEVELS:
        low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        found[f"held_{level:g}"] = ((low <= loss) & (loss <= high)).astype(float)
        if level == 0.9:
            outside = np.maximum(low - loss, 0) + np.maximum(loss - high, 0)
            found["width"] = (high - low) / loss
            found["interval_score"] = (high - low + 20 * outside) / loss
    found["crps"] = crps(draws, loss) / loss
    found["error"] = np.abs(point / loss - 1)
    return pd.DataFrame(found)


def run(
    sweeps: dict[str, pd.DataFrame],
    pilots: int | None,
    priors: dict[str, Any],
    methods: Sequence[str] = METHODS,
) -> pd.DataFrame:
    """Scores of every forecast run, long form."""
    tables = []
    for seed, (name, runs) in enumerate(sweeps.items()):
        cheap, dear = split(runs, pilots)
        most = (cheap["params"] * cheap["tokens"]).max()
        for method in methods:
            clock = time.perf_counter()
            if method == "bootstrap":
                draws, point, verdict = by_bootstrap(cheap, dear, seed)
            elif method == "supervised":
                draws, point, verdict = by_fit(
                    cheap, dear, card_with(priors[source_of(name)]), seed
                )
            else:
                draws, point, verdict = by_fit(cheap, dear, method, seed)
            table = scores(draws, dear["loss"].to_numpy(float), point)
            table.insert(0, "factor", dear["params"] * dear["tokens"] / most)
            table.insert(0, "verdict", verdict)
            table.insert(0, "method", method)
            table.insert(0, "fitted", len(cheap))
            table.insert(0, "sweep", name)
            tables.append(table)
            mean = table[["held_0.5", "held_0.9", "width", "interval_score", "error"]].mean()
            words = ", ".join(f"{k} {v:.3g}" for k, v in mean.items())
            seconds = time.perf_counter() - clock
            print(f"{name}, {len(cheap)} runs, {method}: {words} ({verdict}, {seconds:.0f} s)")
            sys.stdout.flush()
    return pd.concat(tables, ignore_index=True)


def over_sources(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Means over runs, sweeps, then sources; geometric over sources for the interval score."""
    source = table["sweep"].map(source_of)
    by_sweep = table.groupby([source.rename("source"), "method", "sweep"])[columns].mean()
    by_source = by_sweep.groupby(["source", "method"]).mean()
    mean = by_source.groupby("method").mean()
    mean["interval_score_geometric"] = np.exp(
        np.log(by_source["interval_score"]).groupby("method").mean()
    )
    return mean.loc[[m for m in METHODS if m in mean.index]]


def markdown(table: pd.DataFrame) -> str:
    """Tables: all sweeps together, by sweep, and by factor of extrapolation."""
    columns = [*(f"held_{level:g}" for level in LEVELS), "width", "interval_score", "crps", "error"]
    every = over_sources(table, columns)
    header = ["", *(f"{level:.0%}" for level in LEVELS), "width", "interval score"]
    header += ["geometric", "CRPS", "error"]
    rows = [
        [
            method,
            *(f"{r[f'held_{level:g}']:.0%}" for level in LEVELS),
            *(f"{r[c]:.2%}" for c in ("width", "interval_score", "interval_score_geometric")),
            f"{r['crps']:.2%}",
            f"{r['error']:.2%}",
        ]
        for method, r in every.iterrows()
    ]
    parts = [markdown_table(header, rows)]
    by_sweep = table.groupby(["sweep", "method"]).agg(
        runs=("error", "size"),
        fitted=("fitted", "first"),
        factor=("factor", "max"),
        held=("held_0.9", "mean"),
        width=("width", "mean"),
        error=("error", "mean"),
    )
    rows = []
    for sweep in dict.fromkeys(table["sweep"]):
        own = by_sweep.loc[sweep]
        one = own.iloc[0]
        row = [sweep, int(one["fitted"]), int(one["runs"]), f"{one['factor']:.3g}"]
        for method in (m for m in METHODS if m in own.index):
            r = own.loc[method]
            row.append(f"{r['held']:.0%}, {r['width']:.1%}, {r['error']:.2%}")
        rows.append(row)
    parts.append(markdown_table(["sweep", "fitted", "forecast", "factor", *METHODS], rows))
    part = pd.cut(table["factor"], FACTORS, right=False)
    rows = []
    for factor, of_factor in table.groupby(part, observed=True):
        found = over_sources(of_factor, columns)
        sources = of_factor["sweep"].map(source_of).nunique()
        cells = [
            f"{r['held_0.9']:.0%}, {r['width']:.1%}, {r['error']:.2%}" for _, r in found.iterrows()
        ]
        rows.append([str(factor), sources, *cells])
    parts.append(markdown_table(["factor of compute", "sources", *METHODS], rows))
    return "\n\n".join(parts)


def figure(table: pd.DataFrame, path: Path) -> None:
    """Coverage and interval score against the factor of extrapolation, one line a method."""
    import matplotlib.pyplot as plt

    words = {
        "supervised": "default card",
        "supervised-plain": "law alone",
        "bootstrap": "Huber fit, bootstrap",
    }
    edges = np.array([1, 2, 4, 8, 16, np.inf])
    labels = ["1 to 2", "2 to 4", "4 to 8", "8 to 16", "above 16"]
    part = pd.cut(table["factor"], edges, right=False, labels=labels)
    scores_of = {
        label: over_sources(rows, ["held_0.9", "interval_score"])
        for label, rows in table.groupby(part, observed=True)
    }
    drawing, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
    for method, colour in zip(METHODS, ("#0072b2", "#d55e00", "#7f7f7f"), strict=True):
        places = [i for i, label in enumerate(labels) if label in scores_of]
        for axes, column in ((left, "held_0.9"), (right, "interval_score")):
            values = [100 * scores_of[labels[i]].loc[method, column] for i in places]
            axes.plot(places, values, "o-", color=colour, label=words[method], linewidth=2)
    left.axhline(90, color="black", linewidth=0.8, linestyle="--")
    left.set(ylim=(0, 103), ylabel="runs inside the 90% band, %")
    right.set(yscale="log", ylabel="interval score of the 90% band, % of the loss")
    right.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    right.minorticks_off()
    for axes in (left, right):
        axes.set_xticks(range(len(labels)), labels)
        axes.set_xlabel("compute of the run over the most that was fitted")
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False, loc="lower left")
    drawing.savefig(path, dpi=150)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--read", type=Path, help="scores to show again")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--pilots", type=int, help="fit that many of the cheap runs; default all")
    parser.add_argument("--priors", type=Path, default=OUT)
    parser.add_argument("--only", nargs="*", help="names of sweeps")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.read is not None:
        table = pd.DataFrame(json.loads(options.read.read_text(encoding="utf-8")))
        print(markdown(table))
        if options.figure:
            figure(table, options.figure)
        return
    if options.folder is None:
        parser.error("name the folder of the sweeps, or scores to read")
    sweeps = read_sweeps(options.folder)
    sweeps = {n: t for n, t in sweeps.items() if not options.only or n in options.only}
    priors = json.loads(options.priors.read_text(encoding="utf-8"))
    table = run(sweeps, options.pilots, priors, options.methods)
    print("\n" + markdown(table))
    write_json(options.json, table.to_dict("list"))
    if options.figure:
        figure(table, options.figure)


if __name__ == "__main__":
    main()
