"""The posterior against what people do today: a Huber fit, and a bootstrap around it.

The bootstrap fits A, B, E, alpha and beta of L = E + A/N^alpha + B/D^beta by L-BFGS-B on the
Huber loss (delta 1e-4) of residuals of the log loss, from the 4,500 starts of Hoffmann et al.
(2022), keeps the best, and fits every resample of the runs from there. The posterior is that of the
card `hoffmann2022`. Compared are 90% intervals of coefficients and forecasts.

    python benchmarks/bootstrap.py --sweeps 100 [--json FILE]     # do intervals hold the truth?
    python benchmarks/bootstrap.py --time                         # 4,096 resamples of the real runs
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy.optimize import minimize

from bayes_distill.inference.fit import fit
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.posterior import Posterior
from bayes_distill.runs import read_runs

TRUTH = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}  # Besiroglu et al.
DELTA = 1e-4
GRID = (
    np.arange(0, 30, 5.0),
    np.arange(0, 30, 5.0),
    np.arange(-1, 1.5, 0.5),
    np.arange(0, 2.5, 0.5),
    np.arange(0, 2.5, 0.5),
)
POINTS = {"middle: 1B on 20B": (1e9, 2e10), "beyond: 30B on 1T": (3e10, 1e12)}
IDENTIFIED = ("E", "alpha", "beta")
RESAMPLES = 4096


def log_loss(x: Any, log_n: Any, log_d: Any) -> Any:
    """Log of the loss with x = (log A, log B, log E, alpha, beta)."""
    a, b, e, alpha, beta = (x[i] for i in range(5))
    parts = jnp.stack([a - alpha * log_n, b - beta * log_d, jnp.broadcast_to(e, jnp.shape(log_n))])
    return jax.nn.logsumexp(parts, axis=0)


@jax.jit
@partial(jax.value_and_grad)
def objective(x: Any, log_n: Any, log_d: Any, log_l: Any, weight: Any) -> Any:
    """Huber loss; `weight` counts how often a run was drawn."""
    r = jnp.abs(log_loss(x, log_n, log_d) - log_l)
    huber = jnp.where(r < DELTA, 0.5 * r**2, DELTA * (r - 0.5 * DELTA))
    return 1e4 * jnp.sum(weight * huber)


def best_of(starts: Any, frame: pd.DataFrame, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients with the smallest Huber loss over all starts."""
    columns = [jnp.log(frame[c].to_numpy(float)) for c in ("params", "tokens", "loss")]
    best, least = np.full(5, np.nan), np.inf

    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        results, slope = objective(x, *columns, weight)
        return float(results), np.asarray(slope)

    for start in starts:
        result = minimize(value, np.asarray(start, float), jac=True, method="L-BFGS-B")
        if result.fun < least:
            best, least = result.x, float(result.fun)
    return best, least


