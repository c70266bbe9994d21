"""Fits ranked by how well they predict runs that they have not seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.files import text_of
from bayes_distill.comparison.weights import stacking_weights
from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior
from bayes_distill.validation.result import Validation
from bayes_distill.validation.summaries import FEW_DRAWS

Content = Mapping[str, Any]
"""A validation as plain data: what `Validation.to_json` gives and `Validation.save` writes."""
SCORES = ("coverage_90", "width", "crps", "bias", "mae", "max_relative_error")
NEEDED = {"leave_out", "model", "groups", "overall", "rows"}


def read_validations(
    sources: Sequence[Validation | Content | str | Path], fits: Mapping[str, Posterior]
) -> dict[str, dict[str, Content]]:
    """Put validations to the fits that they are of: what was left out -> label -> validation.

    A validation is of the fit with its card, of the same runs.

    Raises
    ------
    InputError
        Naming every file that is no validation, is of none of the fits or of other runs, and every
        fit that lacks one.
    """
    faults: list[Fault] = []
    found: dict[str, dict[str, Content]] = {}
    for source in sources:
        try:
            content = _content(source)
            label = _owner(content, fits)
            _check_runs(content, label, fits[label])
        except InputError as error:
            name = source if isinstance(source, (str, Path)) else "a validation"
            faults += [Fault(f"{name} {f.problem}", column="validation") for f in error.faults]
            continue
        kind = found.setdefault(str(content["leave_out"]), {})
        if label in kind:
            faults.append(
                Fault(
                    f"two validations of {label} leave out {content['leave_out']}",
                    column="validation",
                )
            )
        kind[label] = content
    for kind_name, by_label in found.items():
        lacking = [label for label in fits if label not in by_label]
        if lacking and not faults:
            faults.append(
                Fault(
                    f'there is none of {", ".join(lacking)} with `leave_out="{kind_name}"`',
                    column="validation",
                )
            )
        faults += _differences(kind_name, by_label)
    if faults:
        raise InputError(faults)
    return found


def left_out_table(found: Mapping[str, Content]) -> pd.DataFrame:
    """Rank fits by the density that their refits gave to what was left out, best first.

    Parameters
    ----------
    found
        Label -> validation, all with the same groups.

    Returns
    -------
    pd.DataFrame
        One row a fit: ``fit``, ``rank`` (from 1, by ``joint_lpd``), ``groups``, ``runs``;
        ``joint_lpd``, the log density of each group as a whole, summed over groups, its difference
        to the best ``joint_lpd_diff`` and the standard error ``joint_lpd_se_diff`` (over groups;
        NaN for one), ``joint_draws`` (fewest behind a group); ``lpd``, ``lpd_diff`` and
        ``lpd_se_diff`` of single runs (over runs, as if those of a group were not alike);
        ``weight`` (stacking of the joint densities); scores of `Validation.table`; and the worst
        ``verdict`` of the refits.
    """
    names = list(found)
    joint = np.array([[g["joint_lpd"] for g in found[n]["groups"]] for n in names], float).T
    single = np.array([[r["lpd"] for r in _sorted_rows(found[n])] for n in names], float).T
    best = int(joint.sum(axis=0).argmax())
    weights = stacking_weights(joint)
    records = []
    for i, name in enumerate(names):
        content = found[name]
        overall = {**content["overall"], "coverage_90": content["overall"]["coverage"].get("90")}
        gap, each = joint[:, i] - joint[:, best], single[:, i] - single[:, best]
        records.append(
            {
                "fit": name,
                "groups": len(joint),
                "runs": len(single),
                "joint_lpd": joint[:, i].sum(),
                "joint_lpd_diff": gap.sum(),
                "joint_lpd_se_diff": _se_of_sum(gap),
                "joint_draws": min(g["joint_draws"] for g in content["groups"]),
                "lpd": single[:, i].sum(),
                "lpd_diff": each.sum(),
                "lpd_se_diff": _se_of_sum(each),
                "weight": weights[i],
                **{score: _number(overall.get(score)) for score in SCORES},
                "verdict": content["overall"]["verdict"],
            }
        )
    table = pd.DataFrame(records).sort_values("joint_lpd", ascending=False, kind="stable")
    table.insert(1, "rank", np.arange(1, len(table) + 1))
    return table.reset_index(drop=True)


def left_out_notes(kind: str, table: pd.DataFrame) -> list[str]:
    """What limits a ranking, one sentence each."""
    notes = []
    few = table.loc[table["joint_draws"] < FEW_DRAWS, "fit"].tolist()
    if few:
        notes.append(
            f"leave-out {kind}: the joint densities of {', '.join(few)} rest on fewer than "
            f"{FEW_DRAWS} draws somewhere: they are lower bounds, and so may be the ranking"
        )
    bad = table.loc[table["verdict"] != "pass", "fit"].tolist()
    if bad:
        notes.append(f"leave-out {kind}: refits of {', '.join(bad)} did not pass their checks")
    return notes


def _content(source: Validation | Content | str | Path) -> Content:
    if isinstance(source, Validation):
        return source.to_json()
    if isinstance(source, Mapping):
        return source
    try:
        text = text_of(source)
    except FileNotFoundError:
        raise InputError("does not exist") from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        content = json.loads(text)
        complete = set(content) >= NEEDED and all(
            {"row", "loss", "lpd", "group"} <= set(row) for row in content["rows"]
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        complete = False
    if not complete:
        raise InputError("was not written by `validate(RUNS).save(FILE)`")
    return dict(content)


def _owner(content: Content, fits: Mapping[str, Posterior]) -> str:
    """Label of the fit that a validation is of."""
    mine = [label for label, fit in fits.items() if fit.card.name == content["model"]]
    if not mine:
        raise InputError(f"is of the card {content['model']}, and no fit here is of that card")
    if len(mine) > 1:
        raise InputError(
            f"could be of {' or '.join(mine)}: both are of the card {content['model']}; name "
            "`leave_out` instead, or give the cards names of their own"
        )
    return mine[0]


def _check_runs(content: Content, label: str, fit: Posterior) -> None:
    """Refuse a validation of other runs than the fit's."""
    if "runs" not in fit.tree.children:
        return
    stored = fit.tree["runs"].dataset
    loss = dict(zip(stored["run"].to_numpy().tolist(), stored["loss"].to_numpy(), strict=True))
    rows = content["rows"]
    if any(r["row"] not in loss or not np.isclose(r["loss"], loss[r["row"]]) for r in rows):
        raise InputError(f"is of other runs than the fit {label}")


def _differences(kind: str, by_label: Mapping[str, Content]) -> list[Fault]:
    """Fits whose validations left out other runs than the first one's."""

    def left(content: Content) -> list[tuple[str, int]]:
        return [(r["group"], r["row"]) for r in _sorted_rows(content)]

    names = list(by_label)
    others = [n for n in names[1:] if left(by_label[n]) != left(by_label[names[0]])]
    return [
        Fault(
            f'with `leave_out="{kind}"`, {n} has other groups than {names[0]}: validate both alike',
            column="validation",
        )
        for n in others
    ]


def _sorted_rows(content: Content) -> list[Any]:
    return sorted(content["rows"], key=lambda r: (str(r["group"]), r["row"]))


def _se_of_sum(values: np.ndarray) -> float:
    """Standard error of a sum; NaN where there is only one term."""
    if len(values) < 2:
        return float("nan")
    return float(np.sqrt(len(values)) * values.std(ddof=1))


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
