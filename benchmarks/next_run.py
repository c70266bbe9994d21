"""Whether a run narrows what it is expected to narrow: gains from draws against real refits.

Simulates a small supervised sweep, asks which run would narrow alpha, beta and a forecast most,
then adds candidates for real: outcomes are drawn from the fit, the table with the run is fitted
again, and the variance that is left is averaged over outcomes.

    python benchmarks/next_run.py [--outcomes 8] [--candidates 8]
"""

import argparse
import time

import numpy as np
import pandas as pd
from scipy import stats

from bayes_distill import fit, next_run
from bayes_distill.cards import load_card
from bayes_distill.cards.card import ReferencePoint
from bayes_distill.inference.model_inputs import reference_point
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.predict.points import grid

TRUTH = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
TARGET = ("10B", "1T")
NAMES = ["alpha", "beta", "forecast"]


def small_sweep(noise: float = 0.01):
    """Give 24 runs of 50M to 1B parameters on 10 to 40 tokens each, and their card."""
    sizes, ratio = np.meshgrid(np.geomspace(5e7, 1e9, 8), [10.0, 20.0, 40.0])
    design = pd.DataFrame({"params": sizes.ravel(), "tokens": (sizes * ratio).ravel()})
    runs, _ = simulate_from_card("supervised", design, coefficients=TRUTH, noise=noise / 3, seed=4)
    card = load_card("supervised")
    point = reference_point(card, runs.frame)
    # one reference for all refits: the prior counts from it
    fixed = ReferencePoint(params=point.params, tokens=point.tokens, loss=point.loss)
    return runs, card.model_copy(update={"reference": fixed, "target_accept": 0.95})


def variances(posterior) -> np.ndarray:
    """Posterior variances of log alpha, log beta and the forecast."""
    forecast = grid(*TARGET).loss_draws(posterior)[:, 0]
    draws = [np.log(posterior.published["alpha"]), np.log(posterior.published["beta"]), forecast]
    return np.array([d.var() for d in draws])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcomes", type=int, default=8)
    parser.add_argument("--candidates", type=int, default=8)
    options = parser.parse_args()
    runs, card = small_sweep()
    settings = {"warmup": 500, "draws": 1000}
    before = fit(runs, card, **settings)
    # all gains are measured against these, so they get more draws
    now = variances(fit(runs, card, warmup=500, draws=6000))
    coefficients = next_run(before, coefficient="alpha,beta", reach=3)
    forecast = next_run(before, target_params=TARGET[0], target_tokens=TARGET[1], reach=3)
    keys = ["params", "tokens"]
    linear = (
        coefficients.table[keys]
        .join(coefficients.by_target)
        .merge(forecast.table[keys].join(forecast.by_target), on=keys)
    )
    gains = linear.set_axis([*keys, *NAMES], axis=1).drop_duplicates(keys)
    order = gains[NAMES].mean(axis=1).sort_values(ascending=False).index
    chosen = gains.loc[order[np.linspace(0, len(order) - 1, options.candidates).astype(int)]]
    generator = np.random.default_rng(0)
    rows = []
    for row in chosen.to_dict("records"):
        mean = grid(row["params"], row["tokens"]).loss_draws(before)
        sorted_places = np.argsort(mean[:, 0])
        outcomes = before.new_run(mean, np.array([False]), generator)[:, 0]
        # evenly spread over the mean's distribution, noise as it comes
        at = sorted_places[
            ((np.arange(options.outcomes) + 0.5) / options.outcomes * len(mean)).astype(int)
        ]
        left = []
        clock = time.perf_counter()
        for y in outcomes[at]:
            new = pd.DataFrame([{"params": row["params"], "tokens": row["tokens"], "loss": y}])
            table = pd.concat([runs.frame, new], ignore_index=True)[["params", "tokens", "loss"]]
            left.append(variances(fit(table, card, **settings)) / now)
        real = 1 - np.mean(left, axis=0)
        error = np.std(left, axis=0) / np.sqrt(options.outcomes)
        rows.append(real)
        shown = "  ".join(
            f"{n}: {row[n]:6.1%} expected, {r:6.1%} +- {e:.1%}"
            for n, r, e in zip(NAMES, real, error, strict=True)
        )
        print(
            f"{row['params']:.2g} on {row['tokens']:.2g}  {shown}  "
            f"({time.perf_counter() - clock:.0f} s)",
            flush=True,
        )
    for i, name in enumerate(NAMES):
        expected, real = chosen[name].to_numpy(), np.array(rows)[:, i]
        print(
            f"{name}: rank correlation {stats.spearmanr(expected, real).statistic:.2f}, "
            f"mean absolute difference {np.abs(expected - real).mean():.1%}"
        )


if __name__ == "__main__":
    main()
