"""Pilots that are designed for a decision, against the same compute on an even grid.

Each sweep has a law that is drawn from the prior of the card. A budget of pilots is spent twice: on
an even grid of three sizes by three numbers of tokens per parameter; and designed, at most half of
it by what it tells of a large run before any run is known, the rest by the value of information for
the plan. Both fits choose the size of a supervised run of 1e23 FLOPs. The regret is the loss of
that size on the law that was drawn, over the least. Laws with losses above 12 nats are left out.
Promised reductions are those of `design`.

    python benchmarks/designed_pilots.py [--sweeps 50] [--seed 0]
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd

import bayes_distill as bd
from bayes_distill.cards import load_card
from bayes_distill.cards.card import ReferencePoint
from bayes_distill.inference.prior_posterior import prior_posterior, prior_reference

CARD, BUDGET, PILOTS = "supervised-plain", 1e23, 3e20
FIRST, BATCH, LEAST = (
    0.5,
    9,
    8,
)  # share of the pilots' budget that is spent before any run; runs of it, and that a fit needs
RATIOS = (5, 10, 20, 40, 80, 160)  # tokens per parameter, of the candidates
DECISION = {"budget": BUDGET, "scenario": "supervised", "flops": "6nd"}
TARGET = pd.DataFrame({"params": [2e10], "tokens": [BUDGET / 6 / 2e10]})
MOST_LOSS = 12.0  # of any candidate, in nats
SETTINGS = {"chains": 2, "warmup": 500, "draws": 600}


def candidates() -> pd.DataFrame:
    """Ten sizes on six numbers of tokens per parameter each."""
    rows = [(n, n * r) for n in np.geomspace(3e7, 2e9, 10) for r in RATIOS]
    return pd.DataFrame(rows, columns=["params", "tokens"])


def even_grid() -> pd.DataFrame:
    """Three sizes by three numbers of tokens per parameter, which cost what the pilots may."""
    ratios, low, high = (5, 20, 80), 3e7, 5e9
    for _ in range(60):
        sizes = np.geomspace(3e7, np.sqrt(low * high), 3)
        spent = 6 * (sizes**2).sum() * sum(ratios)
        low, high = (np.sqrt(low * high), high) if spent < PILOTS else (low, np.sqrt(low * high))
    rows = [(n, n * r) for n in np.geomspace(3e7, low, 3) for r in ratios]
    return pd.DataFrame(rows, columns=["params", "tokens"])


class Sweep:
    """A law, which is one draw of a prior, and what runs of it and decisions by it come to."""

    def __init__(self, prior, place: int, seed: int) -> None:
        self.prior, self.place, self.seed = prior, place, seed

    def curve(self, params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Mean losses (points,)."""
        one = np.asarray(params, float), np.asarray(tokens, float)
        return self.prior.supervised_loss(*one)[self.place]

    def train(self, table: pd.DataFrame, batch: int) -> pd.DataFrame:
        """Runs with losses."""
        params, tokens = (table[name].to_numpy(float) for name in ("params", "tokens"))
        generator = np.random.default_rng([self.seed, self.place, batch])
        mean = self.prior.supervised_loss(params, tokens)
        losses = self.prior.new_run(mean, np.zeros(len(table), bool), generator)[self.place]
        return pd.DataFrame({"params": params, "tokens": tokens, "loss": losses})

    def regret(self, plan: bd.Plan) -> float:
        """Loss of the size that a plan names, over the least."""
        sizes = np.append(np.geomspace(1e8, 1e14, 4000), plan.table["params"][0])
        losses = self.curve(sizes, BUDGET / 6 / sizes)
        return float(losses[-1] - losses.min())


def variance(posterior) -> float:
    """Of the log loss of the target."""
    at = (TARGET[name].to_numpy() for name in ("params", "tokens"))
    return float(np.log(posterior.supervised_loss(*at)[:, 0]).var())


