"""Recipes for the whole posterior against planning with average coefficients; time and memory.

    python benchmarks/recipe_against_plug_in.py FIT.nc [--draws 500] [--quick] [--json FILE]

For every student, budget and scenario with a teacher, the recipe (best expected loss over the
draws) is held against two recipes made from averages: of the coordinates that were sampled, and
of the coefficients as the paper prints them. All three are judged by their expected loss over the
same draws. Then a plan of 1000 draws, five scenarios and 20 budgets for one student is timed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

from bayes_distill import load_posterior, plan
from bayes_distill.compute import SCENARIOS
from bayes_distill.planning import Problem, optimise
from bayes_distill.planning.recipe_search import best_recipe, plug_in_losses
from bayes_distill.planning.setting import Setting
from bayes_distill.posterior import Posterior

STUDENTS = (3e8, 1e9, 3e9)
BUDGETS = 10.0 ** np.arange(20, 27)
DISTILLATIONS = tuple(name for name in SCENARIOS if name != "supervised")
AVERAGES = ("sampled coordinates", "printed coefficients")


def averages(posterior: Posterior) -> dict[str, dict[str, np.ndarray]]:
    """Coordinates (1,) from averages over the draws, by what is averaged."""
    law, reference = posterior.law, posterior.reference
    sampled = {k: np.array([posterior.draws[k].mean()]) for k in law.coordinate_names}
    printed = {name: float(values.mean()) for name, values in posterior.published.items()}
    return {
        AVERAGES[0]: sampled,
        AVERAGES[1]: {
            k: np.atleast_1d(np.asarray(v))
            for k, v in law.from_published(printed, reference).items()
        },
    }


def gains(posterior: Posterior, students: tuple[float, ...], budgets: np.ndarray) -> dict[str, Any]:
    """Expected loss of each average's recipe above that of the recipe, in the unit of the loss."""
    law, reference = posterior.law, posterior.reference
    plain = averages(posterior)
    losses_above: dict[str, dict[str, list[float]]] = {
        a: {s: [] for s in DISTILLATIONS} for a in AVERAGES
    }
    for name, params in itertools.product(DISTILLATIONS, students):
        setting = Setting(posterior, params, SCENARIOS[name])
        of_draws = optimise(
            Problem(law, posterior.draws, reference, params, setting.scenario), budgets
        )
        expected = best_recipe(setting, budgets, of_draws).losses.mean(axis=0)
        for label, coordinates in plain.items():
            single = optimise(
                Problem(law, coordinates, reference, params, setting.scenario), budgets
            )
            loss = plug_in_losses(setting, budgets, single).mean(axis=0)
            losses_above[label][name] += (loss - expected).tolist()
    return losses_above


def timing(posterior: Posterior, params: float = 1e9) -> dict[str, float]:
    """Seconds, cold and warm, of 1000 draws, five scenarios and 20 budgets for one student."""
    budgets = np.geomspace(1e20, 1e26, 20)
    seconds: dict[str, float] = {"draws": float(posterior.n_draws)}

    def optima() -> None:
        for scenario in SCENARIOS.values():
            optimise(
                Problem(posterior.law, posterior.draws, posterior.reference, params, scenario),
                budgets,
            )

    def everything() -> None:
        plan(posterior, params, budgets, draws=1000, crossovers=False)

    for label, job in (("optima", optima), ("optima, recipes and bands", everything)):
        for turn in ("first", "warm"):
            began, busy = time.perf_counter(), time.process_time()
            job()
            seconds[f"{label}, {turn}"] = time.perf_counter() - began
            seconds[f"{label}, {turn}, processor"] = time.process_time() - busy
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fit", help="a file written by fit, or a card with a posterior")
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="fewer draws, students and budgets")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    posterior = load_posterior(options.fit)
    quick = options.quick
    spent = timing(posterior.thin(100 if quick else 1000))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    losses_above = gains(
        posterior.thin(100 if quick else options.draws),
        STUDENTS[:1] if quick else STUDENTS,
        BUDGETS[::3] if quick else BUDGETS,
    )
    for label, scenarios in losses_above.items():
        print(f"\nexpected loss above the recipe's, planning with average {label} (nats)")
        print(f"{'scenario':36}{'mean':>10}{'largest':>10}{'smallest':>11}{'cases':>7}")
        every = [g for gain in scenarios.values() for g in gain]
        for name, gain in (*scenarios.items(), ("all", every)):
            print(f"{name:36}{np.mean(gain):10.5f}{max(gain):10.5f}{min(gain):11.1e}{len(gain):7}")
        print(f"recipe worse by more than 1e-9 nats: {sum(g < -1e-9 for g in every)} cases")
    print(f"\n{spent['draws']:.0f} draws x 5 scenarios x 20 budgets, seconds")
    for label, value in spent.items():
        if label != "draws":
            print(f"{label:40}{value:8.2f}")
    print(f"peak memory of that                     {peak:8.2f} GiB")
    if options.json:
        result = {"gains": losses_above, "timing": spent, "peak_memory_gib": peak}
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
