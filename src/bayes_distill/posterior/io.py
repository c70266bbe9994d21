"""The file of a posterior: one netCDF file with everything that is needed to use it."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from bayes_distill._input.files import atomic_path
from bayes_distill._input.outputs import FIT
from bayes_distill.cards import Card, card_from_dict
from bayes_distill.errors import InputError
from bayes_distill.laws import LAWS, STACKED, Reference
from bayes_distill.likelihoods import likelihood_named

FORMAT = "bayes-distill posterior"
FORMAT_VERSION = 1
CHECKED = {"fletcher32": True}  # a checksum, so that a flipped bit is noticed on reading
COMPRESSED = {"zlib": True, "complevel": 4, "shuffle": True, **CHECKED}
ATTRIBUTES = ("format_version", "law", "card", "reference", "info")


class Content(NamedTuple):
    """What a file holds: the fields of a `Posterior`."""

    tree: xr.DataTree
    card: Card
    reference: Reference
    info: Mapping[str, Any]


def write(path: str | Path, content: Content, *, overwrite: bool = False) -> Path:
    """Write one netCDF file, whole or not at all.

    Raises
    ------
    InputError
        If the place cannot be written to, or holds a file of another kind and not `overwrite`.
    """
    tree, reference = content.tree.copy(), content.reference
    tree.attrs = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "law": content.card.scaling_law.name,
        "card": content.card.model_dump_json(),
        "reference": json.dumps([reference.params, reference.tokens, reference.loss]),
        "info": json.dumps(content.info),
    }
    encoding = {
        node.path: {
            str(name): COMPRESSED if variable.size > 64 else CHECKED
            for name, variable in node.variables.items()
            if variable.dtype.kind in "fib" and variable.ndim > 0
        }
        for node in tree.subtree
    }
    with atomic_path(path, FIT, overwrite=overwrite) as temporary:
        tree.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    return Path(path)


def read(path: str | Path) -> Content:
    """Read a file that `write` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind or from a newer format.
    """
    tree = _opened(Path(path))
    attributes = tree.attrs
    if attributes.get("format") != FORMAT:
        raise InputError(f"{path} is a netCDF file, but not one written by bayes-distill fit")
    lacking = set(ATTRIBUTES) - set(attributes)
    if lacking:
        raise InputError(f"{path} is damaged: it lacks {', '.join(sorted(lacking))}")
    if int(attributes["format_version"]) > FORMAT_VERSION:
        raise InputError(
            f"{path} has format {attributes['format_version']}, and this version reads up to "
            f"{FORMAT_VERSION}: upgrade bayes-distill"
        )
    if attributes["law"] not in {*LAWS, STACKED}:
        raise InputError(
            f"{path} was fitted with the law {attributes['law']!r}, which this version does "
            "not have: upgrade bayes-distill"
        )
    problem = _missing_likelihood(attributes["card"])
    if problem is not None:
        raise InputError(f"{path} was fitted with a likelihood that cannot be loaded: {problem}")
    try:
        card = card_from_dict(json.loads(attributes["card"]), str(path))
        reference = Reference(*json.loads(attributes["reference"]))
        info = json.loads(attributes["info"])
        missing = _expected_draws(card) - set(tree["posterior"].data_vars)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged: {error}") from None
    if missing:
        raise InputError(f"{path} is damaged: it lacks draws of {', '.join(sorted(missing))}")
    tree.attrs = {}
    return Content(tree, card, reference, info)


def _opened(path: Path) -> xr.DataTree:
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file written by fit")
    try:
        with xr.open_datatree(path, engine="netcdf4") as opened:
            return opened.load()
    except Exception as error:  # damage comes up in many shapes from the layers below
        problem = type(error).__name__
    # what was opened half-way would stay open, and a file copied anew to this place be read from
    # HDF5's memory of the damaged one
    gc.collect()
    raise InputError(
        f"{path} is not a file written by fit, or is damaged ({problem}); "
        "fit again or copy it again"
    )


def _missing_likelihood(card: str) -> str | None:
    """Why a likelihood that a card names cannot be loaded, or ``None``.

    That is no damage: it is of a package that is installed elsewhere.
    """
    try:
        content = json.loads(card)
        parts = content.get("members") or (content,)
        families = [part["likelihood"]["family"] for part in parts]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None  # damage: the caller names it
    for family in families:
        try:
            likelihood_named(str(family))
        except InputError as error:
            return str(error)
    return None


def _expected_draws(card: Card) -> set[str]:
    """Names of the draws without which a posterior of a card cannot be used."""
    likelihoods = [part.likelihood for part in card.members or (card,)]
    sampled = (name for likelihood in likelihoods for name in likelihood.priors)
    return {*card.scaling_law.coordinate_names, *sampled}
