"""Runs bought one design after another on the five tables of ScaleBench, and held against `test`.

    python benchmarks/scalebench.py FOLDER [--tasks moe parallel] [--seeds 1] [--out FILE.json]

FOLDER holds the tables of PlanarG/active-sl (arXiv:2604.22753, CC-BY-4.0) as one CSV a task. For
1, 5 and 10% of the summed cost of the `train` rows, runs are bought from these and a card is fitted
to them. `design` buys by the expected variance at the `test` rows, first from the card's prior and
then from each fit in turn; `prior` is the same without any fit (V-optimal: a design that no outcome
changes); `random` takes runs in random order, `cheapest` the cheapest first. Only bought losses are
read: the scale of the losses is that of the card, or of the first fit.

R2 is on the `test` rows, clipped to [-1, 1] as theirs is, with the coverage of 90% intervals and
their interval score. Groups of a table are bought and fitted one by one, and averaged.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill import InputError, Posterior, design, fit, forecast, load_card
from scalebench_laws import ADDED, CARDS, LOSS

SHARES = (0.01, 0.05, 0.1)
METHODS = ("design", "prior", "random", "cheapest")
COSTS = {
    "data_constrained": lambda t: 6 * t["params"] * t["tokens"],
    "moe": lambda t: t["num_experts"] * t["dense_parameter_count"],
    "vocab": lambda t: t["non_vocab_parameters"] * t["num_characters"],
    "lr_bsz": lambda t: 6 * t["non_embedding_param_size"] * t["data_size"],
    "parallel": lambda t: t["num_params"],
}
SETTINGS: dict[str, Any] = {"chains": 2, "warmup": 500, "draws": 400, "check_law": False}
COST = "price_of_a_run"
LEAST = 10  # runs that a first fit has, where the budget pays for them
LEVEL = 0.9


class Market:
    """Runs for sale: their losses are told one purchase at a time."""

    def __init__(self, train: pd.DataFrame, cost: np.ndarray) -> None:
        self._losses = train["loss"].to_numpy(float)
        self.runs = train.drop(columns="loss").assign(**{COST: cost})
        self.cost, self.bought = cost, list[int]()

    @property
    def spent(self) -> float:
        """What was paid so far."""
        return float(self.cost[self.bought].sum())

    @property
    def offered(self) -> pd.DataFrame:
        """Runs that were not bought, by their place."""
        return self.runs.drop(index=self.bought)

    def buy(self, places: list[int], budget: float) -> None:
        """Buy in order, as far as the budget goes."""
        for place in places:
            if place not in self.bought and self.spent + self.cost[place] <= budget * (1 + 1e-9):
                self.bought.append(int(place))

    @property
    def table(self) -> pd.DataFrame:
        """The bought runs with their losses."""
        mine = self.runs.loc[self.bought].drop(columns=COST)
        return mine.assign(loss=self._losses[self.bought])


def designed(
    source: Any, market: Market, budget: float, test: pd.DataFrame, seed: int
) -> list[int]:
    """Places of the runs that a design chooses of those offered."""
    offered = market.offered
    left = budget - market.spent
    if not len(offered) or (offered[COST] > left).all():
        return []
    found = design(
        source,
        left,
        pool=offered.reset_index(drop=True),
        target=test,
        cost=COST,
        seed=seed,
        allow_failed=True,
    )
    return [int(offered.index[row]) for row in found.table["row"]]


def filled(market: Market, budget: float, order: np.ndarray) -> None:
    """Buy further runs where those bought are too few for a fit."""
    for place in order:
        if len(market.bought) >= LEAST:
            break
        market.buy([int(place)], budget)


def scores(posterior: Posterior, test: pd.DataFrame, truth: np.ndarray) -> dict[str, float]:
    """R2, coverage and interval score of forecasts of the test rows."""
    found = forecast(posterior, at=test, allow_failed=True, interval=LEVEL).table
    miss = truth - found["loss_mean"].to_numpy()
    lower, upper = (found[f"new_run_{end}"].to_numpy() for end in ("lower", "upper"))
    outside = np.maximum(lower - truth, 0) + np.maximum(truth - upper, 0)
    r2 = 1 - float((miss**2).sum() / ((truth - truth.mean()) ** 2).sum())
    return {
        "r2": float(np.clip(r2, -1, 1)),
        "coverage": float((outside == 0).mean()),
        "interval_score": float((upper - lower + 2 / (1 - LEVEL) * outside).mean()),
    }


def bought_by(
    method: str, task: str, card: str, table: pd.DataFrame, seed: int
) -> list[dict[str, Any]]:
    """One row a share: what one way of buying makes of one table."""
    table = table.rename(columns={LOSS[task]: "loss"})
    cost = COSTS[task](table).to_numpy(float)[(table["split"] == "train").to_numpy()]
    table["loss"] += ADDED.get(task, 0.0)
    columns = [c for c in table if c not in ("split", "group")]
    train, test = (
        table.loc[table["split"] == part, columns].reset_index(drop=True)
        for part in ("train", "test")
    )
    truth = test.pop("loss").to_numpy(float)
    market = Market(train, cost)
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(len(train))
    cheapest = np.argsort(cost, kind="stable")
    source: Any = load_card(card)
    rows = []
    for share in SHARES:
        budget, started = share * float(cost.sum()), time.perf_counter()
        if method in ("design", "prior"):
            of = source if method == "design" else load_card(card)
            market.buy(designed(of, market, budget, test, seed), budget)
            filled(market, budget, cheapest)
        else:
            market.buy([int(p) for p in (shuffled if method == "random" else cheapest)], budget)
        row = {"task": task, "method": method, "share": share, "runs": len(market.bought)}
        row["spent"] = market.spent / float(cost.sum())
        try:
            source = fit(market.table, load_card(card), seed=seed, **SETTINGS)
            row |= scores(source, test, truth) | {"sampling": source.verdict}
        except InputError as error:  # too few runs
            row |= {"r2": -1.0, "coverage": np.nan, "interval_score": np.nan, "error": str(error)}
        rows.append(row | {"seconds": time.perf_counter() - started})
        print({k: round(v, 3) if isinstance(v, float) else v for k, v in rows[-1].items()})
        sys.stdout.flush()
    return rows


def main() -> int:
    """Buy, fit and score; print the table and write the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", nargs="*", default=list(CARDS))
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for task in arguments.tasks:
        table = pd.read_csv(arguments.folder / f"{task}.csv")
        for method in arguments.methods:
            for seed in range(arguments.seeds):
                for _, part in table.groupby("group"):
                    rows += bought_by(method, task, CARDS[task][0], part, seed)
        if arguments.out is not None:
            arguments.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    frame = pd.DataFrame(rows)
    kept = ["r2", "coverage", "interval_score", "runs", "seconds"]
    print(frame.groupby(["task", "method", "share"], sort=False)[kept].mean().round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
