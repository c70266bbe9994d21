"""The inputs of the model, made from a card and a table: static part, data, hyperparameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill.cards import Card
from bayes_distill.cards.joint_prior import SUPERVISED
from bayes_distill.inference import padding
from bayes_distill.inference.joint_prior import JointPrior, joint_prior, loss_unit_ratio
from bayes_distill.inference.model import (
    RUN,
    SMOOTH_SITES,
    Data,
    ModelSpec,
    hyperparameters,
    model_spec,
)
from bayes_distill.inference.padding import padded
from bayes_distill.inference.smooth_rows import smooth_rows
from bayes_distill.inference.whitening import before_a_mode, with_equations
from bayes_distill.laws import Reference
from bayes_distill.posterior.discrepancy import factor
from bayes_distill.runs.checkpoints import NO_RUN, run_groups, run_labels
from bayes_distill.runs.grouping import condition_groups, size_groups, teacher_groups
from bayes_distill.runs.unique_tokens import has_repeats, unique_tokens

if TYPE_CHECKING:
    from bayes_distill.runs import Runs
    from bayes_distill.runs.table import Kind

FEW = 8  # runs, about as many as a law has coefficients
MOST_OFFSETS = 128  # sizes; where more recur, what their runs share counts as noise


def reference_point(card: Card, frame: pd.DataFrame) -> Reference:
    """Reference point of the law: as the card states it, else the median of the runs."""
    chosen = card.reference
    return Reference(
        chosen.params or float(frame["params"].median()),
        chosen.tokens or float(frame["tokens"].median()),
        chosen.loss or float(frame["loss"].median()),
    )


def model_inputs(
    card: Card, table: Runs, reference: Reference, teachers: pd.DataFrame | None = None
) -> tuple[ModelSpec, Data, dict[str, Any], list[str]]:
    """Static model, padded data and hyperparameters, and notes on what was decided for them.

    `teachers` are further supervised runs, see `runs.teachers_as_runs`. Notes are sentences for
    people: of repeated tokens that the law ignores, of losses in another unit than the prior's.
    """
    frame, notes = table.frame, []
    data, directions = padded_data(card, frame, reference, teachers)
    predicts = bool(
        (np.isnan(data.teacher_loss) & ~np.isnan(data.teacher_params) & data.mask).any()
    )
    if has_repeats(frame).any() and not card.scaling_law.knows_repeats:
        notes.append(
            f"{int(has_repeats(frame).sum())} of {len(frame)} runs repeat their tokens, and the "
            f"{card.law} law takes repeated tokens for new ones: the card data-limited does not"
        )
    noisy = bool(((data.teacher_loss_se > 0) & ~np.isnan(data.teacher_loss) & data.mask).any())
    kind: Kind = table.kind
    if teachers is not None and len(teachers):
        kind = "mixed"
        notes.append(
            f"{len(teachers)} teachers of known size, tokens and loss are supervised runs too: "
            "they say what supervised training reaches"
        )
    checkpoints = bool((run_groups(frame) != NO_RUN).any())
    spec = model_spec(card, kind, predicts, noisy, bool(data.has_offset.any()), checkpoints)
    joint = None
    if card.supervised is not None and card.supervised.fitted is not None:
        joint = joint_prior(card.supervised, reference, 1.0)
        if len(frame) < FEW:
            notes.append(
                f"{len(frame)} runs are few: answers rest as much on the prior of the card, of "
                f"{card.supervised.fitted.source}, as on them"
            )
    elif card.supervised is not None:
        ratio = loss_unit_ratio(
            card.supervised, *(frame[c].to_numpy(float) for c in ("params", "tokens", "loss"))
        )
        joint = joint_prior(card.supervised, reference, ratio)
        if joint.unit_ratio != 1 and abs(ratio - 1) > 0.15:
            notes.append(
                f"losses are {ratio:.3g} times those of the supervised prior's centre, as in "
                "another unit or tokenizer: the centre was multiplied by that"
            )
    return spec, data, numbers_of(card, spec, frame, data, directions, joint), notes


def numbers_of(
    card: Card,
    spec: ModelSpec,
    frame: pd.DataFrame,
    data: Data,
    directions: dict[str, np.ndarray],
    joint: JointPrior | None,
) -> dict[str, Any]:
    """All hyperparameters: numbers of priors, groups of runs, and a linear law."""
    medians = {name: prior.middle for name, prior in card.likelihood.priors.items()}
    information = card.likelihood.at(medians).fisher_information().location
    hyper = hyperparameters(card, joint)
    hyper["groups"] = groups_of(card, frame, data) | directions
    hyper["linear"] = before_a_mode(spec, data, float(information), len(SUPERVISED))
    return with_equations(spec, data, hyper)


def groups_of(card: Card, frame: pd.DataFrame, data: Data) -> dict[str, np.ndarray]:
    """The groups of runs (students of one size, of one teacher, of one condition), as arrays.

    ``size``, ``teacher``, ``condition`` and ``run`` are 1 where there is a group and 0 where it is
    padding, for numbers of groups are padded as rows are. Under the name of a discrepancy of sizes
    is the Cholesky factor of its correlation, under ``condition_params`` and ``condition_tokens``
    the student of every condition.
    """
    arrays: dict[str, np.ndarray] = {}
    params, tokens = (frame[name].to_numpy(float) for name in ("params", "tokens"))
    if card.discrepancy is not None:
        log_sizes = size_groups(params)[1]
        count = padded(len(log_sizes), padding.SIZES)
        arrays["size"] = (np.arange(count) < len(log_sizes)).astype(float)
        for name, length in card.discrepancy.lengths.items():
            lower = np.eye(count)
            lower[: len(log_sizes), : len(log_sizes)] = factor(log_sizes, length)
            arrays[name] = lower
    for name, group, pad in (
        ("teacher", teacher_groups(frame), padding.TEACHERS),
        ("condition", condition_groups(params, tokens), padding.CONDITIONS),
    ):
        members = np.bincount(group)
        # of a run that shares its group with none, an effect is part of the noise
        least = 2 if card.discrepancy is not None and card.discrepancy.smooth_up else 1
        arrays[name] = np.zeros(padded(len(members), pad))
        arrays[name][: len(members)] = members >= least
    runs = run_groups(frame)
    of_checkpoints = np.unique(runs[runs != NO_RUN]).size
    # one more, for rows that are a run each: their luck is part of the noise
    arrays[RUN] = np.zeros(padded(of_checkpoints + 1, padding.RUNS))
    arrays[RUN][:of_checkpoints] = 1.0
    for name in ("params", "tokens"):
        middle = np.ones(len(arrays["condition"]))
        of_runs = slice(len(frame))  # without padding, and without teachers
        middle[np.asarray(data.condition)[of_runs]] = np.asarray(getattr(data, name))[of_runs]
        arrays[f"condition_{name}"] = middle
    offsets = np.unique(data.offset_size[data.has_offset > 0]).size
    arrays["size_offset"] = (np.arange(padded(offsets, padding.SIZES)) < offsets).astype(float)
    return arrays


def padded_data(
    card: Card, frame: pd.DataFrame, reference: Reference, teachers: pd.DataFrame | None = None
) -> tuple[Data, dict[str, np.ndarray]]:
    """Runs relative to the reference, padded with copies of the first run and masked.

    With the directions that combinations of the weights of smooth discrepancies have. `teachers`
    are supervised runs that follow those of the table; they are in no group, and share nothing.
    """
    groups = {
        "size": size_groups(frame["params"].to_numpy(float))[0],
        "teacher": teacher_groups(frame),
        "condition": condition_groups(*(frame[c].to_numpy(float) for c in ("params", "tokens"))),
    }
    runs = run_groups(frame)
    alone = runs.max(initial=NO_RUN) + 1
    groups[RUN] = np.where(runs == NO_RUN, alone, runs)
    if teachers is not None and len(teachers):
        none = dict.fromkeys(groups, 0) | {RUN: alone}
        groups = {n: np.r_[g, np.full(len(teachers), none[n])] for n, g in groups.items()}
        frame = pd.concat([frame, teachers], ignore_index=True)
    n = len(frame)
    size = padded(n, padding.ROWS)
    rows = np.r_[np.arange(n), np.zeros(size - n, int)]

    params, tokens = (frame[name].to_numpy(float) for name in ("params", "tokens"))

    def column(name: str, unit: float) -> np.ndarray:
        if name not in frame:
            return np.full(size, np.nan)
        return np.asarray(frame[name].to_numpy(float)[rows] / unit)

    stated = card.discrepancy
    x, y = np.log(params / reference.params), np.log(tokens / reference.tokens)
    stated_names = () if stated is None else (n for n in SMOOTH_SITES if getattr(stated, n))
    of_teachers = (
        np.log(column("teacher_params", reference.params)[:n]),
        np.log(column("teacher_tokens", reference.tokens)[:n]),
    )
    log_teacher = np.log(column("teacher_loss", reference.loss)[:n])
    smooth = {}
    if names := tuple(stated_names):
        found = smooth_rows((x, y), of_teachers, log_teacher)
        smooth = {name: found[name] for name in names}
    offset_size, has_offset = np.zeros(n, int), np.zeros(n)
    if stated is not None and stated.size_offset is not None:
        offset_size, has_offset = recurring_sizes(frame)
    columns: dict[str, Any] = dict(
        params=column("params", reference.params),
        tokens=column("tokens", reference.tokens),
        loss=column("loss", reference.loss),
        teacher_loss=column("teacher_loss", reference.loss),
        teacher_params=column("teacher_params", reference.params),
        teacher_tokens=column("teacher_tokens", reference.tokens),
        teacher_loss_se=np.nan_to_num(column("teacher_loss_se", reference.loss)),
        **{name: group[rows] for name, group in groups.items()},
        mask=np.arange(size) < n,
        unique_tokens=unique_tokens(frame)[rows] / reference.tokens,
        smooth={name: each.student[rows] for name, each in smooth.items()},
        teacher_smooth={name: each.teacher[rows] for name, each in smooth.items()},
        offset_size=offset_size[rows],
        has_offset=has_offset[rows],
        inputs={
            each.name: frame[each.name].to_numpy(float)[rows]
            for each in card.scaling_law.extra_inputs
        },
    )
    return Data(**columns), {f"{name}_directions": each.directions for name, each in smooth.items()}


def recurring_sizes(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Place of the offset of every supervised run (n,), and 1 where another run shares it.

    Without a second run an offset is part of the run's noise, or of its luck.
    """
    supervised = np.ones(len(frame), bool)
    for name in ("teacher_loss", "teacher_params"):
        if name in frame:
            supervised &= np.isnan(frame[name].to_numpy(float))
    size = size_groups(frame["params"].to_numpy(float))[0]
    # rows of one run are one: what is its size's and what its luck cannot be told apart
    pairs = np.unique(np.column_stack([size, run_labels(frame)])[supervised], axis=0)
    count = np.bincount(pairs[:, 0], minlength=size.max() + 1)
    several = np.flatnonzero(count > 1)
    if several.size > MOST_OFFSETS:
        several = several[:0]
    place = np.zeros(len(count), int)
    place[several] = np.arange(several.size)
    return place[size], (supervised & np.isin(size, several)).astype(float)
