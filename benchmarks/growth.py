"""How time and memory grow: fits with runs, forecasts with draws and points, plans with rows.

Every measurement is a separate process, so that its peak memory is that of nothing else.

    python benchmarks/growth.py [--parts runs draws plans] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from common import in_a_process, peak_memory_gb, write_json

RUNS = (50, 500, 5_000, 50_000)
DRAWS = ((1_000, 10_000), (10_000, 10_000), (100_000, 10_000), (1_000_000, 10_000))
ALL_DRAWS = (1_000_000, 40)
PLANS = (1, 10, 32, 100)
TRUTH = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}


def runs(count: int) -> dict[str, float]:
    """Fit of `count` supervised runs, 300 + 300 transitions; the second fit compiles nothing."""
    import numpy as np
    import pandas as pd

    from bayes_distill.inference.fit import fit
    from bayes_distill.inference.simulation import simulate_from_card

    generator = np.random.default_rng(0)
    size = np.exp(generator.uniform(np.log(5e7), np.log(1e10), count))
    design = pd.DataFrame(
        {"params": size, "tokens": size * np.exp(generator.uniform(np.log(3), np.log(300), count))}
    )
    table, _ = simulate_from_card("hoffmann2022", design, coefficients=TRUTH, seed=1)
    settings = {"warmup": 300, "draws": 300}
    fit(table, "hoffmann2022", **settings)
    clock = time.perf_counter()
    posterior = fit(table, "hoffmann2022", seed=1, **settings)
    timing = posterior.info["seconds"]
    return {
        "seconds": time.perf_counter() - clock,
        "sampling": timing["warm-up"] + timing["sampling"],
        "leapfrog_steps_per_draw": float(posterior.tree["sample_stats"]["n_steps"].mean()),
    }


def many_draws(count: int) -> Any:
    """The posterior of busbridge2025-plain, its draws repeated with a little noise."""
    import numpy as np
    import xarray as xr

    from bayes_distill.posterior import Posterior, load_posterior

    one = load_posterior("busbridge2025-plain")
    generator = np.random.default_rng(0)
    columns = {}
    for name, values in one.draws.items():
        noise = np.exp(1e-3 * generator.standard_normal(count))
        columns[name] = (("chain", "draw"), (np.resize(values, count) * noise)[None])
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(columns)})
    return Posterior(tree, one.card, one.reference, one.info)


def draws(count: int, points: int, most: int) -> dict[str, float]:
    """Forecast of `points` students from `count` draws, of which `most` are used."""
    import numpy as np

    from bayes_distill.predict.forecast import forecast

    posterior = many_draws(count)
    params = np.geomspace(1e8, 1e10, max(1, points // 20))
    tokens = np.geomspace(1e10, 1e12, min(20, points))
    forecast(posterior, params[:1], tokens[:2], teacher_loss=2.1, draws=most)
    clock = time.perf_counter()
    forecast(posterior, params, tokens, teacher_loss=2.1, draws=most)
    spent = time.perf_counter() - clock
    used = min(count, most)
    return {"seconds": spent, "draw_points_per_second": used * points / spent}


def plans(count: int) -> dict[str, float]:
    """Plan for `count` budgets of each of `count` students, all of the teacher paid.

    Of default draws, and with the range of teachers that would do; programs are loaded before.
    """
    import numpy as np

    from bayes_distill.planning.plan import plan

    params, budget = np.geomspace(3e8, 1e10, count), np.geomspace(1e20, 1e24, count)
    arguments = {"scenario": "teacher-pretraining-and-inference", "crossovers": False}
    plan("busbridge2025", params[:1], budget, **arguments)
    clock = time.perf_counter()
    table = plan("busbridge2025", params, budget, **arguments).table
    return {"seconds": time.perf_counter() - clock, "rows": len(table)}


def one(part: str, numbers: list[int]) -> dict[str, float]:
    """Run one measurement here."""
    result = {"runs": runs, "draws": draws, "plans": plans}[part](*numbers)  # type: ignore[operator]
    return {**result, "peak_gb": peak_memory_gb()}


def main() -> None:
    """Print a table for each part."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", nargs="*", default=["runs", "draws", "plans"])
    parser.add_argument("--one", nargs="+", help="a part and its numbers, for this process")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one[0], [int(v) for v in options.one[1:]])))
        return
    default = 4000
    cases: dict[str, list[tuple[int, ...]]] = {
        "runs": [(n,) for n in RUNS],
        "draws": [(*pair, default) for pair in DRAWS] + [(*ALL_DRAWS, ALL_DRAWS[0])],
        "plans": [(n,) for n in PLANS],
    }
    results: dict[str, Any] = {}
    for part in options.parts:
        for numbers in cases[part]:
            result = in_a_process(__file__, "--one", part, *numbers)
            results.setdefault(part, []).append({"numbers": numbers, **result})
            shown = ", ".join(f"{name} {value:.4g}" for name, value in result.items())
            print(f"{part} {' x '.join(f'{n:,}' for n in numbers)}: {shown}", flush=True)
    write_json(options.json, results)


if __name__ == "__main__":
    main()