def bootstrap(frame: pd.DataFrame, first: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Coefficients (resamples, 5) of resampled runs, each fitted from `first`."""
    generator = np.random.default_rng(seed)
    n = len(frame)
    weights = [np.bincount(generator.integers(n, size=n), minlength=n) for _ in range(resamples)]
    return np.array([best_of([first], frame, w.astype(float))[0] for w in weights])


def answers(x: np.ndarray) -> dict[str, np.ndarray]:
    """Coefficients and forecasts of rows of x (fits, 5)."""
    results = {"E": np.exp(x[:, 2]), "alpha": x[:, 3], "beta": x[:, 4]}
    for name, (n, d) in POINTS.items():
        results[name] = np.exp(
            np.asarray(
                jax.vmap(
                    lambda row, n=n, d=d: log_loss(
                        row, jnp.log(jnp.array([n])), jnp.log(jnp.array([d]))
                    )[0]
                )(x)
            )
        )
    return results


def posterior_answers(posterior: Posterior) -> dict[str, np.ndarray]:
    """The same of a posterior's draws."""
    results = {name: posterior.published[name] for name in IDENTIFIED}
    for name, (n, d) in POINTS.items():
        results[name] = posterior.supervised_loss(np.array([n]), np.array([d]))[:, 0]
    return results


def sweep(seed: int, resamples: int) -> dict[str, Any]:
    """Both sides on one simulated table."""
    runs, truth = simulate_from_card("hoffmann2022", "chinchilla", coefficients=TRUTH, seed=seed)
    true_x = np.array(
        [
            [
                np.log(truth["A"]),
                np.log(truth["B"]),
                np.log(truth["E"]),
                truth["alpha"],
                truth["beta"],
            ]
        ]
    )
    true = {name: float(value[0]) for name, value in answers(true_x).items()}
    clock = time.perf_counter()
    posterior = fit(runs, "hoffmann2022", seed=seed)
    seconds = {"posterior": time.perf_counter() - clock}
    clock = time.perf_counter()
    first, _ = best_of([true_x[0]], runs.frame, np.ones(len(runs)))  # spared the grid
    resampled = bootstrap(runs.frame, first, resamples, seed)
    seconds["bootstrap"] = time.perf_counter() - clock
    sides = {"posterior": posterior_answers(posterior), "bootstrap": answers(resampled)}
    results: dict[str, Any] = {"seconds": seconds, "verdict": posterior.verdict}
    for side, values in sides.items():
        results[side] = {}
        for name, draws in values.items():
            low, high = np.quantile(draws, [0.05, 0.95])
            results[side][name] = {"held": bool(low <= true[name] <= high), "width": high - low}
    return results


def summary(sweeps: list[dict[str, Any]]) -> str:
    """Markdown: how often 90% intervals hold the truth, and how wide they are."""
    lines = [
        "| | posterior holds | bootstrap holds | width, bootstrap over posterior |",
        "|---|---|---|---|",
    ]
    for name in sweeps[0]["posterior"]:
        held = {
            s: np.mean([x[s][name]["held"] for x in sweeps]) for s in ("posterior", "bootstrap")
        }
        ratio = np.median(
            [x["bootstrap"][name]["width"] / x["posterior"][name]["width"] for x in sweeps]
        )
        lines.append(
            f"| {name} | {held['posterior']:.0%} | {held['bootstrap']:.0%} | {ratio:.2f} |"
        )
    return "\n".join(lines)


def timed(share: float = 1.0) -> dict[str, float]:
    """Seconds of both on the real runs: a whole fit, and the grid with 4,096 resamples.

    Of grid and resamples a `share` is run, and the time scaled up.
    """
    runs = read_runs("hoffmann2022").where("tokens > 0.43 * params")
    clock = time.perf_counter()
    fit(runs, "hoffmann2022", seed=1)
    whole = time.perf_counter() - clock
    starts = np.array(list(itertools.product(*GRID)))
    some = np.random.default_rng(0).permutation(len(starts))[: int(len(starts) * share)]
    clock = time.perf_counter()
    first, _ = best_of(starts[some], runs.frame, np.ones(len(runs)))
    grid = (time.perf_counter() - clock) / share
    clock = time.perf_counter()
    bootstrap(runs.frame, first, int(RESAMPLES * share), 0)
    resampling = (time.perf_counter() - clock) / share
    return {
        "fit": whole,
        "grid": grid,
        "resampling": resampling,
        "ratio": (grid + resampling) / whole,
        "share_run": share,
    }


def main() -> None:
    """Print one of the two comparisons."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=200, help="of a sweep")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--share", type=float, default=1.0, help="of what --time runs")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.time:
        results: Any = timed(options.share)
        print(", ".join(f"{name} {value:.2f}" for name, value in results.items()))
    else:
        results = [sweep(seed, options.resamples) for seed in range(options.sweeps)]
        print(summary(results))
        seconds = {
            s: np.median([x["seconds"][s] for x in results]) for s in ("posterior", "bootstrap")
        }
        print(
            f"\nseconds a sweep: {seconds}; {options.sweeps} sweeps, {options.resamples} resamples"
        )
        print({v: sum(x["verdict"] == v for x in results) for v in ("pass", "review", "fail")})
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
