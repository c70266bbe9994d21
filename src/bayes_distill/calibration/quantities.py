"""The quantities that are ranked: every sampled number, and five forecasts for decisions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from bayes_distill._input.numbers import format_quantity
from bayes_distill.calibration.setting import Model, Setting
from bayes_distill.inference.identification import meaning_of_scale
from bayes_distill.inference.model import Data
from bayes_distill.laws.discrepancy import OF_SIZES
from bayes_distill.posterior import Posterior
from bayes_distill.predict.optimal_teacher import loss_slope, optimal_teacher
from bayes_distill.runs.grouping import condition_groups, size_groups

MOST_GROUPS = 12
BEYOND = 10.0  # times the largest student and the most tokens of the design
# teachers of a design that names none by their loss, in reference losses: usual and strong
TEACHERS = (0.9, 0.8)

Values = dict[str, np.ndarray]
Kind = Literal["coordinate", "noise", "level", "forecast"]


@dataclass(frozen=True)
class Quantity:
    """One number that is ranked, and its meaning in words."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Points:
    """Students and teachers of the forecasts; losses in the unit of the runs."""

    middle: tuple[float, float]
    beyond: tuple[float, float]
    small: tuple[float, float]
    corners: tuple[tuple[float, float], tuple[float, float]]
    teacher: float
    strong: float


def points_of(setting: Setting) -> Points:
    """Points inside and beyond a design."""
    design, reference = setting.design, setting.reference
    params, tokens = (design[name].to_numpy(float) for name in ("params", "tokens"))
    measured = design["teacher_loss"].dropna() if "teacher_loss" in design else design["params"][:0]
    usual, strong = (
        (float(measured.median()), float(measured.min()))
        if len(measured)
        else tuple(share * reference.loss for share in TEACHERS)
    )
    smallest = float(params.min())
    return Points(
        middle=(float(np.median(params)), float(np.median(tokens))),
        beyond=(BEYOND * float(params.max()), BEYOND * float(tokens.max())),
        small=(smallest, float(np.median(tokens[params == smallest]))),
        corners=((smallest, float(tokens.max())), (float(params.max()), float(tokens.min()))),
        teacher=usual,
        strong=strong,
    )


def forecast_quantities(setting: Setting) -> list[Quantity]:
    """Describe the five forecasts of a study."""
    points = points_of(setting)
    if setting.fitted.spec.kind == "supervised":
        small, large = (_student(corner) for corner in points.corners)
        meanings = {
            "loss_middle": f"loss of {_student(points.middle)}",
            "loss_beyond": f"loss of {_student(points.beyond)}",
            "loss_most_tokens": f"loss of {small}",
            "loss_fewest_tokens": f"loss of {large}",
            "gain_from_tokens": f"loss saved by twice the tokens for {_student(points.middle)}",
        }
    else:
        middle, strong = _student(points.middle), f"a teacher at {points.strong:.3g}"
        meanings = {
            "supervised_loss": f"supervised loss of {middle}",
            "distilled_loss": f"loss of {middle}, with a teacher at {points.teacher:.3g}",
            "distilled_loss_beyond": f"loss of {_student(points.beyond)}, with {strong}",
            "optimal_teacher_loss": f"loss of the best teacher of {middle}",
            "teacher_slope": f"dL_S/dL_T of {_student(points.small)}, with {strong}",
        }
    return [Quantity(name, "forecast", meaning) for name, meaning in meanings.items()]


def forecasts(
    setting: Setting, model: Model, draws: Values, generator: np.random.Generator
) -> Values:
    """Forecasts (draws,) of the draws of `model`, each variable (draws, ...).

    `generator` draws the discrepancies of sizes that are not in the design.
    """
    posterior = _posterior(model, draws, setting, generator)
    points = points_of(setting)
    if setting.fitted.spec.kind == "supervised":
        n, d = points.middle
        loss = posterior.supervised_loss(
            *_columns(points.middle, points.beyond, *points.corners, (n, 2 * d))
        )
        named = ("loss_middle", "loss_beyond", "loss_most_tokens", "loss_fewest_tokens")
        losses = {name: loss[:, i] for i, name in enumerate(named)}
        return losses | {"gain_from_tokens": loss[:, 0] - loss[:, 4]}
    params, tokens = _columns(points.middle)
    distilled = posterior.distilled_loss(
        *_columns(points.middle, points.beyond), np.array([points.teacher, points.strong])
    )
    strong = np.full((len(distilled), 1), points.strong)
    return {
        "supervised_loss": posterior.supervised_loss(params, tokens)[:, 0],
        "distilled_loss": distilled[:, 0],
        "distilled_loss_beyond": distilled[:, 1],
        "optimal_teacher_loss": optimal_teacher(posterior, params, tokens).teacher_loss[:, 0],
        "teacher_slope": loss_slope(posterior, *_columns(points.small), strong)[:, 0],
    }


