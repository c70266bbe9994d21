"""Joint tables whose truth is not eq. 8: how often bands hold the mean curve and the best teacher.

Each truth makes 40 supervised and 60 distilled runs of students of 100M to 1B parameters; both the
card `joint-discrepancy` and the laws alone, `joint`, are fitted. Compared are 90% credible bands
with the true mean curve, of students like those of the runs and of up to three times the largest,
with and without teachers, and 90% intervals of the best teacher's loss with the true one.

    python benchmarks/wrong_laws.py [--seeds 1] [--json FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill import fit
from bayes_distill.posterior import Posterior
from bayes_distill.predict.optimal_teacher import optimal_teacher
from common import markdown_table, write_json

Curve = Callable[[Any, Any], Any]
Student = Callable[[Any, Any, Any], Any]
SUPERVISED, DISTILLED = 40, 60
NOISE = 0.003  # relative
CARDS = ("joint-discrepancy", "joint")


def plain(n: Any, d: Any) -> Any:
    """E + (A/N^alpha + B/D^beta)^gamma, coefficients like those of table 6."""
    return 1.3 + 1.1 * (0.5 * (n / 5e8) ** -0.4 + 0.5 * (d / 1e10) ** -0.35) ** 0.7


def drifting(n: Any, d: Any) -> Any:
    """Exponents that fall with size and data."""
    x, y = np.log(n / 5e8), np.log(d / 1e10)
    return 1.4 + 0.55 * np.exp(-0.22 * x + 0.012 * x**2) + 0.45 * np.exp(-0.2 * y + 0.01 * y**2)


def broken(n: Any, d: Any) -> Any:
    """A power of the data that breaks at 20 billion tokens."""
    y = np.log(d / 2e10)
    return 1.35 + 0.6 * (n / 5e8) ** -0.25 + 0.4 * np.exp(-0.25 * y + 0.08 * np.logaddexp(0, 2 * y))


def with_interaction(n: Any, d: Any) -> Any:
    """Data count for less in small models."""
    x, y = np.log(n / 5e8), np.log(d / 1e10)
    return plain(n, d) * np.exp(-0.008 * x * y)


def gap_in_nats(law: Curve) -> Student:
    """A student that follows its teacher, and then falls behind it by more than the teacher gains.

    The gap opens at a distance in nats, not in logarithms.
    """

    def student(n: Any, d: Any, t: Any) -> Any:
        stronger = law(n, d) - t
        return t + 1.12 * 0.06 * np.logaddexp(0, (stronger - 0.1) / 0.06)

    return student


def fading_gain(law: Curve) -> Student:
    """A student with a gain that saturates, fades under much stronger teachers and with data."""

    def student(n: Any, d: Any, t: Any) -> Any:
        alone = law(n, d)
        stronger = alone - t
        above = 0.04 * np.logaddexp(0, stronger / 0.04)
        most = 0.09 * (d / n / 20) ** -0.15
        gain = most * (1 - np.exp(-above / 0.15)) * np.exp(-above / 1.2)
        return alone + (above - stronger) - gain

    return student


TRUTHS: dict[str, tuple[Curve, Student]] = {
    "drifting exponents, fading gain": (drifting, fading_gain(drifting)),
    "broken power, fading gain": (broken, fading_gain(broken)),
    "interaction, gap in nats": (with_interaction, gap_in_nats(with_interaction)),
    "drifting exponents, gap in nats": (drifting, gap_in_nats(drifting)),
    "table 6, fading gain": (plain, fading_gain(plain)),
}


def table_of(law: Curve, student: Student, seed: int) -> pd.DataFrame:
    """Runs of one truth."""
    generator = np.random.default_rng(seed)
    sizes = np.geomspace(1e8, 1e9, 5)
    n = generator.choice(sizes, SUPERVISED)
    alone = pd.DataFrame({"params": n, "tokens": n * 10 ** generator.uniform(0.7, 2.2, SUPERVISED)})
    alone["loss"] = law(alone["params"], alone["tokens"])
    n = generator.choice(sizes, DISTILLED)
    taught = pd.DataFrame({"params": n, "tokens": n * 10 ** generator.uniform(0.7, 2.2, DISTILLED)})
    teachers = generator.choice(np.geomspace(2e8, 7e9, 6), DISTILLED)
    taught["teacher_loss"] = law(teachers, teachers * 20)
    taught["loss"] = student(taught["params"], taught["tokens"], taught["teacher_loss"])
    runs = pd.concat([alone, taught], ignore_index=True)
    runs["loss"] *= 1 + NOISE * generator.standard_t(4, len(runs)) / np.sqrt(2)
    return runs


def compare(posterior: Posterior, law: Curve, student: Student) -> dict[str, Any]:
    """Shares of points held, inside the runs and up to three times their size."""
    found: dict[str, Any] = {}
    for place, sizes in (("inside", np.geomspace(1.2e8, 9e8, 5)), ("beyond", [1.5e9, 2e9, 3e9])):
        n, ratio = (a.ravel() for a in np.meshgrid(sizes, [10.0, 30.0, 100.0]))
        d = n * ratio
        held = [_held(posterior.supervised_loss(n, d), law(n, d))]
        for size in (5e8, 2e9, 7e9):
            t = np.full(len(n), law(size, 20 * size))
            held.append(_held(posterior.distilled_loss(n, d, t), student(n, d, t)))
        found[place] = float(np.mean(held))
        best = optimal_teacher(posterior, n, d, strongest=float(law(7e9, 1.4e11))).teacher_loss
        grid = np.linspace(law(7e9, 1.4e11), law(1e8, 2e9), 2000)
        true = np.array([grid[np.argmin(student(a, b, grid))] for a, b in zip(n, d, strict=True)])
        found[f"best teacher {place}"] = float(_held(best, true, 1e-3).mean())
    return found


def _held(draws: np.ndarray, true: np.ndarray, slack: float = 0.0) -> np.ndarray:
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    return (low - slack <= true) & (true <= high + slack)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cards", nargs="*", default=CARDS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for name, (law, student) in TRUTHS.items():
        for seed in range(options.seeds):
            runs = table_of(law, student, seed)
            for card in options.cards:
                clock = time.perf_counter()
                posterior = fit(runs, card, seed=seed)
                found = compare(posterior, law, student)
                checks = posterior.info["diagnostics"]
                words = (posterior.verdict, checks.get("law", {}).get("verdict", "not checked"))
                seconds = time.perf_counter() - clock
                rows.append({"truth": name, "card": card, "seed": seed, **found})
                rows[-1] |= {"sampling": words[0], "law": words[1], "seconds": seconds}
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    kept = ["inside", "beyond", "best teacher inside", "best teacher beyond"]
    mean = table.groupby(["truth", "card"], sort=False)[kept].mean()
    cells = [
        [*key, *(f"{v:.0%}" for v in row)]
        for key, row in zip(mean.index, mean.to_numpy(), strict=True)
    ]
    print(markdown_table(["truth", "card", *kept], cells))
    write_json(options.json, rows)


if __name__ == "__main__":
    main()
