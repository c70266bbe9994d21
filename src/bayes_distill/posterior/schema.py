"""What a posterior's file must hold: it is checked as it is opened, before anything is computed.

`Attributes` and `Info` say which types and ranges its attributes have, `problem_of` what its groups
must hold and how the parts go together. A file that fails is refused with one line that names the
part.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    ValidationError,
    model_validator,
)

from bayes_distill.cards import Card
from bayes_distill.laws import LAWS, STACKED
from bayes_distill.laws.discrepancy import NAMES
from bayes_distill.laws.smooth_discrepancy import SMOOTH, STUDENT_SMOOTH
from bayes_distill.posterior.effects import OF_TAUGHT
from bayes_distill.posterior.schema_beside import beside_problem, support_problem
from bayes_distill.posterior.size_offsets import OFFSET, OFFSET_SIZE

Verdict = Literal["pass", "review", "fail"]
OfLaw = Literal["pass", "review", "fail", "not checked"]
Positive = Annotated[PositiveFloat, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
OF_SIZES = ("shift", "tilt")
OF_CONDITIONS = ("condition_stretch", "condition_place")
NEVER_NULL = ("verdict", "diagnostics", "interval", "kind", "n_runs", "versions")
"""Parts of the plain data that are there in full or not at all."""
FARTHEST_DRAW, FARTHEST_MEDIAN = 1e15, 1e4
"""Of draws of the laws of the package: single ones may be far out where a prior is wide."""
FARTHEST_OWN = 1e30
"""Of draws of other laws, whose coordinates have units of their own; as priors in cards."""
SCALES = {"scale", "supervised_scale"}
"""Scales of the noise: positive, but for published coefficients, which may come without."""
POINTS = {"size", "condition_params", "condition_tokens", OFFSET_SIZE}
"""Coordinates that are sizes or tokens, positive numbers."""


class _Part(BaseModel):
    """Some keys are held against their types, others are let through."""

    model_config = ConfigDict(extra="allow", strict=True)


def _refuse_nulls(part: object, names: tuple[str, ...]) -> object:
    """Raise if one of the names is there and null; missing it may be."""
    for name in names:
        if isinstance(part, dict) and part.get(name, part) is None:
            raise ValueError(f"its {name} is null")
    return part


class Check(_Part):
    """One check of a fit."""

    name: str
    verdict: OfLaw
    value: float | None = None
    threshold: float | None = None
    advice: str | None = ""


class SamplingCheck(Check):
    """One check of the sampling, and what it is of."""

    scope: str


class LawChecks(_Part):
    """Checks of the law."""

    verdict: OfLaw
    checks: list[Check] = []


class Diagnostics(_Part):
    """Checks of the sampling, and those of the law beside them."""

    verdict: Verdict
    checks: list[SamplingCheck] = []
    law: LawChecks | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, part: object) -> object:
        return _refuse_nulls(part, ("law",))


class Coefficient(_Part):
    """Summary of one coefficient."""

    name: str
    mean: float
    sd: float
    lower: float
    upper: float
    identified: bool


class StoredHull(_Part):
    """Corners of the runs in (log params, log tokens), and the range of teacher losses."""

    points: Annotated[
        list[Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]], Field(min_length=1)
    ]
    teacher_loss: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None
    runs: Count | None = None

    @model_validator(mode="after")
    def _in_order(self) -> StoredHull:
        if any(abs(number) > 700 for point in self.points for number in point):
            raise ValueError("its corners are no logarithms of sizes")
        if self.teacher_loss is not None and self.teacher_loss[0] > self.teacher_loss[1]:
            raise ValueError("its lowest teacher loss is above the highest")
        return self


class StoredHulls(_Part):
    """Hulls by kind of run; ``None`` where there was no run of the kind."""

    supervised: StoredHull | None
    distilled: StoredHull | None


class FlaggedRun(_Part):
    """A run worth a second look."""

    row: Count


class Info(_Part):
    """Plain data about a posterior; a part that is missing was not computed."""

    verdict: Literal["pass", "review", "fail", "none"] | None = None
    diagnostics: Diagnostics | None = None
    coefficients: list[Coefficient] = []
    flagged_runs: list[FlaggedRun] = []
    hull: StoredHull | None = None
    hulls: StoredHulls | None = None
    epochs: Positive | None = None
    input_ranges: dict[str, Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]] = {}
    interval: Share | None = None
    kind: Literal["supervised", "distillation", "mixed"] | None = None
    n_runs: Annotated[int, Field(ge=1)] | None = None
    notes: list[str] = []
    fingerprint: str | None = None
    source: str | None = None
    where: str | None = None
    seconds: dict[str, Any] | None = None
    versions: dict[str, str] | None = None
    settings: dict[str, Any] | None = None
    shipped: bool = False
    thinned_by: Annotated[int, Field(ge=1)] = 1
    stages: dict[str, Any] | None = None
    stack: list[dict[str, Any]] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, part: object) -> object:
        return _refuse_nulls(part, NEVER_NULL)

    @model_validator(mode="after")
    def _one_verdict(self) -> Info:
        of_checks = self.diagnostics and self.diagnostics.verdict
        if self.diagnostics is not None and of_checks != self.verdict:
            raise ValueError(
                f"its verdict is {self.verdict or 'missing'}, and its diagnostics say {of_checks}"
            )
        return self


def info_problem(info: object) -> str | None:
    """What is wrong with the plain data of a posterior, or ``None``."""
    try:
        Info.model_validate(info)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in ("info", *first["loc"]))
        return f"{where}: {first['msg'].removeprefix('Value error, ')}"
    return None


def problem_of(tree: xr.DataTree, card: Card, info: dict[str, Any]) -> str | None:
    """What is wrong with the groups of a posterior, by themselves and against its card."""
    if "posterior" not in tree.children:
        return "it lacks the group posterior"
    group = tree.children["posterior"].to_dataset(inherit=False)
    return (
        _draws_problem(group)
        or _missing_problem(group, card)
        or _range_problem(group, card)
        or _level_problem(group)
        or _member_problem(group, card)
        or _size_problem(group, card)
        or beside_problem(tree, group, card, info)
        or _sampled_problem(tree, info)
    )


def _draws_problem(group: xr.Dataset) -> str | None:
    """Draws are finite numbers by chain and draw."""
    sizes = dict(group.sizes)
    if not sizes.get("chain") or not sizes.get("draw"):
        return "posterior: it holds no draws"
    for name, variable in group.data_vars.items():
        if variable.dims[:2] != ("chain", "draw"):
            return f"posterior.{name}: its draws are not by chain and draw"
        if variable.dtype.kind not in "fiu":
            return f"posterior.{name}: its draws are no numbers"
        if not np.isfinite(variable.to_numpy()).all():
            return f"posterior.{name}: some draws are not finite"
    for name in POINTS & set(group.coords):
        values = group[name].to_numpy()
        if values.dtype.kind not in "fiu" or not (np.isfinite(values) & (values > 0)).all():
            return f"posterior.{name}: some are not positive numbers"
    return None


def _missing_problem(group: xr.Dataset, card: Card) -> str | None:
    """Everything is there that the card's model samples."""
    needed = set(card.scaling_law.coordinate_names)
    for part in card.members or (card,):
        needed |= set(part.likelihood.priors)
    if not card.members and card.coefficients is None and card.scaling_law.has_teacher:
        needed |= {n for n in (*OF_SIZES, *OF_CONDITIONS) if getattr(card.discrepancy, n, None)}
        needed |= {f"{n}_sd" for n in OF_TAUGHT if getattr(card.likelihood, f"{n}_effect")}
    missing = needed - set(group.data_vars)
    if missing:
        return f"it lacks draws of {', '.join(sorted(missing))}"
    if not SCALES & set(group.data_vars):
        return "it lacks draws of scale"
    wide = [n for n in card.scaling_law.coordinate_names if group[n].ndim != 2]
    return f"posterior.{wide[0]}: it is not one number a draw" if wide else None