def sampled_names(model: Model, sites: Collection[str]) -> set[str]:
    """Names of the quantities besides forecasts, of the sites that a fit samples.

    In place of standardised sites (``NAME_z``), whose meaning depends on the numbers of the prior,
    are the coordinates, discrepancies and effects computed from them.
    """
    spec = model.spec
    derived = {n if n in spec.discrepancies else f"{n}_effect" for n in spec.shared}
    derived |= set(spec.law.coordinate_names)
    return derived | {name for name in sites if not name.endswith("_z")}


def sampled_quantity(model: Model, name: str) -> Quantity:
    """Describe a sampled number; `name` may be that of a component, ``name[i]``."""
    spec = model.spec
    if name in (*spec.noise_sites, *spec.spread_sites):
        return Quantity(name, "noise", meaning_of_scale(name, spec.relative))
    if name in dict(spec.parameters):
        parameters = {each.name: each for each in spec.likelihood.parameters()}
        return Quantity(name, "noise", parameters[name].meaning)
    base, _, component = name.partition("[")
    meanings = {c.name: c.meaning for c in spec.law.coordinates}
    if component and base not in meanings:
        grouping = _grouping_of(base)
        meaning = f"{base.replace('_', ' ')} of {grouping} {component[:-1]}"
        return Quantity(name, "level", meaning)
    return Quantity(name, "coordinate", meanings.get(base, ""))


def components(values: Values, data: Data) -> Values:
    """Split vectors (draws, K) into ``name[0]`` and so on, each (draws,).

    Groups without runs (padding of the model) are left out, and of many groups a dozen are taken,
    evenly spaced: more tests of the same kind would only take power from each of them.
    """
    split: Values = {}
    for name, value in values.items():
        if value.ndim == 1:
            split[name] = value
            continue
        flat = np.reshape(value, (len(value), -1))
        groups = getattr(data, _grouping_of(name), None)
        count = flat.shape[1] if groups is None else int(np.max(groups)) + 1
        for i in np.unique(np.linspace(0, count - 1, min(count, MOST_GROUPS)).round().astype(int)):
            split[f"{name}[{i}]"] = flat[:, i]
    return split


def _grouping_of(name: str) -> str:
    """Field of the data that holds the group of each run, for a vector of effects."""
    return "size" if name in OF_SIZES else name.partition("_")[0]


def _posterior(
    model: Model, draws: Values, setting: Setting, generator: np.random.Generator
) -> Posterior:
    """Draws as a posterior, one chain, so that forecasts are those that users get.

    Discrepancies of new sizes and conditions are drawn here, as for the posterior of a fit
    (`inference.draws_to_posterior`).
    """
    group: dict[str, Any] = {
        name: (("chain", "draw"), value[None]) for name, value in draws.items() if value.ndim == 1
    }
    params, tokens = (setting.design[name].to_numpy(float) for name in ("params", "tokens"))
    coords: dict[str, Any] = {}
    discrepancies = {name: (draws[name], "size") for name in model.spec.discrepancies}
    if model.spec.discrepancies or model.spec.condition_discrepancies:
        coords["size"] = np.exp(size_groups(params)[1])
    special = [f"condition_{name}" for name in model.spec.condition_discrepancies]
    if special:
        discrepancies |= {name: (draws[f"{name}_effect"], "condition") for name in special}
        condition = condition_groups(params, tokens)
        for name, column in (("condition_params", params), ("condition_tokens", tokens)):
            coords[name] = ("condition", _medians(column, condition))
    for name, (value, dimension) in discrepancies.items():
        count = len(coords["size"] if dimension == "size" else coords["condition_params"][1])
        group[name] = (("chain", "draw", dimension), value[None, :, :count])
        group[f"{name}_new"] = (("chain", "draw"), generator.standard_normal((1, len(value))))
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(group, coords=coords)})
    return Posterior(tree, model.card, setting.reference, {})


def _medians(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.array([np.median(values[group == i]) for i in range(group.max() + 1)])


def _columns(*points: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and tokens (points,) of points."""
    params, tokens = np.array(points).T
    return params, tokens


def _student(point: tuple[float, float]) -> str:
    params, tokens = point
    return f"{format_quantity(params)} on {format_quantity(tokens)} tokens"
