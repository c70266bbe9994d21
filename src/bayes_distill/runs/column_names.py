"""Which column means what: the names that people give to sizes, tokens and losses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bayes_distill._input.text import named
from bayes_distill.errors import Fault
from bayes_distill.runs.table import LABELS, NUMERIC, REQUIRED

FLOPS = "training_flops"
"""Stands in for tokens = FLOPs / (6 params) where a table has no tokens."""
EPOCHS = "epochs"
"""Stands in for unique tokens = tokens / epochs where a table has no unique tokens."""

ALIASES: dict[str, tuple[str, ...]] = {
    "params": (
        "N",
        "NS",
        "N_S",
        "n_params",
        "num_params",
        "parameters",
        "n_parameters",
        "num_parameters",
        "model_params",
        "model_size",
        "student_params",
        "student_n",
        "student_n_params",
        "student_num_params",
        "student_parameters",
        "student_size",
        "student_model_size",
        "non_embedding_params",
    ),
    "tokens": (
        "D",
        "DS",
        "D_S",
        "n_tokens",
        "num_tokens",
        "training_tokens",
        "train_tokens",
        "student_tokens",
        "student_d",
        "student_n_tokens",
        "student_num_tokens",
        "distillation_tokens",
    ),
    "loss": (
        "L",
        "LS",
        "L_S",
        "val_loss",
        "validation_loss",
        "eval_loss",
        "cross_entropy",
        "student_loss",
        "student_l",
        "student_val_loss",
        "student_validation_loss",
        "student_cross_entropy",
    ),
    "teacher_loss": (
        "LT",
        "L_T",
        "teacher_l",
        "teacher_val_loss",
        "teacher_validation_loss",
        "teacher_cross_entropy",
    ),
    "teacher_loss_se": ("LT_se", "teacher_loss_stderr", "teacher_loss_standard_error"),
    "teacher_params": (
        "NT",
        "N_T",
        "teacher_n",
        "teacher_n_params",
        "teacher_num_params",
        "teacher_parameters",
        "teacher_size",
        "teacher_model_size",
    ),
    "teacher_tokens": (
        "DT",
        "D_T",
        "teacher_d",
        "teacher_n_tokens",
        "teacher_num_tokens",
        "teacher_training_tokens",
    ),
    "unique_tokens": (
        "UD",
        "U_D",
        "n_unique_tokens",
        "num_unique_tokens",
        "unique_train_tokens",
        "unique_training_tokens",
        "dataset_tokens",
    ),
    "run": ("run_name", "run_id"),
    "group": ("group_name",),
    FLOPS: (
        "training_flop",
        "training_flop(s)",
        "train_flops",
        "flop",
        "flops",
        "compute",
        "training_compute",
    ),
    EPOCHS: ("n_epochs", "num_epochs"),
}
"""Accepted names by canonical name; case, spaces, dots, hyphens and underscores do not count."""

COLUMN_NAMES = (*NUMERIC, FLOPS, EPOCHS, *LABELS)
"""Every canonical name, in the order in which messages list them."""


@dataclass(frozen=True, slots=True)
class ResolvedColumns:
    """What the columns of a table mean.

    Parameters
    ----------
    position
        Place of a column in the table, by canonical name (or `FLOPS`, `EPOCHS`).
    unused
        Names of the columns that mean nothing here.
    faults
        Columns that are missing, or there twice.
    """

    position: dict[str, int]
    unused: tuple[str, ...]
    faults: tuple[Fault, ...]


def canonical_name(header: str) -> str | None:
    """Canonical name of a column, or ``None`` if `header` is no known name."""
    return _CANONICAL.get(plain_name(header))


def resolve_columns(header: Sequence[str], required: Sequence[str] = REQUIRED) -> ResolvedColumns:
    """Find the canonical columns in the header of a table.

    Where two columns mean the same the first is taken, so that its cells can be checked too,
    and a fault names both.
    """
    places: dict[str, list[int]] = {}
    known = frozenset(header)
    unused: list[str] = []
    for place, name in enumerate(header):
        canonical = canonical_name(_without_repeat_number(name, known))
        if canonical is None:
            unused.append(name)
        else:
            places.setdefault(canonical, []).append(place)
    for name, instead in (("tokens", FLOPS), ("unique_tokens", EPOCHS)):
        if name in places:
            unused += [header[place] for place in places.pop(instead, [])]
    repeated = {name: at for name, at in places.items() if len(at) > 1}
    faults = [_repeated_fault(name, [header[p] for p in at]) for name, at in repeated.items()]
    for name in required:
        if name not in places and not (name == "tokens" and FLOPS in places):
            faults.append(_missing_fault(name, header))
    for one, other in (("teacher_params", "teacher_tokens"), ("teacher_tokens", "teacher_params")):
        if one in places and other not in places:
            label = header[places[one][0]]
            problem = f"is missing, but there is {label}: give both or neither"
            faults.append(Fault(problem, column=other))
    position = {name: at[0] for name, at in places.items()}
    return ResolvedColumns(position, tuple(unused), tuple(faults))


def plain_name(header: str) -> str:
    """A name without what does not count: case, spaces, dots, hyphens and underscores."""
    return re.sub(r"[\s_.\-()]+", "", header).casefold()


def _without_repeat_number(name: str, header: frozenset[str]) -> str:
    # pandas turns a second "loss" into "loss.1" when it reads a file
    match = re.fullmatch(r"(.+)\.\d+", name)
    return match[1] if match and match[1] in header else name


def _repeated_fault(canonical: str, names: Sequence[str]) -> Fault:
    listed = " and ".join(repr(name) for name in names)
    if canonical == FLOPS:
        return Fault(f"the columns {listed} all give training FLOPs: keep one", column=FLOPS)
    if canonical == EPOCHS:
        return Fault(f"the columns {listed} all give epochs: keep one", column=EPOCHS)
    return Fault(f"the columns {listed} all mean {canonical}: keep one", column=canonical)


def _missing_fault(name: str, header: Sequence[str]) -> Fault:
    names = ", ".join((name, *ALIASES[name]))
    instead = "; or give training_flops, for tokens = FLOPs / (6 params)"
    several = [each for each in header if each.casefold().startswith("loss_")]
    if name == "loss" and several:
        instead = f'; or fit {named(several)} one by one (`losses="all"`)'
        return Fault(f"the column is missing: name it one of {names}{instead}", column=name)
    present = named([h or "(no name)" for h in header]) or "none"
    return Fault(
        f"the column is missing: name it one of {names}{instead if name == 'tokens' else ''}"
        f" (columns found: {present})",
        column=name,
    )


_CANONICAL = {
    plain_name(alias): canonical
    for canonical, aliases in ALIASES.items()
    for alias in (canonical, *aliases)
}