def _range_problem(group: xr.Dataset, card: Card) -> str | None:
    """Coordinates are inside their supports, scales are not negative, and noise is there."""
    noiseless = any(part.coefficients is not None for part in (card, *(card.members or ())))
    return support_problem(group, card, "posterior", set() if noiseless else SCALES)


def _size_problem(group: xr.Dataset, card: Card) -> str | None:
    """Draws are of a size that can be computed with, and in the middle of one that can be.

    Coordinates of the laws of the package are ratios to the reference, exponents and shares.
    """
    built_in = card.scaling_law.name in {*LAWS, STACKED}
    for name, variable in group.data_vars.items():
        size = np.abs(variable.to_numpy().astype(float))
        if size.max(initial=0.0) > (FARTHEST_DRAW if built_in else FARTHEST_OWN):
            return f"posterior.{name}: some draws are too large to compute with"
        if built_in and size.ndim == 2 and np.median(size) > FARTHEST_MEDIAN:
            return f"posterior.{name}: its draws are too large to be believed"
    return None


def _level_problem(group: xr.Dataset) -> str | None:
    """Discrepancies have the sizes or conditions that they are of, scales and keys."""
    for name in NAMES:
        for stored, coords in (
            (name, ("size",)),
            (f"condition_{name}", ("size", "condition_params", "condition_tokens")),
        ):
            if stored not in group:
                continue
            lacking = [c for c in coords if c not in group.coords]
            lacking += [f"{stored}_{k}" for k in ("sd", "new") if f"{stored}_{k}" not in group]
            if lacking:
                return f"posterior.{stored}: it lacks {', '.join(lacking)}"
            own = group[coords[-1]]
            if group[stored].ndim != 3 or own.dims != group[stored].dims[2:]:
                return f"posterior.{stored}: it does not go with {coords[-1]}"
    if OFFSET in group:
        lacking = [n for n in (OFFSET_SIZE, f"{OFFSET}_sd", f"{OFFSET}_key") if n not in group]
        if lacking:
            return f"posterior.{OFFSET}: it lacks {', '.join(lacking)}"
    wide = [n for n in (SMOOTH, STUDENT_SMOOTH) if n in group and group[n].ndim != 3]
    return f"posterior.{wide[0]}: it is not some numbers a draw" if wide else None


def _member_problem(group: xr.Dataset, card: Card) -> str | None:
    """Draws of a stack are in the order of its members."""
    if not card.members:
        return None
    if "member" not in group:
        return "it lacks draws of member"
    member = group["member"].to_numpy().reshape(-1)
    if (np.diff(member) < 0).any() or not 0 <= member.min() <= member.max() < len(card.members):
        return "posterior.member: its draws are not in the order of the card's members"
    return None


def _sampled_problem(tree: xr.DataTree, info: dict[str, Any]) -> str | None:
    """What was sampled says how that went: no verdict is not a good one."""
    sampled = "sample_stats" in tree.children or info.get("settings") is not None
    if sampled and info.get("verdict") not in ("pass", "review", "fail"):
        return "info.verdict: it was sampled, and has no verdict"
    return None