def decided(posterior) -> bd.Plan:
    """The plan of the large run."""
    given = {"scenario": "supervised", "flops": "6nd", "crossovers": False, "allow_failed": True}
    return bd.plan(posterior, budget=BUDGET, **given)


def one(sweep: Sweep, card, first: pd.DataFrame, pool: pd.DataFrame) -> dict[str, float]:
    """Both ways to spend the pilots' budget, for one law."""
    seed = sweep.seed
    even = decided(bd.fit(sweep.train(even_grid(), 0), card, seed=seed, **SETTINGS))
    runs = sweep.train(first, 1)
    start = bd.fit(runs, card, seed=seed, **SETTINGS)
    left = PILOTS - 6 * (first["params"] * first["tokens"]).sum()
    asked = {"pool": pool, "cost": "6nd", "batch": 6, "seed": seed, "allow_failed": True}
    second = bd.design(start, left, decide=DECISION, spend_all=True, **asked)
    more = [runs, sweep.train(second.table, 2)] if len(second.table) else [runs]
    posterior = bd.fit(pd.concat(more, ignore_index=True), card, seed=seed, **SETTINGS)
    plan = decided(posterior)
    regret = second.to_json()["regret"]
    return {
        "even": sweep.regret(even),
        "designed": sweep.regret(plan),
        "variance after": variance(start),
        "expected before": regret["now"],
        "promised after": regret["after"],
        "found after": float(plan.table["regret_mean"][0]),
    }


def mean_and_error(values: pd.Series) -> str:
    """The mean and its standard error."""
    return f"{values.mean():.5f} ({values.std() / np.sqrt(len(values)):.5f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    pool = candidates()
    middle = np.exp(np.log(pool).mean())
    reference = prior_reference(load_card(CARD), middle["params"], middle["tokens"])
    fixed = ReferencePoint(**{n: getattr(reference, n) for n in ("params", "tokens", "loss")})
    card = load_card(CARD).model_copy(update={"reference": fixed})
    prior = prior_posterior(card, reference, max(2 * options.sweeps, 2000), options.seed + 1000)
    first = bd.design(
        card, FIRST * PILOTS, pool=pool, target=TARGET, batch=BATCH, cost="6nd", seed=options.seed
    )
    keys = ["params", "tokens"]
    # what a design of few runs leaves to a fit are the cheapest candidates that it did not take
    others = pool[~pool.index.isin(first.table["row"])].head(max(LEAST - len(first.table), 0))
    pilots = pd.concat([first.table[keys], others[keys]], ignore_index=True)
    print(f"first batch: {len(first.table)} runs, and {len(others)} of the cheapest", flush=True)
    rows = []
    losses = prior.supervised_loss(pool["params"].to_numpy(), pool["tokens"].to_numpy())
    # a prior holds laws whose losses no table of runs in nats has
    places = np.flatnonzero(losses.max(axis=1) < MOST_LOSS)[: options.sweeps]
    for number, place in enumerate(map(int, places)):
        began = time.perf_counter()
        rows.append(one(Sweep(prior, place, options.seed), card, pilots, pool))
        told = ", ".join(f"{name} {value:.5f}" for name, value in rows[-1].items())
        print(f"{number}: {told} ({time.perf_counter() - began:.0f} s)", flush=True)
        table = pd.DataFrame(rows)
        if number % 5 == 4 or number == len(places) - 1:
            found = 1 - table["variance after"].mean() / variance(prior)
            print(f"regret: designed {mean_and_error(table['designed'])}, ", end="")
            print(f"even grid {mean_and_error(table['even'])}, ", end="")
            print(f"ratio {table['designed'].mean() / table['even'].mean():.2f}")
            print(
                f"first batch: share of the variance, promised {first.to_json()['value']}, ", end=""
            )
            print(f"found {found:.3f}")
            print(
                f"second batch: expected regret {mean_and_error(table['expected before'])}, ",
                end="",
            )
            print(f"promised {mean_and_error(table['promised after'])}, ", end="")
            print(f"found {mean_and_error(table['found after'])}", flush=True)


if __name__ == "__main__":
    main()
