"""Write notebooks/runs/export.csv: a sweep as Weights & Biases would export it, simulated.

    python scripts/simulated_export.py [--fit]

With `--fit` it also fits the card that lets its law be wrong, which takes ten minutes, and stores
some of the draws for the notebook.

The sweep has what real ones have: supervised models, students distilled from some of them, runs
that crashed, diverged, were started again, or belong to something else. The truth behind it is
neither eq. 1 nor eq. 8 of Busbridge et al. 2025: the power of the data breaks, and what a teacher
adds saturates, and fades under teachers that are much stronger than the student.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill import fit, read_runs
from bayes_distill._input.files import atomic_path
from bayes_distill._input.numbers import format_quantity

NOISE = 0.004  # nats per token
SEED = 1
ALONE = [(n, n * ratio) for n in (150e6, 300e6, 700e6, 1.5e9, 3e9) for ratio in (10, 25, 60, 150)]
TEACHERS = {
    "3B": (3e9, 75e9),
    "1.5B": (1.5e9, 37.5e9),
    "700M": (700e6, 17.5e9),
    "300M": (300e6, 18e9),
    "150M": (150e6, 9e9),
    "3B-long": (3e9, 450e9),
}
TAUGHT = [(n, n * ratio) for n in (150e6, 300e6, 700e6) for ratio in (25, 75, 225)]
TARGET = Path(__file__).resolve().parents[1] / "notebooks" / "runs" / "export.csv"
FITTED = TARGET.with_name("with-discrepancy.nc")
DRAWS = 400


def sweep() -> pd.DataFrame:
    """Supervised runs, and students of the teachers among them, under canonical names."""
    generator = np.random.default_rng(SEED)
    alone = pd.DataFrame(ALONE, columns=["params", "tokens"])
    alone["loss"] = supervised(alone["params"], alone["tokens"]) + noise(generator, len(alone))
    measured = {
        name: float(alone.loc[(alone["params"] == n) & (alone["tokens"] == d), "loss"].iloc[0])
        for name, (n, d) in TEACHERS.items()
    }
    taught = pd.DataFrame(
        [(n, d, name, measured[name]) for n, d in TAUGHT for name in TEACHERS],
        columns=["params", "tokens", "teacher", "teacher_loss"],
    )
    taught["loss"] = distilled(taught["params"], taught["tokens"], taught["teacher_loss"])
    taught["loss"] += noise(generator, len(taught))
    return pd.concat([alone, taught], ignore_index=True)


def supervised(params: Any, tokens: Any) -> Any:
    """The true loss without a teacher: a power of the data that breaks at 20 billion tokens."""
    x, y = np.log(params / 5e8), np.log(tokens / 2e10)
    return 1.35 + 0.6 * np.exp(-0.25 * x) + 0.4 * np.exp(-0.25 * y + 0.08 * np.logaddexp(0, 2 * y))


def distilled(params: Any, tokens: Any, teacher_loss: Any) -> Any:
    """The true loss with one: not above what the teacher and the student reach alone, less a gain.

    The gain saturates as the teacher gets stronger, fades under teachers that are much stronger,
    and falls with tokens per parameter.
    """
    alone = supervised(params, tokens)
    stronger = alone - teacher_loss
    above = 0.04 * np.logaddexp(0, stronger / 0.04)
    most = 0.09 * (tokens / params / 20) ** -0.15
    return alone + (above - stronger) - most * (1 - np.exp(-above / 0.15)) * np.exp(-above / 1.2)


def noise(generator: np.random.Generator, size: int) -> np.ndarray:
    """Observation noise, with tails as heavy as Student's t with four degrees of freedom."""
    return NOISE * generator.standard_t(4, size) / np.sqrt(2)


def export() -> pd.DataFrame:
    """The sweep as a tracker's table, newest run first."""
    runs = sweep()
    table = pd.DataFrame({"Name": [_name(row) for row in runs.itertuples()]})
    table["State"] = "finished"
    table["Created"] = pd.date_range("2025-03-03T08:00:00Z", periods=len(table), freq="7h")
    table["Tags"] = "sweep"
    table["config.model.n_params"] = [f"{n:.0f}" for n in runs["params"]]
    table["config.teacher.name"] = runs["teacher"].astype("object").fillna("")
    table["config.teacher.val_loss"] = runs["teacher_loss"].round(4)
    table["tokens_seen_b"] = (runs["tokens"] / 1e9).round(4)
    table["val/loss"] = runs["loss"].round(4)
    table = pd.concat([table, *_mishaps(table)], ignore_index=True)
    table = table.sort_values("Created", ascending=False, kind="stable")
    table["Created"] = table["Created"].dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return table


def _name(row: object) -> str:
    size, tokens = (format_quantity(getattr(row, c)) for c in ("params", "tokens"))
    teacher = getattr(row, "teacher", None)
    return f"{size}-{tokens}" + (f"-from-{teacher}" if isinstance(teacher, str) else "")


def _mishaps(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Runs that must not be fitted: each looks like one of the sweep."""
    hour = pd.Timedelta(hours=1)
    started_again = table.iloc[[3, 40]].assign(
        Created=lambda t: t["Created"] - hour, **{"val/loss": lambda t: t["val/loss"] + 0.011}
    )
    crashed = table.iloc[[7, 55]].assign(
        State="crashed",
        Created=lambda t: t["Created"] - hour,
        **{
            "val/loss": lambda t: t["val/loss"] + 0.4,
            "tokens_seen_b": lambda t: t["tokens_seen_b"] / 5,
        },
    )
    diverged = table.iloc[[30]].assign(
        Name="700M-52.5B-high-lr", Created=lambda t: t["Created"] - hour, **{"val/loss": np.nan}
    )
    other = table.iloc[[12]].assign(
        Name="data-ablation",
        Tags="ablation",
        Created=lambda t: t["Created"] - hour,
        **{"val/loss": lambda t: t["val/loss"] - 0.12},
    )
    return [started_again, crashed, diverged, other]


def fitted() -> None:
    """Fit the sweep with a law that may be wrong, and store `DRAWS` draws."""
    runs = read_runs(TARGET, mapping=TARGET.with_name("mapping.toml"))
    posterior = fit(runs, "joint-discrepancy", warmup=400, draws=500, seed=0)
    posterior.thin(DRAWS).save(FITTED, overwrite=True)


def main(arguments: list[str] | None = None) -> None:
    """Write the table, and the fit if that is asked for."""
    with atomic_path(TARGET) as temporary:
        export().to_csv(temporary, index=False)
    if "--fit" in (arguments or []):
        fitted()


if __name__ == "__main__":
    main(sys.argv[1:])
