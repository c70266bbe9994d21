"""Ways in which the file of a posterior may be wrong, each with what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayes_distill.posterior import Posterior

Groups = dict[str, xr.Dataset]
Attributes = dict[str, Any]
Damage = Callable[[Groups, Attributes], None]


def draws(name: str, value: Any) -> Damage:
    """The first draw of a coordinate is `value`."""

    def damage(groups: Groups, _: Attributes) -> None:
        values = groups["posterior"][name].to_numpy().astype(float)
        values.reshape(-1)[0] = value
        groups["posterior"][name] = (groups["posterior"][name].dims, values)

    return damage


def replaced(name: str, dims: tuple[str, ...], values: Any) -> Damage:
    def damage(groups: Groups, _: Attributes) -> None:
        groups["posterior"] = groups["posterior"].drop_vars(name)
        groups["posterior"][name] = (dims, np.asarray(values))

    return damage


def dropped(*names: str) -> Damage:
    def damage(groups: Groups, _: Attributes) -> None:
        groups["posterior"] = groups["posterior"].drop_vars(names)

    return damage


def attribute(name: str, value: Any) -> Damage:
    def damage(_: Groups, attributes: Attributes) -> None:
        if value is None:
            del attributes[name]
        else:
            attributes[name] = value

    return damage


def info(**changes: Any) -> Damage:
    def damage(_: Groups, attributes: Attributes) -> None:
        attributes["info"] = json.dumps({**json.loads(attributes["info"]), **changes})

    return damage


def without_verdict(_: Groups, attributes: Attributes) -> None:
    content = json.loads(attributes["info"])
    del content["verdict"], content["diagnostics"]
    attributes["info"] = json.dumps({**content, "settings": {"chains": 2}})


def card(**changes: Any) -> Damage:
    def damage(_: Groups, attributes: Attributes) -> None:
        attributes["card"] = json.dumps({**json.loads(attributes["card"]), **changes})

    return damage


def runs(name: str, value: Any) -> Damage:
    def damage(groups: Groups, _: Attributes) -> None:
        values = groups["runs"][name].to_numpy().astype(float)
        values[0] = value
        groups["runs"][name] = ("run", values)

    return damage


def no_draws(groups: Groups, _: Attributes) -> None:
    groups["posterior"] = groups["posterior"].isel(draw=slice(0, 0))


def no_group(groups: Groups, _: Attributes) -> None:
    del groups["posterior"]


def other_draws(groups: Groups, _: Attributes) -> None:
    groups["log_likelihood"] = xr.Dataset(
        {"loss": (("chain", "draw", "run"), np.zeros((1, 3, groups["runs"].sizes["run"])))}
    )


def fewer_runs(groups: Groups, _: Attributes) -> None:
    groups["runs"] = groups["runs"].isel(run=slice(0, 3))


DAMAGES: dict[str, tuple[Damage, str]] = {
    "nan-draw": (draws("kappa", np.nan), "posterior.kappa: some draws are not finite"),
    "inf-draw": (draws("kappa", np.inf), "posterior.kappa: some draws are not finite"),
    "negative-draw": (draws("level", -1.0), "posterior.level: some draws are not positive"),
    "zero-draw": (draws("level", 0.0), "posterior.level: some draws are not positive"),
    "share-above-one": (draws("share", 1.5), "posterior.share: some draws are not between 0 and 1"),
    "negative-scale": (draws("scale", -0.1), "posterior.scale: some draws are negative"),
    "nan-scale": (draws("scale", np.nan), "posterior.scale: some draws are not finite"),
    "no-scale": (dropped("scale"), "it lacks draws of scale"),
    "no-kappa": (dropped("kappa"), "it lacks draws of kappa"),
    "no-coordinates": (dropped("kappa", "c0"), "it lacks draws of c0, kappa"),
    "other-length": (
        replaced("kappa", ("chain", "step"), np.ones((2, 7))),
        "posterior.kappa: its draws are not by chain and draw",
    ),
    "one-number": (
        replaced("kappa", (), 1.0),
        "posterior.kappa: its draws are not by chain and draw",
    ),
    "wide": (
        replaced("kappa", ("chain", "draw", "more"), np.ones((2, 20, 3))),
        "posterior.kappa: it is not one number a draw",
    ),
    "turned": (
        replaced("kappa", ("draw", "chain"), np.ones((20, 2))),
        "posterior.kappa: its draws are not by chain and draw",
    ),
    "words": (
        replaced("kappa", ("chain", "draw"), np.full((2, 20), "x", object)),
        "posterior.kappa: its draws are no numbers",
    ),
    "no-draws": (no_draws, "posterior: it holds no draws"),
    "no-group": (no_group, "it lacks the group posterior"),
    "verdict-odd": (info(verdict="splendid"), "info.verdict: "),
    "verdict-number": (info(verdict=1), "info.verdict: "),
    "verdict-none": (info(verdict=None), "info: its verdict is null"),
    "verdict-missing": (without_verdict, "info.verdict: it was sampled, and has no verdict"),
    "verdict-better": (info(verdict="pass"), "its verdict is pass, and its diagnostics say review"),
    "diagnostics-null": (info(diagnostics=None), "info: its diagnostics is null"),
    "law-null": (
        info(diagnostics={"verdict": "review", "law": None}),
        "info.diagnostics: its law is null",
    ),
    "versions-null": (info(versions=None), "info: its versions is null"),
    "diagnostics-list": (info(diagnostics=[]), "info.diagnostics: "),
    "checks-words": (
        info(diagnostics={"verdict": "review", "checks": "all"}),
        "info.diagnostics.checks: ",
    ),
    "checks-bare": (
        info(diagnostics={"verdict": "review", "checks": [{}]}),
        "info.diagnostics.checks.0.name: ",
    ),
    "law-odd": (
        info(diagnostics={"verdict": "review", "law": {"verdict": "fine"}}),
        "info.diagnostics.law.verdict: ",
    ),
    "hull-words": (info(hull="everywhere"), "info.hull: "),
    "hull-empty": (info(hull={"points": [], "teacher_loss": None}), "info.hull.points: "),
    "hull-nan": (
        info(hull={"points": [[float("nan"), 1.0]], "teacher_loss": None}),
        "info.hull.points.0.0: ",
    ),
    "hull-three": (
        info(hull={"points": [[1.0, 2.0, 3.0]], "teacher_loss": None}),
        "info.hull.points.0: ",
    ),
    "hull-far": (
        info(hull={"points": [[1e9, 2.0]], "teacher_loss": None}),
        "info.hull: its corners are no logarithms",
    ),
    "hull-teachers": (
        info(hull={"points": [[20.0, 24.0]], "teacher_loss": [3.0, 2.0]}),
        "its lowest teacher loss is above the highest",
    ),
    "hull-negative": (
        info(hull={"points": [[20.0, 24.0]], "teacher_loss": [-3.0, 2.0]}),
        "info.hull.teacher_loss.0: ",
    ),
    "hulls-words": (info(hulls={"supervised": "all"}), "info.hulls.supervised: "),
    "hulls-one": (info(hulls={"supervised": None}), "info.hulls.distilled: "),
    "hull-bare": (info(hull={"points": [[20.0, 24.0]]}), "info.hull.teacher_loss: "),
    "coefficients": (info(coefficients=[{"name": 3}]), "info.coefficients.0."),
    "notes": (info(notes="none"), "info.notes: "),
    "kind": (info(kind="magic"), "info.kind: "),
    "epochs": (info(epochs=-1.0), "info.epochs: "),
    "interval": (info(interval=2.0), "info.interval: "),
    "thinned": (info(thinned_by=0), "info.thinned_by: "),
    "flagged": (info(flagged_runs=[{"row": -1}]), "info.flagged_runs.0.row: "),
    "n-runs": (info(n_runs=3), "info.n_runs is 3"),
    "info-list": (attribute("info", "[]"), "info: "),
    "info-broken": (attribute("info", "{"), "is damaged"),
    "info-number": (attribute("info", 3), "info is a "),
    "info-deep": (attribute("info", "[" * 100_000), "is damaged"),
    "info-missing": (attribute("info", None), "it lacks info"),
    "law-other": (attribute("law", "chinchilla"), "law is chinchilla, and card is of distillation"),
    "law-unknown": (attribute("law", "quantum"), "fitted with the law 'quantum'"),
    "law-number": (attribute("law", 4), "law is a "),
    "card-other": (card(name="../x"), "model card"),
    "card-list": (attribute("card", "[]"), "model card"),
    "card-code": (
        card(likelihood={"family": "os:system"}),
        "a likelihood that cannot be loaded",
    ),
    "reference-short": (attribute("reference", "[1, 2]"), "is damaged"),
    "reference-negative": (attribute("reference", "[1e9, 2e10, -1]"), "is damaged"),
    "reference-nan": (attribute("reference", "[NaN, 2e10, 2.0]"), "is damaged"),
    "reference-words": (attribute("reference", '["a", "b", "c"]'), "is damaged"),
    "version-zero": (attribute("format_version", 0), "format_version is 0"),
    "version-text": (attribute("format_version", "one"), "format_version is a str"),
    "version-new": (attribute("format_version", 99), "upgrade bayes-distill"),
    "format-other": (attribute("format", "arviz"), "not one written by bayes-distill fit"),
    "format-number": (attribute("format", 7), "not one written by bayes-distill fit"),
    "digest": (attribute("digest", "0" * 64), "its content is not what was written"),
    "digest-number": (attribute("digest", 7), "digest is a "),
    "runs-nan": (runs("loss", np.nan), "runs.loss: some are not positive numbers"),
    "runs-negative": (runs("params", -1.0), "runs.params: some are not positive numbers"),
    "runs-teacher": (runs("teacher_loss", -2.0), "runs.teacher_loss: some are not positive"),
    "runs-fewer": (fewer_runs, "runs: there are 3, and info.n_runs is"),
    "likelihood-length": (other_draws, "log_likelihood: it has not as many of chain"),
}


def write_damaged(posterior: Posterior, damage: Damage, path: Path) -> Path:
    """Write a posterior with something wrong, and without a checksum that would tell."""
    attributes: Attributes = {
        "format": "bayes-distill posterior",
        "format_version": 1,
        "law": posterior.law.name,
        "card": posterior.card.model_dump_json(),
        "reference": json.dumps(
            [posterior.reference.params, posterior.reference.tokens, posterior.reference.loss]
        ),
        "info": json.dumps(posterior.info),
    }
    groups = {name: node.to_dataset() for name, node in posterior.tree.children.items()}
    damage(groups, attributes)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = attributes
    tree.to_netcdf(path, engine="netcdf4")
    return path
