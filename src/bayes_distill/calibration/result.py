"""Result of a study: ranks, tests of their uniformity, coverage, and one verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.files import json_of, made_of, write_text
from bayes_distill._input.intervals import number
from bayes_distill._input.outputs import RESULT
from bayes_distill.calibration.quantities import Quantity
from bayes_distill.calibration.uniformity import bands, uniformity_p_values
from bayes_distill.errors import InputError
from bayes_distill.inference.p_values import holm
from bayes_distill.predict.results.display import Result

FORMAT = "bayes-distill calibration"
SUSPECT, WRONG = 0.05, 0.01  # adjusted p values below which ranks are not, surely not, uniform
MANY_FAILED = 0.05  # share of failed fits above which nothing is called good
LEVELS = (0.5, 0.8, 0.9, 0.95)
FIT_COLUMNS = ("replicate", "verdict", "fits", "rhat_max", "ess_bulk_min", "divergences", "seconds")
JSON_NAME = {"replicate": "sweep"}  # names in files stay as they were written first
RANK_COLUMNS = ("rank", "draws", "pit", "truth", "mean", "sd", "inside")


@dataclass(frozen=True)
class Study:
    """Arguments of a study: cards, design, reference point and settings, as plain data."""

    model: str
    simulator: str
    law: str
    design: str
    runs: int
    reference: dict[str, float]
    settings: dict[str, int]


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Result):
    """Simulation-based calibration of a card on a design.

    Parameters
    ----------
    table
        One row a quantity: its ``kind`` and ``meaning``, ``p_value`` of uniform ranks,
        ``p_adjusted`` for the number of quantities, ``verdict``; ``shift``, how much the posterior
        lies below (+) or above (-) the truths, in probability, and ``spread``, the variance of the
        ranks over that of uniform ones (above 1: the posterior is too narrow);
        ``coverage_50`` and so on, the share of equal-tailed intervals that hold the truth;
        ``p_without_failed`` and ``coverage_90_without_failed``, which leave out the fits that
        failed their checks; ``draws``, the median number of nearly independent draws.
    ranks
        One row a quantity and replicate: ``rank`` among ``draws``, ``pit`` (the rank between 0 and
        1), ``truth``, posterior ``mean`` and ``sd``, ``in_50`` and so on.
    fits
        One row a replicate: ``verdict``, number of ``fits`` it took, and values of the checks.
    bands
        Simultaneous 95% bands of the ECDF of uniform ranks, see `uniformity.bands`.
    study
        Its arguments.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    ranks: pd.DataFrame
    fits: pd.DataFrame
    bands: pd.DataFrame
    study: Study
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """``fail`` or ``review`` if ranks are not uniform; ``review`` if many fits failed."""
        verdicts = set(self.table["verdict"])
        if "fail" in verdicts:
            return "fail"
        many = (self.fits["verdict"] == "fail").mean() > MANY_FAILED
        return "review" if "review" in verdicts or many else "pass"

    def to_json(self, *, ranks: bool = True) -> dict[str, Any]:
        """Plain data for JSON; without `ranks` without those of single replicates."""
        quantities = []
        for r in self.table.to_dict("records"):
            plain = {name: r[name] for name in ("name", "kind", "meaning", "verdict")}
            values = ("p_value", "p_adjusted", "p_without_failed", "shift", "spread")
            quantity = plain | {name: number(r[name]) for name in values}
            quantity["draws"] = int(r["draws"])
            quantity["coverage"] = {_percent(v): r[f"coverage_{_percent(v)}"] for v in LEVELS}
            quantity["coverage_without_failed"] = {
                _percent(v): number(r[f"coverage_{_percent(v)}_without_failed"]) for v in LEVELS
            }
            quantities.append(quantity)
        counts = self.fits["verdict"].value_counts()
        content: dict[str, Any] = {
            "format": FORMAT,
            **asdict(self.study),
            "verdict": self.verdict,
            "sweeps": len(self.fits),
            "fits": {name: int(counts.get(name, 0)) for name in ("pass", "review", "fail")},
            "fitted_again": int((self.fits["fits"] > 1).sum()),
            "quantities": quantities,
            "notes": list(self.notes),
        }
        if ranks:
            content["by_sweep"] = {JSON_NAME.get(n, n): _listed(self.fits[n]) for n in FIT_COLUMNS}
            content["ranks"] = {
                str(name): {column: _listed(part[column]) for column in RANK_COLUMNS[:-1]}
                | {"inside": part[[f"in_{_percent(v)}" for v in LEVELS]].to_numpy().tolist()}
                for name, part in self.ranks.groupby("name", sort=False)
            }
        return content

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write everything as JSON, whole or not at all; `read_calibration` reads it.

        Raises
        ------
        InputError
            If the place cannot be written to, or holds a file of another kind and not `overwrite`.
        """
        text = json.dumps(self.to_json(), allow_nan=False)
        return write_text(path, RESULT, text, overwrite=overwrite)

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """ECDF of a quantity's ranks less the diagonal, a line with steps (2 * replicates + 2,)."""
        place = np.sort(self.ranks.loc[self.ranks["name"] == name, "pit"].to_numpy())
        heights = np.repeat(np.arange(len(place) + 1) / len(place), 2)
        x = np.concatenate([[0.0], np.repeat(place, 2), [1.0]])
        return x, heights - x

    def failing(self) -> list[str]:
        """Names of the quantities whose ranks are not uniform, worst first."""
        bad = self.table[self.table["verdict"] != "pass"]
        return list(bad.sort_values("p_adjusted")["name"])


