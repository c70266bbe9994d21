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


def all_draws(name: str, value: float) -> Damage:
    """Every draw of a coordinate is `value`."""

    def damage(groups: Groups, _: Attributes) -> None:
        groups["posterior"][name] = groups["posterior"][name] * 0.0 + value

    return damage


def beside(name: str, **variables: tuple[tuple[str, ...], Any]) -> Damage:
    """A group beside the draws holds other variables, each with its dimensions."""

    def damage(groups: Groups, _: Attributes) -> None:
        groups[name] = xr.Dataset({n: (d, np.asarray(v)) for n, (d, v) in variables.items()})

    return damage


def likelihood(runs: int | None, value: float) -> Damage:
    """Log likelihoods of so many runs (of all, if ``None``) that are `value`."""

    def damage(groups: Groups, _: Attributes) -> None:
        sizes, stored = groups["posterior"].sizes, groups["runs"].sizes["run"]
        number, dim = (stored, "run") if runs is None else (runs, "some")
        values = np.full((sizes["chain"], sizes["draw"], number), value)
        groups["log_likelihood"] = xr.Dataset({"loss": (("chain", "draw", dim), values)})

    return damage


def sampler(**changes: Any) -> Damage:
    """Where the sampler was, with something else in place of what was stored."""

    def damage(groups: Groups, _: Attributes) -> None:
        stored = {"mean": np.zeros(2), "covariance": np.eye(2), "last": np.zeros((2, 2))} | changes
        dims = {"mean": "site", "covariance": ("site", "other_site"), "last": ("of_chain", "site")}
        groups["sampler"] = xr.Dataset(
            {name: (dims[name], value) for name, value in stored.items()},
            coords={"site": ["a", "b"]},
        )

    return damage


def other_draws(groups: Groups, _: Attributes) -> None:
    groups["log_likelihood"] = xr.Dataset(
        {"loss": (("chain", "draw", "run"), np.zeros((1, 3, groups["runs"].sizes["run"])))}
    )


def fewer_runs(groups: Groups, _: Attributes) -> None:
    groups["runs"] = groups["runs"].isel(run=slice(0, 3))


CELL = ("chain", "draw")
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
    "runs-huge": (runs("loss", 1e300), "runs.loss: some are above 20"),
    "huge": (all_draws("level", 1e300), "posterior.level: some draws are too large"),
    "large": (all_draws("level", 1e9), "posterior.level: its draws are too large to be believed"),
    "no-noise": (all_draws("scale", 0.0), "posterior.scale: some draws are not positive"),
    "reference-far": (attribute("reference", "[1e300, 1e-300, 1]"), "reference: its params is"),
    "reference-true": (
        attribute("reference", "[true, true, true]"),
        "reference: it is not three positive numbers",
    ),
    "prior-nan": (beside("prior", level=(CELL, [[np.nan]])), "prior.level: some draws are not fin"),
    "prior-negative": (beside("prior", level=(CELL, [[-1.0]])), "prior.level: some draws are not"),
    "prior-scale": (
        beside("prior", scale=(CELL, [[-1.0]])),
        "prior.scale: some draws are negative",
    ),
    "prior-turned": (beside("prior", scale=(("x",), [1.0])), "prior.scale: its draws are not by"),
    "likelihood-of-some": (likelihood(2, 0.0), "log_likelihood.loss: it is not by chain, draw and"),
    "likelihood-inf": (likelihood(None, np.inf), "log_likelihood: some are no numbers"),
    "covariance-negative": (
        sampler(covariance=-np.eye(2)),
        "sampler.covariance: it is not positive definite",
    ),
    "covariance-odd": (
        sampler(covariance=np.array([[1.0, 5.0], [0.0, 1.0]])),
        "sampler.covariance: it is no covariance",
    ),
    "sampler-far": (sampler(last=np.full((2, 2), 1e8)), "sampler.last: it is far from where"),
    "sampler-nan": (sampler(mean=np.full(2, np.nan)), "sampler.mean: some are no numbers"),
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
