"""Write notebooks/runs/export.csv: a sweep as Weights & Biases would export it, simulated.

    python scripts/simulated_export.py

The sweep has what real ones have: supervised models, students distilled from some of them, runs
that crashed, diverged, were started again, or belong to something else. The truth behind it is
table 6 of Busbridge et al. 2025 (beta' repaired) with a higher floor, as another tokenizer would
give.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill._input.files import atomic_path
from bayes_distill._input.numbers import format_quantity
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.laws import TABLE_6

TRUTH = {**TABLE_6, "E": 1.32}
NOISE = 0.004  # nats per token
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


def sweep() -> pd.DataFrame:
    """Supervised runs, and students of the teachers among them, under canonical names."""
    alone = pd.DataFrame(ALONE, columns=["params", "tokens"])
    first = simulated(alone, seed=1)
    measured = {
        name: float(first.loc[(alone["params"] == n) & (alone["tokens"] == d), "loss"].iloc[0])
        for name, (n, d) in TEACHERS.items()
    }
    taught = pd.DataFrame(
        [(n, d, name, measured[name]) for n, d in TAUGHT for name in TEACHERS],
        columns=["params", "tokens", "teacher", "teacher_loss"],
    )
    second = simulated(taught.drop(columns="teacher"), seed=2)
    return pd.concat(
        [alone.assign(loss=first["loss"]), taught.assign(loss=second["loss"])], ignore_index=True
    )


def simulated(design: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Runs of a design by the truth."""
    runs, _ = simulate_from_card("joint", design, coefficients=TRUTH, noise=NOISE, seed=seed)
    return runs.frame.reset_index(drop=True)


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


def main() -> None:
    """Write the table."""
    with atomic_path(TARGET) as temporary:
        export().to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