def summarise(
    replicates: Sequence[dict[str, Any]], described: Sequence[Quantity], study: Study
) -> Calibration:
    """Make a `Calibration` of the results of `replicate.run_replicate`.

    `described` are the quantities of every replicate, in the order in which people read them.
    """
    fits = pd.DataFrame([{name: one[name] for name in FIT_COLUMNS} for one in replicates])
    parts = []
    for quantity in described:
        of_quantity = [one["quantities"][quantity.name] for one in replicates]
        columns = [{name: one[name] for name in RANK_COLUMNS[:-1]} for one in of_quantity]
        part = pd.DataFrame(columns)
        inside = np.array([one["inside"] for one in of_quantity], bool)
        for place, level in enumerate(LEVELS):
            part[f"in_{_percent(level)}"] = inside[:, place]
        part.insert(0, "name", quantity.name)
        part.insert(1, "replicate", fits["replicate"].to_numpy())
        part["failed"] = fits["verdict"].to_numpy() == "fail"
        parts.append(part)
    ranks = pd.concat(parts, ignore_index=True)
    table = _table(ranks, described)
    notes = _notes(fits, table)
    return Calibration(table, ranks, fits, bands(len(fits), len(table)), study, notes)


def read_calibration(path: str | Path) -> Calibration:
    """Read a study that was written as JSON.

    Raises
    ------
    InputError
        If the file is missing, or was not written by `calibrate` with its ranks.
    """
    content = json_of(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT or "ranks" not in content:
        raise InputError(f"{path} was not written by `calibrate(CARD).save(FILE)`")
    return made_of(content, _calibration, path)


def _calibration(content: dict[str, Any]) -> Calibration:
    study = Study(**{name: content[name] for name in Study.__dataclass_fields__})
    described = [Quantity(q["name"], q["kind"], q["meaning"]) for q in content["quantities"]]
    columns, ranks = content["by_sweep"], content["ranks"]
    replicates = [
        {name: _number(columns[JSON_NAME.get(name, name)][i]) for name in FIT_COLUMNS}
        | {
            "quantities": {
                name: {column: by_column[column][i] for column in RANK_COLUMNS}
                for name, by_column in ranks.items()
            }
        }
        for i in range(len(columns["sweep"]))
    ]
    return summarise(replicates, described, study)


def _listed(column: pd.Series[Any]) -> list[Any]:
    """Cells for JSON."""
    return [number(v) if isinstance(v, float) else v for v in column.tolist()]


def _number(value: Any) -> Any:
    return float("nan") if value is None else value  # JSON has no NaN


def _table(ranks: pd.DataFrame, described: Sequence[Quantity]) -> pd.DataFrame:
    names = [quantity.name for quantity in described]
    pits = np.stack([ranks.loc[ranks["name"] == name, "pit"].to_numpy() for name in names])
    good = ~ranks.loc[ranks["name"] == names[0], "failed"].to_numpy()
    p_values = uniformity_p_values(pits)
    adjusted = holm(p_values)
    without = uniformity_p_values(pits[:, good]) if good.sum() > 1 else np.full(len(names), np.nan)
    by_name = ranks.groupby("name", sort=False)
    columns: dict[str, Any] = {
        "name": names,
        "kind": [quantity.kind for quantity in described],
        "meaning": [quantity.meaning for quantity in described],
        "p_value": p_values,
        "p_adjusted": adjusted,
        "verdict": [_verdict(p) for p in adjusted],
        "shift": pits.mean(axis=1) - 0.5,
        "spread": 12 * ((pits - 0.5) ** 2).mean(axis=1),
        "draws": by_name["draws"].median().to_numpy(),
        "p_without_failed": without,
    }
    passed = ranks[~ranks["failed"]].groupby("name", sort=False)
    for level in LEVELS:
        inside = f"in_{_percent(level)}"
        columns[f"coverage_{_percent(level)}"] = by_name[inside].mean().to_numpy()
        columns[f"coverage_{_percent(level)}_without_failed"] = (
            passed[inside].mean().to_numpy() if good.any() else np.full(len(names), np.nan)
        )
    return pd.DataFrame(columns)


def _verdict(adjusted: float) -> str:
    if not adjusted >= WRONG:  # NaN is no pass
        return "fail"
    return "pass" if adjusted >= SUSPECT else "review"


def _notes(fits: pd.DataFrame, table: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    failed, again = int((fits["verdict"] == "fail").sum()), int((fits["fits"] > 1).sum())
    if again:
        notes.append(f"{again} of {len(fits)} replicates were fitted again, with longer chains")
    if failed:
        notes.append(
            f"{failed} of {len(fits)} fits failed their checks all the same. They count: leaving "
            "them out would choose among truths; the results without them stand beside"
        )
    bad = table[table["verdict"] != "pass"]
    for row in bad.sort_values("p_adjusted").to_dict("records"):
        notes.append(f"{row['name']}: {_what_is_wrong(row['shift'], row['spread'])}")
    return tuple(notes)


def _what_is_wrong(shift: float, spread: float) -> str:
    """Say in which way ranks are not uniform."""
    if abs(shift) > 0.05:
        return f"the posterior lies too {'low' if shift > 0 else 'high'}"
    if abs(spread - 1) > 0.1:
        return f"the posterior is too {'narrow' if spread > 1 else 'wide'}"
    return "the ranks are not uniform, in no simple way"


def _percent(level: float) -> str:
    return f"{100 * level:g}"
