"""What two parts of the sampler are worth, each against fits without it.

Warm-up that ends once it has converged, and the sampling coordinate of the gap's bend. All fit
the same runs: those of the card, or of the paper's design with table 6 as truth where a card has
none. Every line is a separate process; its first fit compiles and is left out.

    python benchmarks/warm_up.py [--seeds N] [--models CARD ...] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from statistics import median
from typing import Any

from common import in_a_process, write_json

MODELS = ("hoffmann2022", "busbridge2025-plain", "distillation", "busbridge2025")
SIDES = {
    "as it is": {},
    "all of the warm-up": {"CONFIRMED": 0.0},
    "log bend": {"tail_reach": {"bend": 0.0}},
}


def fits(model: str, side: str, seeds: int) -> list[dict[str, float]]:
    """Fits of one side; no matrix is confirmed to a factor of 0, no bend is straightened by 0."""
    from bayes_distill.cards import load_card
    from bayes_distill.inference import warm_up
    from bayes_distill.inference.fit import fit
    from bayes_distill.inference.simulation import simulate_from_card
    from bayes_distill.laws import Distillation

    for name, value in SIDES[side].items():
        setattr(warm_up if name == "CONFIRMED" else Distillation, name, value)
    runs: Any = load_card(model).data
    if runs is None:
        runs, _ = simulate_from_card("busbridge2025-plain", "paper", coefficients="table6", seed=2)
    rows = []
    for seed in (0, *range(seeds)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            posterior = fit(runs, model, seed=seed)
        timing, checks = posterior.info["seconds"], posterior.info["diagnostics"]
        stats = posterior.tree["sample_stats"].dataset
        rows.append(
            {
                "warmed_up": posterior.info["warmed_up"],
                "warm_up_seconds": timing["warm-up"],
                "leapfrog_steps": float(stats["n_steps"].mean()),
                "ess": checks["ess_bulk_min"],
                "ess_tail": checks["ess_tail_min"],
                "ess_per_second": checks["ess_bulk_min"] / (timing["warm-up"] + timing["sampling"]),
                "rhat": checks["rhat_max"],
                "divergences": checks["divergences"],
            }
        )
    return rows[1:]


def columns_of(model: str, side: str, seeds: int) -> dict[str, list[float]]:
    """Columns of `fits`, with an empty cache: programs of another density must not be read."""
    with tempfile.TemporaryDirectory() as cache:
        rows = in_a_process(__file__, "--one", model, side, seeds, BAYES_DISTILL_CACHE=cache)
    return {name: [row[name] for row in rows] for name in rows[0]}


def main(arguments: list[str] | None = None) -> int:
    """Print a table, and write what is behind it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--json")
    parser.add_argument("--one", nargs=3)
    options = parser.parse_args(arguments)
    if options.one:
        model, side, seeds = options.one
        print(json.dumps(fits(model, side, int(seeds))))
        return 0
    results: dict[str, Any] = {}
    print(
        "| card | side | warm-up | its s | leapfrog steps a draw | smallest ESS (median, least) "
        "| tail ESS | ESS/s with warm-up | largest R-hat | divergences |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for model in options.models:
        for side in SIDES:
            if side == "log bend" and model == "hoffmann2022":
                continue  # a law without a gap
            of = columns_of(model, side, options.seeds)
            results.setdefault(model, {})[side] = of
            middle = {name: median(values) for name, values in of.items()}
            print(
                f"| `{model}` | {side} | {min(of['warmed_up'])} to {max(of['warmed_up'])} "
                f"| {middle['warm_up_seconds']:.2f} | {middle['leapfrog_steps']:.0f} "
                f"| {middle['ess']:.0f}, {min(of['ess']):.0f} "
                f"| {middle['ess_tail']:.0f}, {min(of['ess_tail']):.0f} "
                f"| {middle['ess_per_second']:.0f} | {max(of['rhat']):.3f} "
                f"| {sum(of['divergences'])} |",
                flush=True,
            )
    write_json(options.json, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
