"""Validations that were written as JSON, read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.files import json_of, made_of
from bayes_distill.cards.registry import model_names, models_folder
from bayes_distill.errors import InputError
from bayes_distill.validation.gap_pairs import BANDS
from bayes_distill.validation.result import Validation, row_column

SHIPPED = "validation-params.json"
NEEDED = ("leave_out", "model", "settings", "levels", "interval", "groups", "overall", "gap_risk")


def read_validation(path: str | Path) -> Validation:
    """Read a validation from the file that `Validation.save` wrote, or from a card that ships one.

    Single pairs of teachers are not written, so `pairs` of what comes back is empty.

    Raises
    ------
    InputError
        If there is no such file, no such card with one, or it holds something else.
    """
    place, said = Path(path), str(path)
    if said in model_names():
        place = models_folder() / said / SHIPPED
        if not place.is_file():
            raise InputError(
                f"{said} ships without a validation: run "
                f'`validate(RUNS, model="{said}").save("validation.json")` and use that file'
            )
    content = json_of(place, name=said, missing="does not exist, and is no card's name")
    if not isinstance(content, dict) or any(name not in content for name in NEEDED):
        raise InputError(f"{said} was not written by `validate(RUNS).save(FILE)`")
    return made_of(content, _validation, said)


def _validation(content: dict[str, Any]) -> Validation:
    levels = tuple(float(level) for level in content["levels"])
    return Validation(
        pd.DataFrame([_group(r) for r in [*content["groups"], content["overall"]]]),
        pd.DataFrame([_row(r) for r in content.get("runs") or content.get("rows", [])]),
        pd.DataFrame(),
        _reliability(content["gap_risk"]),
        content["leave_out"],
        content["model"],
        levels,
        float(content["interval"]),
        content["settings"],
        tuple(content.get("notes", ())),
        tuple(float(factor) for factor in content.get("factors", ())),
    )


def _group(record: dict[str, Any]) -> dict[str, Any]:
    apart = ("coverage", "held")
    plain = {name: _number(value) for name, value in record.items() if name not in apart}
    return plain | {f"coverage_{level}": share for level, share in record["coverage"].items()}


def _row(record: dict[str, Any]) -> dict[str, Any]:
    plain = {name: _number(value) for name, value in record.items() if name != "predictive"}
    intervals = record["predictive"].items()
    plain |= {f"{end}_{level}": v for level, ends in intervals for end, v in ends.items()}
    return {row_column(name): value for name, value in plain.items()}


def _reliability(gap_risk: dict[str, Any] | None) -> pd.DataFrame:
    columns = ["band", "lower", "upper", "pairs", "forecast", "observed"]
    rows = [
        {"band": band, **{name: _number(value) for name, value in row.items()}}
        for band in (BANDS if gap_risk else ())
        for row in (gap_risk or {})[band]["reliability"]
    ]
    return pd.DataFrame(rows, columns=columns)


def _number(value: Any) -> Any:
    return np.nan if value is None else value  # JSON has no NaN
