"""The file of a posterior: one netCDF file with everything that is needed to use it."""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayes_distill._input.files import atomic_path
from bayes_distill._input.outputs import FIT
from bayes_distill._input.text import shown
from bayes_distill.cards import Card, card_from_dict
from bayes_distill.errors import InputError
from bayes_distill.laws import LAWS, STACKED, Reference
from bayes_distill.likelihoods import likelihood_named
from bayes_distill.posterior.schema import info_problem, problem_of
from bayes_distill.runs.schema import MOST_LOSS, MOST_PARAMS, MOST_TOKENS

FORMAT = "bayes-distill posterior"
FORMAT_VERSION = 1
CHECKED = {"fletcher32": True}  # a checksum, so that a flipped bit is noticed on reading
COMPRESSED = {"zlib": True, "complevel": 4, "shuffle": True, **CHECKED}
DIGEST = "digest"
REFERENCE = {"params": (1.0, MOST_PARAMS), "tokens": (1.0, MOST_TOKENS), "loss": (1e-6, MOST_LOSS)}
"""Least and most of a reference that the card does not state."""
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
    tree, attributes = content.tree.copy(), _stated(content)
    tree.attrs = {**attributes, DIGEST: content_digest(tree, attributes)}
    encoding = {
        node.path: {
            str(name): COMPRESSED if variable.size > 64 else CHECKED
            for name, variable in node.variables.items()
            if variable.dtype.kind in "fib" and variable.ndim > 0
        }
        for node in tree.subtree
    }
    # on a thread of its own: after an interrupt inside netCDF's calls, which hold a lock, closing
    # the file would wait for that lock for ever
    with (
        atomic_path(path, FIT, overwrite=overwrite) as temporary,
        ThreadPoolExecutor(1) as pool,
    ):
        pool.submit(tree.to_netcdf, temporary, engine="netcdf4", encoding=encoding).result()
    return Path(path)


def _stated(content: Content) -> dict[str, Any]:
    """Attributes of the file of a posterior, less its checksum."""
    reference = content.reference
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "law": content.card.scaling_law.name,
        "card": content.card.model_dump_json(),
        "reference": json.dumps([reference.params, reference.tokens, reference.loss]),
        "info": json.dumps(content.info),
    }


def fingerprint(content: Content) -> str:
    """Sha256 in hex over everything that a posterior's file holds, as the file itself states it."""
    return content_digest(content.tree, _stated(content))


def read(path: str | Path) -> Content:
    """Read a file that `write` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind or from a newer format.
    """
    tree = _opened(Path(path))
    attributes = _attributes(tree.attrs, path)
    problem = _missing_likelihood(attributes["card"])
    if problem is not None:
        raise InputError(f"{path} was fitted with a likelihood that cannot be loaded: {problem}")
    try:
        card = card_from_dict(json.loads(attributes["card"]), str(path))
        reference = Reference(*json.loads(attributes["reference"]))
        info = json.loads(attributes["info"])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {shown(str(error), 300)}") from None
    damage = (
        _inconsistent(attributes, card, reference)
        or info_problem(info)
        or problem_of(tree, card, info)
        or _other_content(tree, attributes)
    )
    if damage is not None:
        raise InputError(f"{path} is damaged: {damage}")
    tree.attrs = {}
    return Content(tree, card, reference, info)


def _attributes(attributes: Mapping[Any, Any], path: str | Path) -> dict[str, Any]:
    """The attributes of a posterior's file, of the right types.

    Raises
    ------
    InputError
        If they are of another file, of a newer version, or damaged.
    """
    if str(attributes.get("format")) != FORMAT:
        raise InputError(f"{path} is a netCDF file, but not one written by bayes-distill fit")
    lacking = set(ATTRIBUTES) - set(attributes)
    if lacking:
        raise InputError(f"{path} is damaged: it lacks {', '.join(sorted(lacking))}")
    found = {name: attributes[name] for name in (*ATTRIBUTES, DIGEST) if name in attributes}
    for name, value in found.items():
        right = (int, np.integer) if name == "format_version" else str
        if not isinstance(value, right):
            raise InputError(f"{path} is damaged: {name} is a {type(value).__name__}")
    version, law = int(found["format_version"]), found["law"]
    if version > FORMAT_VERSION:
        raise InputError(
            f"{path} has format {version}, and this version reads up to {FORMAT_VERSION}: "
            "upgrade bayes-distill"
        )
    if version < 1:
        raise InputError(f"{path} is damaged: format_version is {version}")
    if law not in {*LAWS, STACKED} and not _is_own(found["card"]):
        raise InputError(
            f"{path} was fitted with the law '{shown(law)}', which this version does "
            "not have: upgrade bayes-distill"
        )
    return found


def _is_own(card: str) -> bool:
    """Whether a card names no built-in law: that of a package, or a formula."""
    try:
        content = json.loads(card)
        return str(content["law"]) not in {*LAWS, STACKED}
    except (KeyError, TypeError, ValueError):
        return False


def _inconsistent(attributes: Mapping[str, Any], card: Card, reference: Reference) -> str | None:
    """What of the attributes does not go together, or is out of range."""
    if card.scaling_law.name != attributes["law"]:
        return f"law is {attributes['law']}, and card is of {card.scaling_law.name}"
    for name, (least, most) in REFERENCE.items():
        value = getattr(reference, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            return "reference: it is not three positive numbers"
        if not least <= value <= most and value != getattr(card.reference, name):
            return f"reference: its {name} is {value:.3g}, which none has"
    return None


def _other_content(tree: xr.DataTree, attributes: Mapping[str, Any]) -> str | None:
    """Say so if the content is not what was written; an older file has no checksum."""
    stated = attributes.get(DIGEST)
    if stated is None or stated == content_digest(tree, attributes):
        return None
    return "its content is not what was written"


def content_digest(tree: xr.DataTree, attributes: Mapping[str, Any]) -> str:
    """Sha256 in hex over the attributes and every array: a flipped bit in any of them shows."""
    digest = hashlib.sha256()
    for name in ATTRIBUTES:
        digest.update(f"{name}={attributes[name]}\n".encode())
    for node in sorted(tree.subtree, key=lambda node: node.path):
        dataset = node.to_dataset(inherit=False)
        for name in sorted(map(str, dataset.variables)):
            variable = dataset.variables[name]
            digest.update(f"{node.path} {name} {variable.dims} {variable.shape}\n".encode())
            digest.update(_bytes_of(variable.to_numpy()))
    return digest.hexdigest()


def _bytes_of(values: np.ndarray) -> bytes:
    if values.dtype.kind not in "fiub":
        return "\0".join(map(str, values.reshape(-1))).encode("utf-8", "surrogatepass")
    plain = values.astype("<f8" if values.dtype.kind == "f" else "<i8")
    if plain.dtype.kind == "f":
        plain[np.isnan(plain)] = np.nan  # not all NaN have the same bits
    return plain.tobytes()


def _opened(path: Path) -> xr.DataTree:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:  # a folder that cannot be entered, a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {reason}") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder, not a file written by fit")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is a device or a pipe, not a file written by fit")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: {os.strerror(errno.EACCES)}")
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
